"""From a venue's streams onto NATS: every frame as it came, whatever NATS does meanwhile."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import nats
import pytest
from django.conf import settings

from exchanges.market_data import feed
from exchanges.market_data.bus import enveloped
from exchanges.market_data.feed import Feed
from exchanges.market_data.outbox import Outbox
from exchanges.market_data.publisher import Publisher
from exchanges.market_data.selection import Selection
from exchanges.venues import registry
from petrosa_site.stack import ports, servers
from tests.fakes.exchange import FakeExchange
from tests.fakes.scripted_market import ScriptedMarket, until
from tests.places import SIMULATOR

TOPIC = "tests.market"
Listen = Callable[[str], Awaitable[list[Any]]]
Follow = Callable[..., Feed]


@pytest.fixture
async def market() -> AsyncIterator[ScriptedMarket]:
    async with ScriptedMarket() as market:
        yield market


@pytest.fixture
async def listen() -> AsyncIterator[Listen]:
    client = await nats.connect(settings.NATS_URL)

    async def start(subject: str) -> list[Any]:
        heard: list[Any] = []

        async def note(message: Any) -> None:
            heard.append(message)

        await client.subscribe(subject, cb=note)
        await client.flush()
        return heard

    yield start
    await client.close()


@pytest.fixture
async def follow(market: ScriptedMarket) -> AsyncIterator[Follow]:
    running: list[tuple[Feed, asyncio.Task[None]]] = []

    def start(*symbols: str, nats_url: str = "", flat: bool = True, **outbox: int) -> Feed:
        publisher = Publisher(
            url=nats_url or settings.NATS_URL,
            topic=TOPIC,
            venue=SIMULATOR,
            flat=flat,
            outbox=Outbox(**outbox),
        )
        made = Feed(
            SIMULATOR,
            url=market.url,
            publisher=publisher,
            selected=Selection(intervals=("1m",)),
            first_wait_seconds=0.02,
        )
        made.want(symbols or ("BTCUSDT",))
        running.append((made, asyncio.create_task(made.run())))
        return made

    with registry.standing_in(SIMULATOR, FakeExchange()):
        yield start
        for made, _ in running:
            made.stop()
        await asyncio.wait_for(asyncio.gather(*(task for _, task in running)), 60)


async def trade(market: ScriptedMarket, number: int) -> None:
    await market.send("btcusdt@trade", e="trade", E=1, s="BTCUSDT", t=number, p="1", q="2", T=1)


async def test_a_frame_goes_to_its_symbol_and_to_the_plain_topic(market, follow, listen):
    sharded = await listen(f"{TOPIC}.binance.spot.simulator.BTCUSDT.>")
    plain = await listen(TOPIC)
    follow()
    await market.connected()
    data = b'{"e":"trade", "t":1, "p":"1.50", "E":5,"T":4,"s":"BTCUSDT"}'
    await market.send_raw('{"stream":"btcusdt@trade","data":' + data.decode() + "}")
    await until(lambda: sharded and plain)
    received_ms = json.loads(sharded[0].data)["received_ms"]
    assert sharded[0].subject == f"{TOPIC}.binance.spot.simulator.BTCUSDT.trade"
    assert sharded[0].data == plain[0].data == enveloped("btcusdt@trade", data, received_ms)


async def test_the_plain_topic_can_be_left_out(market, follow, listen):
    sharded, plain = await listen(f"{TOPIC}.>"), await listen(TOPIC)
    follow(flat=False)
    await market.connected()
    await trade(market, 1)
    await until(lambda: sharded)
    await asyncio.sleep(0.1)
    assert plain == []


async def test_what_two_lines_tell_is_published_once_and_in_order(market, follow, listen):
    heard = await listen(f"{TOPIC}.binance.spot.simulator.BTCUSDT.trade")
    follow()
    await market.connected()
    for number in (1, 2, 2, 1, 3):
        await trade(market, number)
    await until(lambda: len(heard) >= 3)
    await asyncio.sleep(0.1)
    assert [json.loads(message.data)["data"]["t"] for message in heard] == [1, 2, 3]


async def test_a_bus_that_comes_later_hears_the_trades_that_waited(market, follow, tmp_path: Path):
    port = ports.free_port()
    made = follow(nats_url=f"nats://127.0.0.1:{port}", most_cheap=2)
    assert made.publisher is not None
    await market.connected()
    for number in range(1, 6):
        await trade(market, number)
        await market.send("btcusdt@ticker", e="24hrTicker", E=number, s="BTCUSDT")
    box = made.publisher.outbox
    await until(lambda: len(box) == 7)
    assert (box.dropped["ticker"], box.lost) == (3, 0)
    server = servers.nats_server(tmp_path, port=port)
    await asyncio.to_thread(server.start)
    try:
        await until(lambda: len(box) == 0)
        assert made.publisher.is_connected
    finally:
        await asyncio.to_thread(server.stop)
    await until(lambda: not made.publisher.is_connected)


async def test_prices_flow_without_a_bus_and_the_feed_says_so(market, follow):
    from exchanges import quotes

    follow(nats_url=f"nats://127.0.0.1:{ports.free_port()}")
    await market.connected()
    await market.send_best("BTCUSDT", "9", "10")
    await until(lambda: quotes.known(SIMULATOR, ["BTCUSDT"]))
    await until(lambda: (life := feed.sign_of_life(SIMULATOR)) and life.bus_waiting == 1)
    life = feed.sign_of_life(SIMULATOR)
    assert life is not None
    assert (life.publishes, life.bus_is_live, life.bus_lost) == (True, False, 0)


async def test_an_unreadable_frame_costs_nobody_else_theirs(market, follow, listen):
    heard = await listen(f"{TOPIC}.>")
    follow()
    await market.connected()
    await market.send("btcusdt@trade", p="no number")
    await market.send("btcusdt@nothingOfOurs", t=1)
    await trade(market, 1)
    await until(lambda: heard)
    assert market.connections == 1
