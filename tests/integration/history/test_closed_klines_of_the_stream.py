from __future__ import annotations

from typing import Any

import pytest

from exchanges.domain.kline_rows import UnreadableRow
from exchanges.history import live, store
from tests.fakes.candles import START_MS, candle


def frame(**changes: Any) -> dict[str, Any]:
    """A kline frame's `data`, as the venue sends it."""
    k: dict[str, Any] = {
        "t": START_MS,
        "T": START_MS + 59_999,
        "s": "BTCUSDT",
        "i": "1m",
        "f": 100,
        "L": 106,
        "o": "100.0",
        "c": "101.0",
        "h": "103.0",
        "l": "99.0",
        "v": "5.0",
        "n": 7,
        "x": True,
        "q": "505.0",
        "V": "2.0",
        "Q": "202.0",
        "B": "0",
    } | changes
    return {"e": "kline", "E": START_MS + 60_001, "s": "BTCUSDT", "k": k}


def test_a_closed_candle_is_read():
    assert live.closed(frame()) == live.Closed("BTCUSDT", "1m", candle())


def test_a_running_candle_is_none():
    assert live.closed(frame(x=False)) is None


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (frame(h="much"), "kline frame, high: 'much' is no number"),
        (frame(t=None), "kline frame, opened_ms: None is no whole number"),
        (frame(x="yes"), "x .is it closed. is missing"),
        (frame(s=None), "s .symbol. or i .interval. is missing"),
        ({"e": "kline"}, "k is missing"),
    ],
)
def test_what_cannot_be_read_is_named(data, named):
    with pytest.raises(UnreadableRow, match=named):
        live.closed(data)


@pytest.mark.django_db
def test_closed_candles_of_many_series_are_kept():
    frames = [frame(), frame(i="5m"), frame(s="ETHUSDT"), frame(t=START_MS + 60_000, o="101")]
    rows = [row for row in map(live.closed, frames) if row]

    assert live.keep(environment="simulator", market="spot", rows=rows) == 4
    assert live.keep(environment="simulator", market="spot", rows=rows) == 0

    one_minute = store.load(environment="simulator", symbol="BTCUSDT", interval="1m")
    assert one_minute.open.tolist() == [100.0, 101.0]
