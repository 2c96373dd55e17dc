"""USD-M market data: its own addresses, shapes and prices of its own."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from django.core.exceptions import ImproperlyConfigured

from exchanges import quotes
from exchanges.domain.venues import venue
from exchanges.market_data import feed as feeds
from exchanges.market_data.closed import CandleWriter, ClosedKline
from exchanges.market_data.feed import Feed
from exchanges.market_data.selection import Selection
from exchanges.venues import registry
from tests.fakes.scripted_market import ScriptedMarket, until
from tests.places import TESTNET, USDM

RECORDING = (
    Path(__file__).resolve().parents[4] / "shared/binance/data/hftbacktest/usdm/btcusdt_20240808.gz"
)
PUBLIC = ("bookTicker", "depth@100ms", "trade")


@pytest.fixture
async def market() -> AsyncIterator[ScriptedMarket]:
    async with ScriptedMarket() as market:
        yield market


class Snapshots:
    """A REST door that answers with the snapshot it is given."""

    def __init__(self) -> None:
        self.body: dict[str, Any] | None = None
        self.asked = 0

    async def answer(self, _request: web.Request) -> web.Response:
        self.asked += 1
        return web.json_response(self.body, status=200 if self.body else 503)


@pytest.fixture
async def snapshots(settings) -> AsyncIterator[Snapshots]:
    door, app = Snapshots(), web.Application()
    app.router.add_get("/fapi/v1/depth", door.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    settings.BINANCE_USDM_REST_URL = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield door
    await runner.cleanup()


async def running(made: Feed) -> asyncio.Task[None]:
    made.want(["BTCUSDT"])
    return asyncio.create_task(made.run())


async def ended(made: Feed, task: asyncio.Task[None]) -> None:
    made.stop()
    await asyncio.wait_for(task, 60)


async def test_a_future_has_a_price_of_its_own_with_the_venues_time(market):
    made = Feed(venue("testnet", "usdm"), url=market.url, selected=Selection(("bookTicker",)))
    task = await running(made)
    await market.connected()
    frame = {"e": "bookTicker", "u": 5, "s": "BTCUSDT", "b": "61800.20", "B": "2", "a": "61800.30"}
    await market.send("btcusdt@bookTicker", **frame, A="1", T=1723161256313, E=1723161256314, st=1)
    place = venue("testnet", "usdm")
    await until(lambda: quotes.known(place, ["BTCUSDT"]))
    assert quotes.known(place, ["BTCUSDT"])["BTCUSDT"].venue_at == datetime(
        2024, 8, 8, 23, 54, 16, 313_000, tzinfo=UTC
    )
    assert quotes.known(TESTNET, ["BTCUSDT"]) == {}
    await until(lambda: feeds.sign_of_life(venue("testnet", "usdm")))
    await ended(made, task)


async def test_a_closed_candle_says_which_market_it_is_of(market):
    stored: list[ClosedKline] = []
    writer = CandleWriter(stored.extend)
    writer.start()
    selected = Selection(("kline",), ("1m",))
    made = Feed(venue("testnet", "usdm"), url=market.url, selected=selected, candles=writer)
    task = await running(made)
    await market.connected()
    k = {"t": 60_000, "T": 119_999, "s": "BTCUSDT", "i": "1m", "o": "1", "c": "2", "h": "3"}
    k |= {"l": "1", "v": "5", "n": 2, "q": "9", "V": "1", "Q": "2", "B": "0"}
    for is_closed, at_ms in ((False, 119_000), (True, 120_010), (True, 120_010)):
        body = {"e": "kline", "E": at_ms, "s": "BTCUSDT", "k": k | {"x": is_closed}}
        await market.send("btcusdt@kline_1m", **body)
    await until(lambda: stored)
    await ended(made, task)
    writer.stop()
    assert [(one.venue.market, one.interval, one.candle.close) for one in stored] == [
        ("usdm", "1m", 2.0)
    ]


@pytest.mark.skipif(not RECORDING.exists(), reason="the recorded market data is not here")
async def test_the_recorded_stream_makes_a_book_without_a_gap(market, snapshots):
    made = Feed(USDM, url=market.url, selected=Selection(PUBLIC))
    task = await running(made)
    await market.connected()
    assert market.paths == ["/public/stream"]
    with gzip.open(RECORDING, "rt") as lines:
        for line in islice(lines, 6_000):
            frame = line.partition(" ")[2]
            if '"stream"' not in frame:
                snapshots.body = json.loads(frame)
                await until(lambda: made._synced and not made._synced.out_of_step())
                continue
            await market.send_raw(frame)
    synced = made._synced
    assert synced is not None
    assert synced.out_of_step() == []
    assert synced._books["BTCUSDT"].gaps == 0
    await until(lambda: quotes.known(USDM, ["BTCUSDT"]))
    await ended(made, task)


def test_where_there_are_no_futures_they_are_refused_by_name():
    with pytest.raises(ImproperlyConfigured, match="MARKET_DATA_MARKETS"):
        registry.stream_url(venue("simulator", "usdm"))
