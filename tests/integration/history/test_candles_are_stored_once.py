from __future__ import annotations

from typing import Any

import pytest

from exchanges.history import store
from exchanges.models import CandleRow, Series
from tests.fakes.candles import START_MS, candle, candles
from tests.places import MAINNET, SIMULATOR, USDM

pytestmark = pytest.mark.django_db
MINUTE = 60_000
BTC: dict[str, Any] = {"venue": SIMULATOR, "symbol": "BTCUSDT", "interval": "1m"}


def test_what_was_stored_is_loaded_oldest_first():
    rows = candles(5)

    assert store.store(**BTC, rows=reversed(rows)) == 5

    assert list(store.load(**BTC)) == rows


def test_storing_twice_writes_nothing():
    store.store(**BTC, rows=candles(5))

    assert store.store(**BTC, rows=candles(5)) == 0
    assert CandleRow.objects.count() == 5


def test_a_correction_overwrites():
    store.store(**BTC, rows=candles(5))
    corrected = candle(START_MS + 2 * MINUTE, close=99.5)

    assert store.store(**BTC, rows=[corrected]) == 1

    assert list(store.load(**BTC))[2] == corrected


def test_of_two_for_one_moment_the_later_row_counts():
    store.store(**BTC, rows=[candle(close=101.0), candle(close=102.0)])

    assert store.load(**BTC).close.tolist() == [102.0]


def test_nothing_is_nothing():
    assert store.store(**BTC, rows=[]) == 0
    assert len(store.load(**BTC)) == 0


def test_a_long_list_goes_in_batches(monkeypatch):
    monkeypatch.setattr(store, "BATCH", 7)

    assert store.store(**BTC, rows=candles(30)) == 30
    assert len(store.load(**BTC)) == 30


def test_the_series_knows_first_last_and_count():
    store.store(**BTC, rows=candles(5))
    store.store(**BTC, rows=candles(10, start_ms=START_MS - 3 * MINUTE))

    series = Series.objects.get()
    first, last = START_MS - 3 * MINUTE, START_MS + 6 * MINUTE
    assert (series.first_ms, series.last_ms, series.rows) == (first, last, 10)


def test_columns_are_stored_as_they_are():
    store.store(**BTC, rows=store.load(**BTC))
    store.store(**BTC, rows=candles(3))

    assert store.store(**(BTC | {"symbol": "ETHUSDT"}), rows=store.load(**BTC)) == 3


def test_venues_and_intervals_never_mix():
    store.store(**BTC, rows=[candle()])

    for other in ({"venue": MAINNET}, {"venue": USDM}, {"interval": "5m"}):
        assert len(store.load(**(BTC | other))) == 0


def test_candles_of_any_year_find_their_place():
    old, early = candle(0), candle(1_483_228_740_000)  # 1970; the last minute of 2016

    store.store(**BTC, rows=[old, early, candle()])

    assert list(store.load(**BTC)) == [old, early, candle()]
