from __future__ import annotations

from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit.models import Event
from exchanges import tasks
from exchanges.history import funding, store
from exchanges.models import Series
from exchanges.venues.binance.kline_rows import Funding
from tests.fakes.candles import START_MS, candles
from tests.people import logged_in
from tests.places import SIMULATOR, USDM

pytestmark = pytest.mark.django_db
BTC: dict[str, Any] = {"venue": SIMULATOR, "symbol": "BTCUSDT", "interval": "1m"}
LIST = reverse("admin:exchanges_series_changelist")


@pytest.fixture
def series() -> Series:
    rows = candles(20)
    store.store(**BTC, rows=rows[:5] + rows[8:])
    return Series.objects.get()


@pytest.fixture
def asked(monkeypatch, django_capture_on_commit_callbacks) -> list[tuple[int, str]]:
    """Who asked for which repair, once the transaction is over."""
    wishes: list[tuple[int, str]] = []
    monkeypatch.setattr(tasks.repair_one, "delay", lambda pk, actor: wishes.append((pk, actor)))
    return wishes


def page(one: Series, name: str = "change") -> str:
    return reverse(f"admin:exchanges_series_{name}", args=(one.pk,))


def test_the_list_tells_first_last_count_and_missing(browser, series):
    text = browser.get(LIST).content.decode()

    assert "2024-08-09 00:00" in text
    assert "2024-08-09 00:19" in text
    assert ">17<" in text
    assert ">3<" in text


def test_neither_list_nor_page_reads_the_candles(browser, series):
    with CaptureQueriesContext(connection) as seen:
        browser.get(LIST)
        browser.get(page(series))

    assert not [q for q in seen.captured_queries if "exchanges_candle" in q["sql"]]


def test_the_page_loads_the_chart_from_our_own_files(browser, series):
    text = browser.get(page(series)).content.decode()

    assert "litecharts/lightweight-charts.js" in text
    assert f'data-source="{page(series, "candles")}"' in text
    assert "Repair now" in text


def test_the_chart_reads_candles_and_older_ones(browser, series):
    newest = browser.get(page(series, "candles")).json()
    older = browser.get(page(series, "candles"), {"before": START_MS + 120_000}).json()

    assert newest["kind"] == "candles"
    assert len(newest["close"]) == 17
    assert older["opened_ms"] == [START_MS, START_MS + 60_000]


def test_funding_rates_are_drawn_too(browser):
    rows = [Funding(START_MS, 0.0001, None, "Regular")]
    funding.store(venue=USDM, symbol="BTCUSDT", rows=rows)
    one = Series.objects.get()

    assert "history-chart" in browser.get(page(one)).content.decode()
    assert browser.get(page(one, "candles")).json()["rate"] == [0.0001]


def test_a_repair_is_asked_for_on_record(series, asked, django_capture_on_commit_callbacks):
    person = logged_in("exchanges.view_series", "exchanges.repair_series")

    with django_capture_on_commit_callbacks(execute=True):
        person.post(page(series, "repair"))
    with django_capture_on_commit_callbacks(execute=True):
        person.post(LIST, {"action": "repair_selected", "_selected_action": [series.pk]})

    assert asked == [(series.pk, "ann")] * 2
    events = Event.objects.filter(kind="history.repair_asked")
    assert [(e.actor, e.subject_id) for e in events] == [("ann", str(series.pk))] * 2


def test_without_the_permission_nothing_is_asked(series, asked):
    person = logged_in("exchanges.view_series")

    assert person.post(page(series, "repair")).status_code == 403
    assert "Repair now" not in person.get(page(series)).content.decode()
    person.post(LIST, {"action": "repair_selected", "_selected_action": [series.pk]})
    assert asked == []


def test_strangers_see_no_candles(series):
    assert logged_in().get(page(series, "candles")).status_code == 403


def test_the_chart_s_files_are_served():
    for name in ("litecharts/lightweight-charts.js", "history/chart.js", "history/chart.css"):
        assert finders.find(name), name
