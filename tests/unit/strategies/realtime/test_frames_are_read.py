"""Frames are read from bytes to floats; what cannot be read is refused with words."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges.market_data.bus import enveloped
from signals_app.strategies.realtime import frames
from signals_app.strategies.realtime.frames import FrameInvalid

TRADE = {"e": "trade", "t": 7, "T": 1_723_161_255_342, "p": "61837.63", "q": "0.02", "m": True}


def trade(**changed):
    return enveloped("btcusdt@trade", orjson.dumps(TRADE | changed), 1_723_161_254_087)


def depth(bids, asks):
    data = {"lastUpdateId": 1, "bids": bids, "asks": asks}
    return enveloped("btcusdt@depth20@100ms", orjson.dumps(data), 1_723_161_254_087)


def test_a_trade():
    frame = frames.trade(trade())
    assert (frame.data.price, frame.data.quantity, frame.data.is_buyer_maker) == (
        61837.63,
        0.02,
        True,
    )
    assert frame.received_ms == 1_723_161_254_087


def test_a_clock_a_second_behind_the_venues_is_natural():
    assert frames.trade(trade()).data.at_ms > frames.trade(trade()).received_ms


@pytest.mark.parametrize(
    "changed",
    [
        {"p": "0"},
        {"p": "-1"},
        {"p": "NaN"},
        {"p": "Infinity"},
        {"q": "0"},
        {"p": "abc"},
        {"p": None},
        {"T": 0},
        {"T": 1_723_161_254_087 + 3_600_000},
        {"m": "perhaps"},
    ],
)
def test_what_is_no_trade_is_refused(changed):
    with pytest.raises(FrameInvalid):
        frames.trade(trade(**changed))


@given(st.binary(max_size=200))
def test_no_bytes_do_anything_but_be_refused(raw):
    for read in (frames.trade, frames.ticker, frames.depth):
        with pytest.raises(FrameInvalid):
            read(raw)


@given(
    st.lists(
        st.tuples(st.floats(1e-8, 1e8), st.floats(1e-8, 1e8)),
        min_size=1,
        max_size=30,
    ),
    st.integers(1, 20),
    st.booleans(),
)
def test_a_side_is_read_alike_whatever_its_spaces(levels, count, spaced):
    rows = [[f"{price:.8f}", f"{quantity:.8f}"] for price, quantity in levels]
    option = orjson.OPT_INDENT_2 if spaced else 0
    text = orjson.dumps({"lastUpdateId": 1, "bids": rows, "asks": rows}, option=option)
    frame = frames.depth(enveloped("x@depth20", text, 1))
    best, volume = frames.side(frame.data.bids, count)
    assert best == float(rows[0][0])
    assert volume == pytest.approx(sum(float(q) for _, q in rows[:count]))


@pytest.mark.parametrize(
    "rows", [[], [["1"]], [["nan", "1"]], [["1", "inf"]], [["0", "1"]], [["a", "1"]], [[["1"]]], {}]
)
def test_a_side_that_is_none_is_refused(rows):
    frame = frames.depth(depth(rows, rows))
    with pytest.raises(FrameInvalid):
        frames.side(frame.data.bids, 5)
