"""A closed candle of the stream is a row of the history, once, whatever comes between."""

from __future__ import annotations

import time

import pytest

from exchanges.domain.candles import Candle
from exchanges.history import store
from exchanges.market_data import storing
from exchanges.market_data.closed import ClosedKline
from tests.places import SIMULATOR

pytestmark = pytest.mark.django_db
MINUTE = 60_000
NOW = time.time_ns() // 1_000_000 // MINUTE * MINUTE


def closed(opened_ms: int, *, high: float = 3.0, symbol: str = "BTCUSDT") -> ClosedKline:
    row = Candle(opened_ms, 1.0, high, 1.0, 2.0, 10.0, 20.0, 7, 4.0, 8.0)
    return ClosedKline(SIMULATOR, symbol, "1m", row)


def opened(symbol: str = "BTCUSDT") -> list[int]:
    found = store.load(venue=SIMULATOR, symbol=symbol, interval="1m", last=10)
    return [candle.opened_ms for candle in found]


def test_candles_of_several_symbols_are_stored_in_one_go():
    storing.write([closed(NOW - 2 * MINUTE), closed(NOW - 3 * MINUTE), closed(NOW, symbol="X")][:2])
    assert opened() == [NOW - 3 * MINUTE, NOW - 2 * MINUTE]


def test_storing_twice_is_storing_once():
    storing.write([closed(NOW - 2 * MINUTE)])
    storing.write([closed(NOW - 2 * MINUTE)])
    assert opened() == [NOW - 2 * MINUTE]


def test_a_candle_that_makes_no_sense_costs_nobody_else_theirs():
    storing.write([closed(NOW - 2 * MINUTE), closed(NOW - 3 * MINUTE, high=0.5)])
    assert opened() == [NOW - 2 * MINUTE]
