"""The outbox: order is kept, the cheap is dropped first, nothing dear silently."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from exchanges.market_data.frames import Frame, Reader
from exchanges.market_data.outbox import Outbox

READER = Reader()


def ticker(number: int) -> Frame:
    return _read(b'{"stream":"btcusdt@ticker","data":{"E":%d}}' % number)


def trade(number: int) -> Frame:
    return _read(b'{"stream":"btcusdt@trade","data":{"t":%d}}' % number)


def _read(wire: bytes) -> Frame:
    frame = READER.read(wire, 0)
    assert isinstance(frame, Frame)
    return frame


def numbers(frames: list[Frame]) -> list[Any]:
    return [frame.mark.number for frame in frames]


def test_frames_leave_in_the_order_they_came():
    box = Outbox()
    for frame in (ticker(1), trade(2), ticker(3), trade(4)):
        box.put(frame)
    assert numbers(box.take(3)) == [1, 2, 3]
    assert numbers(box.take(3)) == [4]


def test_the_oldest_ticker_goes_first_and_trades_stay():
    box = Outbox(most_cheap=2, most_dear=10)
    for frame in (trade(1), ticker(2), ticker(3), trade(4), ticker(5)):
        box.put(frame)
    assert numbers(box.take(10)) == [1, 3, 4, 5]
    assert (box.dropped, box.lost) == ({"ticker": 1}, 0)


def test_a_trade_that_is_dropped_is_counted_as_lost():
    box = Outbox(most_dear=1)
    box.put(trade(1))
    box.put(trade(2))
    assert numbers(box.take(10)) == [2]
    assert (box.dropped, box.lost) == ({"trade": 1}, 1)


def test_what_was_not_taken_comes_first_again():
    box = Outbox()
    for number in range(5):
        box.put(ticker(number))
    box.put_back(box.take(3))
    assert numbers(box.take(10)) == [0, 1, 2, 3, 4]


def test_dropped_frames_take_no_memory_while_a_trade_waits():
    box = Outbox(most_cheap=10)
    box.put(trade(0))
    for number in range(20_000):
        box.put(ticker(number))
    assert len(box._order) < 2_000


@given(st.lists(st.booleans() | st.none(), max_size=200), st.integers(1, 5), st.integers(1, 5))
def test_what_comes_out_is_in_order_and_the_rest_is_counted(steps, cheap, dear):
    box, out, put = Outbox(most_cheap=cheap, most_dear=dear), [], 0
    for step in steps:
        if step is None:
            out += box.take(2)
        else:
            put += 1
            box.put(trade(put) if step else ticker(put))
    out += box.take(1_000)
    told = numbers(out)
    assert told == sorted(told)
    assert len(out) + sum(box.dropped.values()) == put
    assert len(box) == 0
