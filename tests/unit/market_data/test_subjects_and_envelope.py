from __future__ import annotations

import orjson
import pytest

from exchanges.market_data import bus
from exchanges.market_data.bus import Kind
from tests.places import SIMULATOR


@pytest.mark.parametrize(
    ("stream", "kind"),
    [
        ("btcusdt@bookTicker", Kind.BEST),
        ("btcusdt@depth20@100ms", Kind.DEPTH),
        ("btcusdt@depth5", Kind.DEPTH),
        ("btcusdt@depth", Kind.DIFF),
        ("btcusdt@depth@100ms", Kind.DIFF),
        ("btcusdt@trade", Kind.TRADE),
        ("btcusdt@aggTrade", Kind.AGG_TRADE),
        ("btcusdt@ticker", Kind.TICKER),
        ("btcusdt@miniTicker", Kind.MINI_TICKER),
        ("btcusdt@kline_15m", Kind.KLINE),
        ("btcusdt@markPrice@1s", Kind.MARK),
    ],
)
def test_a_stream_name_tells_its_kind(stream: str, kind: Kind):
    assert bus.kind_of(stream) is kind
    assert bus.symbol_of(stream) == "BTCUSDT"


def test_another_stream_is_refused():
    with pytest.raises(bus.UnknownStream, match="btcusdt@forceOrder"):
        bus.kind_of("btcusdt@forceOrder")


def test_a_subject_names_the_symbol_before_the_kind():
    found = bus.subject("binance.websocket.data", SIMULATOR, "BTCUSDT", Kind.TRADE)
    assert found == "binance.websocket.data.binance.spot.simulator.BTCUSDT.trade"


def test_the_venues_bytes_travel_as_they_came():
    data = b'{"e":"trade","p":"60000.10000000"}'
    raw = bus.enveloped("btcusdt@trade", data, 1_723_161_253_912)
    assert data in raw
    assert orjson.loads(raw) == {
        "stream": "btcusdt@trade",
        "data": {"e": "trade", "p": "60000.10000000"},
        "received_ms": 1_723_161_253_912,
    }


def test_a_recorded_frame_without_a_time_is_dated():
    raw = bus.enveloped("btcusdt@depth20@100ms", b"{}", 1_795_000_000_000, 1_723_161_253_912)
    assert orjson.loads(raw)["event_ms"] == 1_723_161_253_912
