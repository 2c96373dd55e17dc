"""A replayed recording: every listener hears the same frames, at whatever pace."""

from __future__ import annotations

import asyncio
import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect

from exchanges.venues.simulator.process import SimulatorProcess
from tests.fakes.venue_client import VenueClient

RECORDINGS = Path(__file__).resolve().parents[4] / "shared/binance/data/hftbacktest/spot"
KINDS = ("bookTicker", "depth20@100ms", "depth@100ms", "trade", "aggTrade", "ticker", "kline_1m")
NAMES = "/".join(f"btcusdt@{kind}" for kind in KINDS)
MINUTE = 60_000
START = 1_723_161_600_000


def trade(number: int, at_ms: int, price: str) -> str:
    data = {"e": "trade", "E": at_ms + 1, "s": "BTCUSDT", "t": number, "p": price, "q": "0.5"}
    data |= {"T": at_ms, "m": number % 2 == 0, "M": True}
    return line(at_ms, "btcusdt@trade", data)


def best(number: int, at_ms: int, bid: str) -> str:
    data = {"u": number, "s": "BTCUSDT", "b": bid, "B": "1", "a": "70000.00", "A": "1"}
    return line(at_ms, "btcusdt@bookTicker", data)


def line(at_ms: int, stream: str, data: dict[str, Any]) -> str:
    return f"{at_ms * 1_000_000} " + json.dumps({"stream": stream, "data": data})


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Three minutes: a best price and a trade every half second, in two files."""
    lines: list[str] = []
    for number in range(360):
        at_ms = START + number * 500
        lines += [best(number + 1, at_ms, f"{60_000 + number}.00")]
        lines += [trade(number + 1, at_ms + 7, f"{60_000 + number}.50")]
    for name, part in (("one.gz", lines[:300]), ("two.gz", lines[300:])):
        with gzip.open(tmp_path / name, "wt") as file:
            file.write("\n".join(part) + "\n")
    return tmp_path


def told(prices: str, *, and_meanwhile: Any = None) -> list[bytes]:
    async def hear(url: str) -> list[bytes]:
        heard: list[bytes] = []
        async with connect(f"{url}/stream?streams={NAMES}", max_queue=4096, proxy=None) as line:
            if and_meanwhile:
                await asyncio.to_thread(and_meanwhile)
            while True:
                try:
                    heard.append(await asyncio.wait_for(line.recv(decode=False), 3))
                except TimeoutError:
                    return heard

    with SimulatorProcess(prices=prices) as venue:
        if and_meanwhile:
            order = and_meanwhile
            and_meanwhile = lambda: order(VenueClient(venue))  # noqa: E731
        return asyncio.run(hear(venue.stream_url))


def of(frames: list[bytes], kind: str) -> list[dict[str, Any]]:
    read = (json.loads(frame) for frame in frames)
    return [frame["data"] for frame in read if frame["stream"] == f"btcusdt@{kind}"]


def test_two_runs_tell_the_same_at_different_paces(recording: Path) -> None:
    first = told(f"replay:{recording}?speed=0,after=0.5")
    assert first == told(f"replay:{recording}/one.gz,{recording}/two.gz?speed=200,after=0.5")
    assert len(of(first, "trade")) == 360


def test_what_was_recorded_is_told_word_for_word(recording: Path) -> None:
    frames = told(f"replay:{recording}?speed=0,after=0.5")
    assert of(frames, "trade")[10] == {
        "e": "trade",
        "E": START + 5_008,
        "s": "BTCUSDT",
        "t": 11,
        "p": "60010.50",
        "q": "0.5",
        "T": START + 5_007,
        "m": False,
        "M": True,
    }
    assert [frame["u"] for frame in of(frames, "bookTicker")] == list(range(1, 361))


def test_a_candle_has_one_last_word_and_it_is_right(recording: Path) -> None:
    frames = told(f"replay:{recording}?speed=0,after=0.5")
    closed = [frame["k"] for frame in of(frames, "kline_1m") if frame["k"]["x"]]
    assert [k["t"] for k in closed] == [START, START + MINUTE]
    assert [k["n"] for k in closed] == [120, 120]
    assert [(Decimal(k["o"]), Decimal(k["c"])) for k in closed] == [
        (Decimal("60000.5"), Decimal("60119.5")),
        (Decimal("60120.5"), Decimal("60239.5")),
    ]


def test_our_own_orders_leave_no_mark_on_a_recording(recording: Path) -> None:
    def trade_on(client: VenueClient) -> None:
        assert client.buy("0.1")["status"] == "FILLED"

    undisturbed = told(f"replay:{recording}?speed=0,after=1")
    assert told(f"replay:{recording}?speed=0,after=1", and_meanwhile=trade_on) == undisturbed


def test_a_replayed_symbol_lives_in_the_time_of_its_recording(recording: Path) -> None:
    with SimulatorProcess(prices=f"replay:{recording}?speed=0,after=0") as venue:

        async def listen() -> None:
            address = f"{venue.stream_url}/stream?streams=btcusdt@trade"
            async with connect(address, proxy=None) as line:
                for _ in range(360):
                    await line.recv()

        asyncio.run(listen())
        rows = VenueClient(venue).ask("klines", symbol="BTCUSDT", interval="1m").json
        assert [row[0] for row in rows] == [START, START + MINUTE, START + 2 * MINUTE]


def test_a_replay_that_waits_still_tells_of_all_symbols(recording: Path) -> None:
    with SimulatorProcess(prices=f"replay:{recording}?after=60") as venue:

        async def listen() -> Any:
            async with connect(f"{venue.stream_url}/stream?streams=!miniTicker@arr") as line:
                return json.loads(await asyncio.wait_for(line.recv(), 60))

        assert "BTCUSDT" in {row["s"] for row in asyncio.run(listen())["data"]}


def test_a_speed_may_stand_behind_the_file(recording: Path) -> None:
    from exchanges.venues.simulator.prices import recordings

    assert recordings(f"{recording}/one.gz@30") == (f"{recording}/one.gz", {"speed": 30.0})
    assert recordings("a@b.gz,c.gz") == ("a@b.gz,c.gz", {})


@pytest.mark.slow  # twenty thousand trades, twice
@pytest.mark.skipif(not RECORDINGS.exists(), reason="the recorded market data is not here")
def test_the_real_recording_is_told_the_same_every_time() -> None:
    files = f"{RECORDINGS}/btcusdt_20240808.gz,{RECORDINGS}/btcusdt_20240809.gz"
    first = told(f"replay:{files}?speed=0,after=0.5")
    assert len(of(first, "trade")) == 19_904
    assert first == told(f"replay:{files}?speed=0,after=0.5")
