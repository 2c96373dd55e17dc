"""From a venue's streams to prices that every process reads."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import redis
from django.conf import settings as django_settings

from exchanges import quotes
from exchanges.market_data import feed
from exchanges.market_data.feed import Feed
from exchanges.venues import registry
from tests.fakes.exchange import FakeExchange
from tests.fakes.scripted_market import ScriptedMarket, until
from tests.places import SIMULATOR

D = Decimal


@pytest.fixture
async def market() -> AsyncIterator[ScriptedMarket]:
    async with ScriptedMarket() as market:
        yield market


@pytest.fixture
async def follow(market: ScriptedMarket) -> AsyncIterator[Callable[..., Feed]]:
    running: list[tuple[Feed, asyncio.Task[None]]] = []

    def start(*symbols: str, **settings: Any) -> Feed:
        made = Feed(SIMULATOR, url=market.url, first_wait_seconds=0.02, **settings)
        made.want(symbols or ("BTCUSDT",))
        running.append((made, asyncio.create_task(made.run())))
        return made

    with registry.standing_in(SIMULATOR, FakeExchange()):
        yield start
        for made, _ in running:
            made.stop()
        await asyncio.wait_for(asyncio.gather(*(task for _, task in running)), 60)


def bid(symbol: str = "BTCUSDT") -> Decimal | None:
    quote = quotes.known(SIMULATOR, [symbol]).get(symbol)
    return quote.bid if quote else None


async def test_what_the_venue_streams_is_read_by_everybody(market, follow):
    follow()
    await market.connected()
    await market.send_best("BTCUSDT", "9", "10")
    await market.send_depth("BTCUSDT", ("10", "1"), ("11", "5"))
    await until(lambda: bid() == 9)
    venue = registry.for_venue(SIMULATOR)
    seen = quotes.with_book(SIMULATOR, "BTCUSDT", max_age=D(2))
    assert seen.book is not None
    assert seen.book.asks == ((D(10), D(1)), (D(11), D(5)))
    assert isinstance(venue, FakeExchange)
    assert venue.count("depth") == 0


async def test_it_follows_prices_over_a_broken_line(market, follow):
    follow()
    await market.connected()
    await market.send_best("BTCUSDT", "9", "10", number=500)
    await until(lambda: bid() == 9)
    market.drop()
    await market.connected(2)
    await market.send_best("BTCUSDT", "7", "8", number=1)
    await until(lambda: bid() == 7)


async def test_a_line_that_falls_silent_lets_the_age_grow(market, follow):
    follow()
    await market.connected()
    await market.send_best("BTCUSDT", "9", "10")
    await until(lambda: bid() == 9)
    await asyncio.sleep(0.3)
    age = quotes.ages(SIMULATOR, ["BTCUSDT"])["BTCUSDT"]
    assert age is not None
    assert age >= timedelta(seconds=0.3)


async def test_a_burst_leaves_the_newest(market, follow):
    follow()
    await market.connected()
    for number in range(1, 301):
        await market.send_best("BTCUSDT", str(number), "1000", number=number)
    await until(lambda: bid() == 300)


async def test_it_says_that_it_lives_and_what_it_feeds(market, follow):
    follow("BTCUSDT", "ETHUSDT")
    await until(lambda: feed.sign_of_life(SIMULATOR) is not None)
    life = feed.sign_of_life(SIMULATOR)
    assert life is not None
    assert life.symbols == ["BTCUSDT", "ETHUSDT"]
    await until(lambda: (told := feed.sign_of_life(SIMULATOR)) and told.is_live)


async def test_without_redis_it_goes_on_and_writes_when_redis_is_back(market, follow):
    """A port that refuses stands for a Redis that is away."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        away = f"redis://127.0.0.1:{taken.getsockname()[1]}/0"
        made = follow(redis_url=away)
        await market.connected()
        await market.send_best("BTCUSDT", "9", "10")
        await asyncio.sleep(0.1)
    assert bid() is None
    made._redis = redis.asyncio.from_url(django_settings.REDIS_URL)
    await market.send_best("BTCUSDT", "8", "10", number=2)
    await until(lambda: bid() == 8)


async def test_on_the_simulator_prices_come_by_themselves(simulator):
    made = Feed(SIMULATOR)
    made.want(["BTCUSDT", "ETHUSDT"])
    running = asyncio.create_task(made.run())
    try:
        await until(lambda: all(quotes.ages(SIMULATOR, made.symbols).values()))
        seen = quotes.with_book(SIMULATOR, "BTCUSDT", max_age=D(5))
        assert seen.book is not None
        assert len(seen.book.asks) == 20
    finally:
        made.stop()
        await asyncio.wait_for(running, 60)
