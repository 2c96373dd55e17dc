"""Public market streams carry the venue's frames."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from websockets.sync.client import ClientConnection

from exchanges.venues.simulator.process import SimulatorProcess
from tests.fakes.venue_client import VenueClient, market_stream

FRAMES = {
    "trade": set("eEstpqTmM"),
    "aggTrade": set("eEsapqflTmM"),
    "miniTicker": set("eEscohlvq"),
    "ticker": set("eEspPwxcQbBaAohlvqOCFLn"),
    "avgPrice": set("eEsiwT"),
    "depth@100ms": set("eEsUuba"),
    "kline_1m": set("eEsk"),
    "bookTicker": set("usbBaA"),
    "depth5@100ms": {"lastUpdateId", "bids", "asks"},
    "depth10": {"lastUpdateId", "bids", "asks"},
    "depth20@100ms": {"lastUpdateId", "bids", "asks"},
}


@pytest.fixture(scope="module")
def lively() -> Iterator[SimulatorProcess]:
    with SimulatorProcess(prices="synthetic:interval_ms=100", faults=True) as process:
        yield process


def frame(socket: ClientConnection, seconds: float = 60) -> Any:
    return json.loads(socket.recv(timeout=seconds))


@pytest.mark.parametrize("kind", sorted(FRAMES))
def test_a_raw_stream_has_its_fields(lively: SimulatorProcess, kind: str) -> None:
    with market_stream(lively, f"/ws/btcusdt@{kind}") as socket:
        assert set(frame(socket)) == FRAMES[kind]


def test_a_combined_stream_names_each_frame(lively: SimulatorProcess) -> None:
    path = "/stream?streams=btcusdt@trade/ethusdt@bookTicker"
    with market_stream(lively, path) as socket:
        names = {frame(socket)["stream"] for _ in range(30)}
    assert names == {"btcusdt@trade", "ethusdt@bookTicker"}


def test_streams_come_and_go_by_message(lively: SimulatorProcess) -> None:
    with market_stream(lively, "/ws") as socket:
        socket.send('{"method":"SUBSCRIBE","params":["btcusdt@trade"],"id":1}')
        assert frame(socket) == {"result": None, "id": 1}
        assert frame(socket)["e"] == "trade"
        socket.send('{"method":"LIST_SUBSCRIPTIONS","id":2}')
        assert answer(socket, 2)["result"] == ["btcusdt@trade"]
        socket.send('{"method":"UNSUBSCRIBE","params":["btcusdt@trade"],"id":3}')
        assert answer(socket, 3)["result"] is None
        with pytest.raises(TimeoutError):
            socket.recv(timeout=0.5)


def answer(socket: ClientConnection, number: int) -> Any:
    while True:
        message = frame(socket)
        if message.get("id") == number:
            return message


def test_a_bad_request_is_answered_with_an_error(lively: SimulatorProcess) -> None:
    with market_stream(lively, "/ws") as socket:
        socket.send("rubbish")
        assert frame(socket)["error"]["code"] == 2
        socket.send('{"method":"DANCE","id":4}')
        assert frame(socket)["id"] == 4


def test_diffs_keep_a_local_book_equal_to_the_snapshot(lively: SimulatorProcess) -> None:
    client = VenueClient(lively)
    with market_stream(lively, "/ws/btcusdt@depth@100ms") as socket:
        first = frame(socket)
        snapshot = client.ask("depth", symbol="BTCUSDT", limit=1000).json
        while first["u"] < snapshot["lastUpdateId"]:
            first = frame(socket)
        assert first["U"] <= snapshot["lastUpdateId"] + 1
        book = {Decimal(price): Decimal(quantity) for price, quantity in snapshot["bids"]}
        last = first
        apply(book, first)
        for _ in range(10):
            update = frame(socket)
            assert update["U"] == last["u"] + 1
            apply(book, update)
            last = update
    assert len(book) == 20


def apply(book: dict[Decimal, Decimal], update: Any) -> None:
    for price, quantity in update["b"]:
        book[Decimal(price)] = Decimal(quantity)
    for price in [price for price, quantity in book.items() if not quantity]:
        del book[price]


def test_the_last_kline_of_a_second_is_closed(lively: SimulatorProcess) -> None:
    with market_stream(lively, "/ws/btcusdt@kline_1s") as socket:
        candles = [frame(socket)["k"] for _ in range(6)]
    assert True in {candle["x"] for candle in candles}


def test_mini_tickers_of_all_symbols(lively: SimulatorProcess) -> None:
    with market_stream(lively, "/ws/!miniTicker@arr") as socket:
        assert len(frame(socket)) > 15


def test_a_fill_of_ours_is_seen_by_everyone(lively: SimulatorProcess) -> None:
    client = VenueClient(lively)
    with market_stream(lively, "/ws/btcusdt@trade") as socket:
        trade_id = client.buy()["fills"][0]["tradeId"]
        assert trade_id in {frame(socket)["t"] for _ in range(20)}


def test_shutdown_is_announced(lively: SimulatorProcess) -> None:
    with market_stream(lively, "/ws/adausdt@avgPrice") as socket:
        frame(socket)
        lively.control("sockets", {"action": "shutdown", "target": "market"})
        assert "serverShutdown" in {frame(socket).get("e") for _ in range(3)}


def test_market_streams_can_fall_silent(lively: SimulatorProcess) -> None:
    with market_stream(lively, "/ws/btcusdt@bookTicker") as socket:
        frame(socket)
        lively.fault("stream_silence", target="market")
        assert falls_silent(socket)
    lively.control("faults", method="DELETE")


def falls_silent(socket: ClientConnection) -> bool:
    """Read what was still on its way, then find nothing more."""
    for _ in range(50):
        try:
            socket.recv(timeout=0.7)
        except TimeoutError:
            return True
    return False
