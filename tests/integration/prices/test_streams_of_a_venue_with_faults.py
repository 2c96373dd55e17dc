"""The feed on the real simulator: faults, renewals and whole books."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from exchanges import quotes
from exchanges.market_data import feed as feeds
from exchanges.market_data.bus import Kind
from exchanges.market_data.feed import Feed
from exchanges.market_data.frames import Frame
from exchanges.market_data.publisher import Publisher
from exchanges.market_data.selection import DIFF, Selection
from exchanges.market_data.streams import MarketStreams
from exchanges.market_data.synced import SyncedBooks
from exchanges.venues import registry
from exchanges.venues.simulator.process import SimulatorProcess
from tests.fakes.exchange import FakeExchange
from tests.fakes.scripted_market import until
from tests.places import SIMULATOR

KINDS = ("bookTicker", "depth20@100ms", DIFF, "trade", "aggTrade", "ticker", "kline")


@pytest.fixture(scope="module")
def venue() -> Iterator[SimulatorProcess]:
    with SimulatorProcess(prices="synthetic:interval_ms=20", faults=True) as venue:
        yield venue


@pytest.fixture
async def fed(venue: SimulatorProcess, settings: Any) -> AsyncIterator[Callable[..., Feed]]:
    settings.SIMULATOR_REST_URL = venue.base_url
    running: list[tuple[Feed, asyncio.Task[None]]] = []
    venue.control("reset", {})

    def start(*kinds: str, **streaming: Any) -> Feed:
        selected = Selection(kinds or KINDS, ("1s", "1m"))
        made = Feed(SIMULATOR, url=venue.stream_url, selected=selected, **streaming)
        made.want(["BTCUSDT"])
        running.append((made, asyncio.create_task(made.run())))
        return made

    with registry.standing_in(SIMULATOR, FakeExchange()):
        yield start
        for made, _ in running:
            made.stop()
        await asyncio.wait_for(asyncio.gather(*(task for _, task in running)), 60)


class Hearing(Publisher):
    """A publisher that keeps what it is to publish."""

    def __init__(self) -> None:
        super().__init__(url="nats://nowhere", topic="", venue=SIMULATOR)
        self.heard: list[Frame] = []

    def put(self, frame: Frame) -> None:
        self.heard.append(frame)

    async def run(self) -> None:
        return


def trade_ids(frames: list[Frame]) -> list[int]:
    return [int(f.data["t"]) for f in frames if f.stream.kind is Kind.TRADE]


async def hear(
    venue: SimulatorProcess, enough: Callable[[list[Frame]], bool], **streaming: Any
) -> list[Frame]:
    frames: list[Frame] = []
    names = Selection(KINDS, ("1s", "1m")).names(["BTCUSDT"])
    streams = MarketStreams(venue=SIMULATOR, url=venue.stream_url, take=frames.append, **streaming)
    streams.want(names)
    running = asyncio.create_task(streams.run())
    await until(lambda: enough(frames))
    streams.stop()
    await asyncio.wait_for(running, 60)
    return frames


async def test_every_kind_comes(venue):
    every = {
        Kind.BEST,
        Kind.DEPTH,
        Kind.DIFF,
        Kind.TRADE,
        Kind.AGG_TRADE,
        Kind.TICKER,
        Kind.KLINE,
    }
    await hear(venue, lambda frames: {frame.stream.kind for frame in frames} == every)


async def test_each_second_has_one_last_word(venue):
    frames = await hear(venue, lambda frames: len(closed_seconds(frames)) >= 3)
    closed = closed_seconds(frames)
    opened = [frame.data["k"]["t"] for frame in closed]
    assert opened == list(range(opened[0], opened[-1] + 1, 1000))
    lates = [(frame.mark.event_ms or 0) - frame.data["k"]["T"] for frame in closed]
    assert min(lates) < 500  # a busy machine may be late once


def closed_seconds(frames: list[Frame]) -> list[Frame]:
    return [frame for frame in frames if frame.stream.interval == "1s" and frame.mark.is_closed]


async def test_nothing_is_missed_while_one_line_takes_over_from_the_other(venue):
    venue.control("reset", {})
    # Two lines told what counts 2: dropping one is the taker's.
    overlap = 2
    frames = await hear(
        venue,
        lambda frames: list(Counter(trade_ids(frames)).values()).count(overlap) >= 5,
        lifetime_seconds=1.0,
    )
    told = Counter(trade_ids(frames))
    assert sorted(told) == list(range(min(told), max(told) + 1))
    assert max(told.values()) == overlap


async def test_a_book_kept_from_diffs_feeds_prices(venue, fed):
    fed(DIFF)
    await until(lambda: quotes.known(SIMULATOR, ["BTCUSDT"]))
    await until(lambda: (life := feeds.sign_of_life(SIMULATOR)) and not life.books_out_of_step)
    quote = quotes.known(SIMULATOR, ["BTCUSDT"])["BTCUSDT"]
    assert quote.bid < quote.ask
    assert quote.venue_at is not None


async def test_a_lost_diff_is_missed_and_the_book_built_anew(venue, settings):
    settings.SIMULATOR_REST_URL = venue.base_url
    shown: list[int] = []
    synced = SyncedBooks(venue=SIMULATOR, show=lambda _book, number: shown.append(number))
    synced.keep(["BTCUSDT"])

    def take(frame: Frame) -> None:
        if frame.stream.kind is Kind.DIFF:
            synced.take(frame)

    streams = MarketStreams(venue=SIMULATOR, url=venue.stream_url, take=take)
    streams.want([f"btcusdt@{DIFF}"])
    running = asyncio.create_task(streams.run())
    try:
        await until(lambda: len(shown) > 3)
        venue.fault("stream_drop", target="market", event="depthUpdate", count=1)
        await until(lambda: synced._books["BTCUSDT"].gaps == 1)
        seen = len(shown)
        await until(lambda: not synced.out_of_step() and len(shown) > seen)
        assert shown == sorted(shown)
    finally:
        streams.stop()
        await asyncio.wait_for(running, 60)
        await synced.close()


async def test_what_the_venue_tells_twice_is_taken_once(venue, fed):
    venue.fault("stream_duplicate", target="market", count=50)
    hearing = Hearing()
    fed("trade", publisher=hearing)
    await until(lambda: len(trade_ids(hearing.heard)) > 60)
    told = trade_ids(hearing.heard)
    assert len(told) == len(set(told))


async def test_a_silent_venue_is_given_up_and_prices_come_back(venue):
    frames: list[Frame] = []
    streams = MarketStreams(
        venue=SIMULATOR, url=venue.stream_url, take=frames.append, silence_seconds=0.4
    )
    streams.want(["btcusdt@bookTicker"])
    running = asyncio.create_task(streams.run())
    await until(lambda: frames)
    venue.fault("stream_silence", target="market", for_seconds=1.5)
    await asyncio.sleep(2)
    frames.clear()
    await until(lambda: frames)
    streams.stop()
    await asyncio.wait_for(running, 60)
