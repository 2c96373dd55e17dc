from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest

from exchanges.domain.candles import DAY_MS, opened_at
from exchanges.history import gaps, repair, store
from exchanges.models import Outage, Series
from tests.fakes.candles import candles
from tests.places import SIMULATOR

pytestmark = pytest.mark.django_db
MINUTE = 60_000
COUNT = 300
BTC: dict[str, Any] = {"venue": SIMULATOR, "symbol": "BTCUSDT", "interval": "1m"}


@pytest.fixture
def past(venue, settings):
    """300 closed candles up to now at the venue, all of them wanted."""
    settings.VENUE_ENVIRONMENT = "simulator"
    settings.TRADING_SYMBOLS, settings.CANDLE_INTERVALS = ["BTCUSDT"], ["1m"]
    settings.HISTORY_DAYS, settings.HISTORY_CANDLES = 0, COUNT - 1
    now = opened_at("1m", time.time_ns() // 1_000_000)
    rows = candles(COUNT, start_ms=now - COUNT * MINUTE)
    venue.has(rows)
    return rows


@pytest.fixture
def look(open_history):
    return lambda: repair.look(seconds=30, open_history=open_history)


def stored():
    return list(store.load(**BTC))


def test_a_new_series_is_filled(past, look):
    assert look().candles == COUNT

    assert stored() == past
    series = Series.objects.get()
    assert series.checked_at is not None
    assert gaps.missing(series) == 0


def test_a_whole_series_is_not_asked_for(past, look, venue):
    store.store(**BTC, rows=past)

    assert look().series == 0
    assert venue.pages == []


def test_a_hole_and_a_lost_tail_are_repaired_and_nothing_else_is_asked_for(past, look, venue):
    store.store(**BTC, rows=past[:100] + past[130:-7])

    assert look().candles == 37

    assert stored() == past
    spans = [(int(p["startTime"]), int(p["endTime"])) for _, p in venue.pages]
    assert spans == [
        (past[100].opened_ms, past[130].opened_ms - 1),
        (past[-7].opened_ms, past[-1].opened_ms + MINUTE - 1),
    ]


def test_a_candle_lost_by_a_killed_process_is_repaired(past, look, monkeypatch):
    monkeypatch.setattr(repair, "LATE_MS", 0)
    store.store(**BTC, rows=past[:-1])  # killed before it stored what the stream told last

    assert look().candles == 1

    assert stored() == past


def test_an_outage_of_the_venue_is_remembered_and_not_asked_for_again(past, look, venue):
    venue.lost(past[50].opened_ms, past[59].opened_ms)
    look()
    outage = Outage.objects.get()
    assert (outage.start_ms, outage.end_ms) == (past[50].opened_ms, past[60].opened_ms)
    assert Series.objects.get().absent == 10
    asked = len(venue.pages)

    assert look().series == 0

    assert len(venue.pages) == asked


def test_an_outage_is_asked_for_again_after_a_while_and_three_times_at_most(past, look, venue):
    venue.lost(past[50].opened_ms, past[59].opened_ms)
    look()
    for times in (2, 3, 4, 4):
        Outage.objects.update(asked_at=Outage.objects.get().asked_at - timedelta(days=8))
        look()
        assert Outage.objects.get().asked == times


def test_an_outage_that_the_venue_filled_is_forgotten(past, look, venue):
    venue.lost(past[50].opened_ms, past[59].opened_ms)
    look()
    venue.has(past)
    Outage.objects.update(asked_at=Outage.objects.get().asked_at - timedelta(hours=2))

    look()

    assert stored() == past
    assert not Outage.objects.exists()
    assert Series.objects.get().absent == 0


def test_a_history_that_begins_later_than_wanted_is_whole(past, look, venue):
    venue.lost(0, past[99].opened_ms)
    look()
    asked = len(venue.pages)

    assert look().series == 0

    assert len(venue.pages) == asked
    assert Series.objects.get().first_ms == past[100].opened_ms


def test_the_running_candle_is_not_stored(past, look, venue):
    venue.has(candles(1, start_ms=past[-1].opened_ms + MINUTE))

    look()

    assert stored()[-1].opened_ms <= past[-1].opened_ms


def test_an_import_into_an_outage_is_taken_into_account(past, look, venue):
    venue.lost(past[50].opened_ms, past[59].opened_ms)
    look()

    store.store(**BTC, rows=past[50:60])
    look()

    series = Series.objects.get()
    assert (series.absent, gaps.missing(series)) == (0, 0)
    assert not Outage.objects.exists()


def test_more_is_kept_than_is_wanted(past, look):
    older = candles(10, start_ms=past[0].opened_ms - 10 * MINUTE)
    store.store(**BTC, rows=older + past)

    assert look().series == 0
    assert len(stored()) == COUNT + 10


def test_days_and_candles_both_count(settings):
    settings.HISTORY_DAYS, settings.HISTORY_CANDLES = 3, 500
    now = 1_723_161_600_000

    assert repair.wanted_from("1m", now) == now - 3 * DAY_MS
    assert repair.wanted_from("1d", now) == now - 501 * DAY_MS
