from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from audit.models import Event
from foundation.admin.periods import first_id
from trading.models import Fill

pytestmark = pytest.mark.django_db
START = datetime(2100, 1, 1, tzinfo=UTC)  # later than the row the first boot leaves


def hourly(count: int) -> list[int]:
    rows = [Event(at=START + timedelta(hours=i), kind="test", actor="t") for i in range(count)]
    Event.objects.bulk_create(rows)
    return list(Event.objects.filter(kind="test").order_by("pk").values_list("pk", flat=True))


@pytest.mark.parametrize("hour", [0, 1, 37, 99])
def test_the_first_row_not_older_than_a_moment(hour):
    ids = hourly(100)

    assert first_id(Event.objects.all(), "at", START + timedelta(hours=hour)) == ids[hour]


def test_between_two_rows_it_is_the_later_one():
    ids = hourly(10)

    assert first_id(Event.objects.all(), "at", START + timedelta(hours=4, minutes=1)) == ids[5]


def test_when_everything_is_older_it_is_past_the_end():
    ids = hourly(10)

    assert first_id(Event.objects.all(), "at", START + timedelta(days=9)) == ids[-1] + 1


def test_an_empty_table_has_no_first_row():
    assert first_id(Fill.objects.all(), "recorded_at", START) == 0


def test_a_thousand_rows_take_about_ten_looks():
    hourly(1000)

    with CaptureQueriesContext(connection) as seen:
        first_id(Event.objects.all(), "at", START + timedelta(hours=700))

    assert len(seen) <= 13


def test_the_list_shows_the_chosen_period_only(browser):
    Event.objects.create(at=timezone.now() - timedelta(days=3), kind="older.news", actor="t")
    Event.objects.create(at=timezone.now(), kind="fresh.news", actor="t")

    page = browser.get(reverse("admin:audit_event_changelist"), {"period": "day"})

    assert "fresh.news" in page.content.decode()
    assert "older.news" not in page.content.decode()
