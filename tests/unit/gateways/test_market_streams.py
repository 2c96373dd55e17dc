"""The market streams stay subscribed to what is wanted, whatever becomes of a connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import pytest

from exchanges.domain.venues import Venue
from exchanges.market_data.frames import Frame
from exchanges.market_data.streams import MarketStreams
from petrosa_site.stack.ports import free_port
from tests.fakes.scripted_market import ScriptedMarket, until
from tests.places import TESTNET, USDM

BEST = "btcusdt@bookTicker"


class Taken:
    """Streams that run in the background, and what they brought."""

    def __init__(self, place: Venue = TESTNET, **settings: Any) -> None:
        self.frames: list[Frame] = []
        self.openings = 0
        self.streams = MarketStreams(
            venue=place,
            take=self.frames.append,
            restarted=self._opened,
            first_wait_seconds=0.02,
            **settings,
        )
        self.task = asyncio.create_task(self.streams.run())

    def _opened(self, _names: Iterable[str]) -> None:
        self.openings += 1

    def names(self) -> list[str]:
        return [frame.stream.name for frame in self.frames]


@pytest.fixture
async def venue() -> AsyncIterator[ScriptedMarket]:
    async with ScriptedMarket() as venue:
        yield venue


@pytest.fixture
async def follow(venue: ScriptedMarket) -> AsyncIterator[Callable[..., Taken]]:
    followed: list[Taken] = []

    def start(*names: str, **settings: Any) -> Taken:
        taken = Taken(**{"url": venue.url} | settings)
        taken.streams.want(names or (BEST,))
        followed.append(taken)
        return taken

    yield start
    for taken in followed:
        taken.streams.stop()
    await asyncio.wait_for(asyncio.gather(*(t.task for t in followed)), 60)


async def test_a_frame_comes_with_its_stream_and_the_moment_it_was_received(venue, follow):
    taken = follow()
    await venue.connected()
    before = datetime.now(UTC)
    await venue.send_best("BTCUSDT", "9", "10")
    await until(lambda: taken.frames)
    [frame] = taken.frames
    assert (frame.stream.name, frame.data["b"]) == (BEST, "9")
    assert before <= frame.received_at <= datetime.now(UTC)


async def test_everything_wanted_is_subscribed_however_much_it_is(venue, follow):
    names = [f"coin{number}usdt@bookTicker" for number in range(230)]
    follow(*names)
    await until(lambda: venue.subscribed == set(names))


async def test_nothing_wanted_is_no_connection(venue, follow):
    taken = follow()
    taken.streams.want([])
    await asyncio.sleep(0.05)
    assert venue.connections == 0


async def test_what_is_wanted_later_is_subscribed_on_the_same_line(venue, follow):
    taken = follow()
    await venue.connected()
    taken.streams.want([BEST, "ethusdt@bookTicker"])
    await until(lambda: venue.subscribed == {BEST, "ethusdt@bookTicker"})
    taken.streams.want(["ethusdt@bookTicker"])
    await until(lambda: venue.subscribed == {"ethusdt@bookTicker"})
    assert venue.connections == 1


async def test_a_cut_line_is_followed_by_a_new_one_with_everything_on_it(venue, follow):
    taken = follow()
    await venue.connected()
    taken.streams.want([BEST, "ethusdt@bookTicker"])
    await until(lambda: len(venue.subscribed) == 2)
    venue.drop()
    await venue.connected(2)
    assert venue.subscribed == {BEST, "ethusdt@bookTicker"}
    await until(lambda: taken.openings == 2)


@pytest.mark.parametrize(
    "notice",
    ['{"e":"serverShutdown","E":1}', '{"stream":"","data":{"e":"serverShutdown","E":1}}'],
)
async def test_a_venue_that_shuts_down_is_left_at_once(venue, follow, notice):
    follow()
    await venue.connected()
    await venue.send_raw(notice)
    await venue.connected(2)


async def test_rubbish_ends_the_line_and_not_the_streams(venue, follow):
    follow()
    await venue.connected()
    await venue.send_raw("rubbish")
    await venue.connected(2)


async def test_a_line_is_renewed_before_its_day_is_over(venue, follow):
    follow(lifetime_seconds=0.3)
    await venue.connected(2)


async def test_the_old_line_delivers_until_the_new_one_does(venue, follow):
    taken = follow(lifetime_seconds=0.5)
    await venue.connected(2)
    await venue.send_best_on(0, "BTCUSDT", "9", "10", number=1)
    await until(lambda: len(taken.frames) == 1)
    assert venue.open_lines == 2
    await venue.send_best_on(1, "BTCUSDT", "9", "10", number=2)
    await until(lambda: venue.open_lines == 1)
    assert taken.streams.is_live


async def test_a_successor_that_cannot_be_had_leaves_the_old_line_alone(venue, follow):
    taken = follow(lifetime_seconds=0.3)
    await venue.connected()
    venue.refuses = True
    await until(lambda: venue.refused >= 2)
    await venue.send_best("BTCUSDT", "9", "10")
    await until(lambda: taken.frames)
    assert taken.streams.is_live


async def test_more_names_than_a_line_carries_are_spread_over_several(venue, follow):
    names = [f"coin{number}usdt@bookTicker" for number in range(25)]
    taken = follow(*names, most_streams=10)
    await venue.connected(3)
    assert venue.asked == set(names)
    taken.streams.want(sorted(names)[:5])
    await until(lambda: taken.streams.connections == 1)


async def test_the_two_sorts_of_futures_streams_never_share_a_line(venue, follow):
    follow(BEST, "btcusdt@trade", "btcusdt@kline_1m", "btcusdt@ticker", place=USDM)
    await venue.connected(2)
    assert sorted(venue.paths) == ["/market/stream", "/public/stream"]
    assert venue.asked_on("/market/stream") == {"btcusdt@kline_1m", "btcusdt@ticker"}


async def test_a_quiet_market_keeps_its_line_as_long_as_the_venue_answers(venue, follow):
    follow(silence_seconds=0.2)
    await until(lambda: len(venue.requests) >= 2)
    assert venue.requests[0]["method"] == "LIST_SUBSCRIPTIONS"
    assert venue.connections == 1


async def test_a_line_that_answers_nothing_is_given_up(venue, follow):
    venue.is_mute = True
    follow(silence_seconds=0.2)
    await venue.connected(2)


async def test_a_venue_that_forgot_us_is_told_again(venue, follow):
    venue.forgets_subscriptions = True
    follow(silence_seconds=0.2)
    await venue.connected(2)


async def test_a_venue_that_is_away_is_tried_again(follow):
    taken = follow(url=f"ws://127.0.0.1:{free_port()}")
    await asyncio.sleep(0.1)
    assert not taken.streams.is_live
    assert not taken.task.done()
