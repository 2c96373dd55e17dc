"""Price sources: synthetic stays near its base, replay follows its recording."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchanges.venues.simulator import prices
from exchanges.venues.simulator.clock import Clock
from exchanges.venues.simulator.instruments import listings
from exchanges.venues.simulator.prices import UnknownPriceSource, open_source
from exchanges.venues.simulator.prices.base import CannotMovePrice
from exchanges.venues.simulator.process import SimulatorDidNotStart, SimulatorProcess
from tests.fakes.venue_client import VenueClient, now_ms

RECORDING = (
    Path(__file__).resolve().parents[4] / "shared/binance/data/hftbacktest/spot/btcusdt_20240808.gz"
)
HOUR = 3_600_000


class Listener:
    """A sink that remembers."""

    def __init__(self) -> None:
        self.books: dict[str, Any] = {}
        self.trades: list[tuple[str, Decimal]] = []

    def book(self, symbol: str, bids: Any, asks: Any) -> None:
        self.books[symbol] = (bids, asks)

    def trade(self, symbol: str, price: Decimal, quantity: Decimal, buyer_is_maker: bool) -> None:
        self.trades.append((symbol, price))

    def recorded_until(self, symbol: str, now_ms: int) -> None: ...

    def recorded(self, symbol: str, stream: str, data: dict[str, Any]) -> None: ...

    def is_heard(self) -> bool:
        return True

    def is_behind(self) -> bool:
        return False


def test_synthetic_prices_stay_within_about_a_percent() -> None:
    source = open_source("synthetic", listings(), Clock())
    now = now_ms()
    for symbol, listing in listings().items():
        for hour in range(0, 24 * 60, 7):
            candle = source.candle(symbol, now - hour * HOUR, now - (hour - 1) * HOUR, now)
            assert candle is not None
            slack = listing.start * Decimal("0.011") + 2 * listing.tick
            assert abs(candle.high - listing.start) < slack
            assert abs(candle.low - listing.start) < slack


def test_synthetic_prices_move() -> None:
    source = open_source("synthetic", listings(), Clock())
    now = now_ms()
    starts = [now - minute * 60_000 for minute in range(1, 30)]
    candles = [source.candle("BTCUSDT", start, start + 60_000, now) for start in starts]
    closes = {candle.close for candle in candles if candle is not None}
    assert len(closes) > 20


def test_the_same_seed_gives_the_same_prices() -> None:
    span = (now_ms() - HOUR, now_ms() - HOUR + 60_000, now_ms())
    one, two, three = (
        open_source(f"synthetic:seed={seed}", listings(), Clock()).candle("BTCUSDT", *span)
        for seed in (7, 7, 8)
    )
    assert one == two
    assert one != three


def test_every_symbol_has_a_book_with_a_tight_spread_at_once() -> None:
    heard = Listener()
    open_source("synthetic", listings(), Clock()).prime(heard)
    for symbol, (bids, asks) in heard.books.items():
        assert len(bids) == len(asks) == 20
        spread = (asks[0][0] - bids[0][0]) / listings()[symbol].tick
        assert spread in (1, 2)
        assert all(price % listings()[symbol].tick == 0 for price, _ in [*bids, *asks])
        assert all(quantity % listings()[symbol].step == 0 for _, quantity in [*bids, *asks])


def test_candles_join_without_gaps() -> None:
    source = open_source("synthetic", listings(), Clock())
    now = now_ms()
    start = (now // 60_000 - 10) * 60_000
    first = source.candle("BTCUSDT", start, start + 60_000, now)
    second = source.candle("BTCUSDT", start + 60_000, start + 120_000, now)
    assert first is not None
    assert second is not None
    assert first.close == second.open


def test_an_unknown_source_is_named_in_the_error() -> None:
    with pytest.raises(UnknownPriceSource, match="magic"):
        open_source("magic", listings(), Clock())


def test_a_recording_is_replayed(tmp_path: Path) -> None:
    lines = [
        '1000000000 {"stream":"btcusdt@bookTicker","data":{"u":1,"s":"BTCUSDT","b":"61000.00",'
        '"B":"1.0","a":"61000.01","A":"2.0"}}',
        '1000100000 {"stream":"btcusdt@trade","data":{"e":"trade","E":1,"s":"BTCUSDT","t":1,'
        '"p":"61000.01","q":"0.5","T":1,"m":false,"M":true}}',
        '1000200000 {"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1,"s":"BTCUSDT",'
        '"U":2,"u":3,"b":[["60999.00","3.0"]],"a":[["61000.01","0.0"],["61000.50","1.5"]]}}',
    ]
    path = tmp_path / "recording.gz"
    with gzip.open(path, "wt") as file:
        file.write("\n".join(lines))
    with SimulatorProcess(prices=f"replay:{path}?speed=10,after=1") as venue:
        client = VenueClient(venue)
        assert client.ask("ticker/price", symbol="BTCUSDT").json["price"] == "61000.01000000"
        book = client.ask("depth", symbol="BTCUSDT").json
        assert [row[0] for row in book["bids"]] == ["61000.00000000", "60999.00000000"]
        assert book["asks"][0] == ["61000.50000000", "1.50000000"]
        assert client.buy("0.1")["fills"][0]["price"] == "61000.50000000"


def test_jsonl_of_a_combined_stream_is_replayed(tmp_path: Path) -> None:
    frame = {"u": 1, "s": "ETHUSDT", "b": "2500.00", "B": "5", "a": "2500.10", "A": "5"}
    path = tmp_path / "recording.jsonl"
    path.write_text(json.dumps({"stream": "ethusdt@bookTicker", "data": frame}) + "\n")
    heard = Listener()
    open_source(f"replay:{path}", listings(), Clock()).prime(heard)
    assert heard.books["ETHUSDT"][0] == ((Decimal("2500.00"), Decimal(5)),)


@pytest.mark.skipif(not RECORDING.exists(), reason="the recorded market data is not here")
def test_a_real_recording_is_replayed() -> None:
    with SimulatorProcess(prices=f"replay:{RECORDING}?speed=100,after=1") as venue:
        client = VenueClient(venue)
        best = client.ask("ticker/bookTicker", symbol="BTCUSDT").json
        assert Decimal(55_000) < Decimal(best["bidPrice"]) < Decimal(best["askPrice"])
        assert client.buy("0.01")["status"] == "FILLED"


def test_a_replayed_price_cannot_be_set(tmp_path: Path) -> None:
    path = tmp_path / "one.jsonl"
    path.write_text('{"stream": "btcusdt@trade", "data": {}}')
    source = open_source(f"replay:{path}", listings(), Clock())
    with pytest.raises(CannotMovePrice):
        source.jump("BTCUSDT", Decimal(1), Listener())


def test_a_missing_recording_stops_the_start() -> None:
    with pytest.raises(SimulatorDidNotStart, match="nowhere"):
        SimulatorProcess(prices="replay:/nowhere/at/all.gz").start()


@pytest.mark.parametrize(
    ("name", "content"),
    [("empty.jsonl", b""), ("prices.parquet", b"PAR1\x00\x01"), ("cut.gz", b"\x1f\x8b\x08\x00")],
)
def test_a_file_that_is_no_recording_is_told_by_its_name(tmp_path: Path, name, content) -> None:
    (tmp_path / name).write_bytes(content)
    assert name in prices.problem(f"replay:{tmp_path / name}")


@pytest.mark.parametrize("name", ["replay:/nowhere/at/all", "tea leaves", "replay:"])
def test_prices_that_are_none_are_a_problem(name: str) -> None:
    assert name.partition(":")[2] in prices.problem(name)


@pytest.mark.parametrize("name", ["synthetic", "still", "synthetic:seed=7", "binance"])
def test_prices_there_are_no_problem_with(name: str) -> None:
    assert prices.problem(name) == ""
