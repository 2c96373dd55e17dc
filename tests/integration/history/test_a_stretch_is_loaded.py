from __future__ import annotations

from typing import Any

import pytest

from exchanges.history import store
from tests.fakes.candles import START_MS, candles
from tests.places import SIMULATOR

MINUTE = 60_000
BTC: dict[str, Any] = {"venue": SIMULATOR, "symbol": "BTCUSDT", "interval": "1m"}


@pytest.fixture(autouse=True)
def _ten_candles(db):
    store.store(**BTC, rows=candles(10))


def opened(**limits: Any) -> list[int]:
    return [(ms - START_MS) // MINUTE for ms in store.load(**BTC, **limits).opened_ms.tolist()]


def test_the_start_counts_and_the_end_does_not():
    assert opened(start_ms=START_MS + 2 * MINUTE, end_ms=START_MS + 5 * MINUTE) == [2, 3, 4]


def test_the_last_few_are_still_oldest_first():
    assert opened(last=3) == [7, 8, 9]


def test_the_last_few_before_a_moment():
    assert opened(last=2, end_ms=START_MS + 4 * MINUTE) == [2, 3]


def test_more_than_there_are_gives_what_there_is():
    assert len(opened(last=99)) == 10


def test_columns_are_whole_and_floating_numbers():
    loaded = store.load(**BTC, last=4)

    assert loaded.trades.dtype == loaded.opened_ms.dtype == "int64"
    assert loaded.close.dtype == "float64"
    assert loaded.close.flags["C_CONTIGUOUS"]
    assert loaded.closed_at(0).minute == 7


def test_the_last_few_are_found_across_a_long_gap():
    store.store(**BTC, rows=candles(2, start_ms=START_MS + 1_000_000 * MINUTE))

    assert opened(last=4) == [8, 9, 1_000_000, 1_000_001]
    assert opened(first=12, start_ms=START_MS + 8 * MINUTE) == [8, 9, 1_000_000, 1_000_001]


def test_the_first_few_from_a_moment_on():
    assert opened(first=3, start_ms=START_MS + 2 * MINUTE) == [2, 3, 4]
    assert opened(first=0) == []


def test_a_stretch_outside_of_what_is_stored_is_empty():
    assert opened(start_ms=START_MS + 10 * MINUTE) == []
    assert opened(end_ms=START_MS) == []
    assert opened(last=5, end_ms=0) == []
