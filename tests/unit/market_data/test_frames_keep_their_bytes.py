"""A frame is told from its neighbours by a look, and travels as it came."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges.market_data import bus
from exchanges.market_data.bus import Kind, UnknownStream
from exchanges.market_data.frames import Frame, NoFrame, Reader, Unreadable

TRADE = b'{"e":"trade","E":1002,"s":"BTCUSDT","t":7,"p":"1.10","q":"2","T":1001,"m":true}'


def read(stream: str, data: bytes, received_us: int = 5_000_000) -> Any:
    return Reader().read(b'{"stream":"%b","data":%b}' % (stream.encode(), data), received_us)


def test_the_envelope_is_the_venues_frame_with_one_field_more():
    frame = read("btcusdt@trade", TRADE)
    assert frame.envelope() == bus.enveloped("btcusdt@trade", TRADE, 5_000)


def test_an_envelope_in_another_order_keeps_the_bytes_too():
    wire = b'{ "data" : %b, "stream" : "btcusdt@trade" }' % TRADE
    frame = Reader().read(wire, 5_000_000)
    assert isinstance(frame, Frame)
    assert frame.envelope() == bus.enveloped("btcusdt@trade", TRADE, 5_000)


@given(st.dictionaries(st.text(min_size=2, max_size=5), st.text(max_size=5) | st.integers()))
def test_whatever_else_a_frame_carries_goes_along(more):
    data = json.dumps(more | {"u": 5}).encode()
    frame = read("btcusdt@bookTicker", data)
    told = json.loads(frame.envelope())
    assert told == {"stream": "btcusdt@bookTicker", "data": more | {"u": 5}, "received_ms": 5000}


@pytest.mark.parametrize(
    ("stream", "data", "number", "event_ms"),
    [
        ("btcusdt@trade", TRADE, 7, 1001),
        ("btcusdt@aggTrade", b'{"a":9,"E":3,"T":2}', 9, 2),
        ("btcusdt@bookTicker", b'{"u":4,"s":"BTCUSDT"}', 4, None),
        ("btcusdt@bookTicker", b'{"e":"bookTicker","u":4,"E":8,"T":7,"st":1}', 4, 7),
        ("btcusdt@depth20@100ms", b'{"lastUpdateId":6,"bids":[],"asks":[]}', 6, None),
        ("btcusdt@depth20@100ms", b'{"e":"depthUpdate","E":8,"T":7,"u":6,"pu":1}', 6, 7),
        ("btcusdt@depth@100ms", b'{"e":"depthUpdate","E":8,"U":5,"u":6}', 6, 8),
        ("btcusdt@ticker", b'{"e":"24hrTicker","E":8}', 8, 8),
        ("btcusdt@kline_1m", b'{"E":9,"k":{"t":60000,"x":true}}', (60000, True, 9), 9),
        ("btcusdt@markPrice@1s", b'{"e":"markPriceUpdate","E":8}', 8, 8),
    ],
)
def test_each_kind_has_a_number_and_a_time(stream, data, number, event_ms):
    frame = read(stream, data)
    assert (frame.mark.number, frame.mark.event_ms) == (number, event_ms)


def test_a_trade_that_is_none_of_the_market_is_foreign():
    assert read("btcusdt@trade", b'{"t":1,"X":"INSURANCE_FUND"}').mark.is_foreign
    assert not read("btcusdt@trade", b'{"t":1,"X":"MARKET"}').mark.is_foreign


def test_trades_and_closed_candles_are_dear():
    dear = [read("btcusdt@trade", TRADE), read("a@kline_1m", b'{"E":9,"k":{"t":1,"x":true}}')]
    cheap = [read("a@kline_1m", b'{"E":9,"k":{"t":1,"x":false}}'), read("a@ticker", b'{"E":8}')]
    assert [frame.is_dear for frame in dear + cheap] == [True, True, False, False]


def test_a_clock_behind_the_venues_is_a_negative_lag():
    assert read("btcusdt@trade", TRADE, received_us=1_000_000).lag_ms == -1


@pytest.mark.parametrize("data", [b"{}", b'{"t":"x"}', b"[]", b'{"t":1'])
def test_a_frame_without_its_number_is_unreadable(data):
    with pytest.raises(Unreadable):
        read("btcusdt@trade", data)


@pytest.mark.parametrize("wire", [b"rubbish", b"[1]", b'"text"', b"", b"\xff\xfe"])
def test_bytes_that_are_no_object_are_no_frame(wire):
    with pytest.raises(NoFrame):
        Reader().read(wire, 0)


@given(st.binary(max_size=60))
def test_no_bytes_break_the_reader(wire):
    with contextlib.suppress(Unreadable, UnknownStream):
        Reader().read(wire, 0)
        Reader().read(b'{"stream":"%b","data":{"u":1}}' % wire, 0)


@pytest.mark.parametrize("name", ["btcusdt@rpiDepth", "btc usdt@trade", "*@trade", "@trade"])
def test_a_stream_of_no_kind_or_symbol_of_ours_is_unknown(name):
    with pytest.raises(UnknownStream):
        read(name, b"{}")


def test_an_answer_is_no_frame_but_an_object():
    assert Reader().read(b'{"result":null,"id":1}', 0) == {"result": None, "id": 1}
    assert Reader().read(b'{"stream":"","data":{"e":"serverShutdown","E":1}}', 0) == {
        "e": "serverShutdown",
        "E": 1,
    }


def test_a_kline_says_which_interval():
    frame = read("btcusdt@kline_15m", b'{"E":9,"k":{"t":1,"x":true}}')
    assert (frame.stream.kind, frame.stream.interval) == (Kind.KLINE, "15m")
