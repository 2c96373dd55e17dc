from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

LISTS = [
    "signals_app_signal",
    "trading_decision",
    "trading_order",
    "trading_fill",
    "audit_event",
]

pytestmark = pytest.mark.django_db


def asked(browser, name: str, query: str = "") -> list[str]:
    with CaptureQueriesContext(
        connection,
    ) as seen:
        answer = browser.get(reverse(f"admin:{name}_changelist") + query)
    assert answer.status_code == 200
    return [q["sql"] for q in seen.captured_queries]


@pytest.mark.parametrize("name", LISTS)
def test_no_list_counts_its_table(name, browser, send):
    send()

    assert not [sql for sql in asked(browser, name) if "COUNT(" in sql.upper()]


@pytest.mark.parametrize("name", LISTS)
def test_a_longer_list_asks_no_more(name, browser, send):
    send()
    few = len(asked(browser, name))
    for _ in range(4):
        send()

    assert len(asked(browser, name)) == few


def test_a_search_compares_whole_values(browser, send):
    order = send().order

    queries = asked(browser, "trading_order", f"?q={order.client_order_id}")
    search = next(sql for sql in queries if order.client_order_id in sql)
    assert "LIKE" not in search.upper()
    page = browser.get(reverse("admin:trading_order_changelist"), {"q": order.client_order_id})
    assert order.client_order_id in page.content.decode()
    page = browser.get(reverse("admin:trading_order_changelist"), {"q": order.client_order_id[:9]})
    assert order.client_order_id not in page.content.decode()


def test_heavy_columns_stay_in_the_database(browser, send):
    send()

    listing = next(
        sql
        for sql in asked(browser, "signals_app_signal")
        if 'FROM "signals_app_signal"' in sql and "ORDER BY" in sql
    )
    for column in ("raw", "draft", "verdicts", "arithmetic"):
        assert f'."{column}"' not in listing


def test_the_second_page_opens_and_a_page_after_the_last_is_empty(browser, send):
    send()

    for page in (2, 5000):
        answer = browser.get(reverse("admin:trading_order_changelist"), {"p": page})
        assert answer.status_code == 200
