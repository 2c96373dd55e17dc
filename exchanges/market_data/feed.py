"""The market feed of one venue's market: streams in; prices to Redis, frames to the bus, closed
candles to whoever stores them.

Prices are written a few dozen times a second at most, all in one round trip. Beside them stands a
sign of life that says what is fed and whether the lines are open, and the venue is asked a small
question now and then, so that everybody knows how long it takes to answer. None of the takers holds
up another: without NATS prices flow, without Redis frames are published.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec
import redis
import redis.asyncio
import structlog
from django.conf import settings

from exchanges import quotes
from exchanges.domain.errors import VenueError
from exchanges.domain.venues import Market, Venue
from exchanges.market_data import closed
from exchanges.market_data.ages import Ages
from exchanges.market_data.books import Books
from exchanges.market_data.bus import Kind, symbol_of
from exchanges.market_data.frames import Frame, Unreadable
from exchanges.market_data.numbers import Numbers
from exchanges.market_data.publisher import Publisher
from exchanges.market_data.selection import Selection
from exchanges.market_data.streams import MOST_STREAMS, MarketStreams
from exchanges.market_data.synced import SyncedBooks
from exchanges.venues import registry
from foundation import cancellation, metrics

log = structlog.get_logger(__name__)
WRITE_SECONDS = 0.025
LIFE_SECONDS = 2.0
LIFE_KEPT_SECONDS = 15
ASK_SECONDS = 5.0


class SignOfLife(msgspec.Struct):
    """What a feed says of itself every two seconds; gone fifteen seconds after its last word."""

    at: datetime
    pid: int
    is_live: bool
    symbols: list[str]
    streams: int = 0
    connections: int = 0
    publishes: bool = False  # whether frames are to go to the bus at all
    bus_is_live: bool = False
    bus_waiting: int = 0
    bus_lost: int = 0  # trades and closed candles, since the start
    candles_waiting: int = 0
    candles_lost: int = 0
    books_out_of_step: list[str] = msgspec.field(default_factory=list)
    lag_worst_ms: float | None = None


class Feed:
    """Feed `want`ed symbols of one market until `stop`."""

    def __init__(
        self,
        venue: Venue,
        *,
        url: str = "",
        redis_url: str = "",
        selected: Selection | None = None,
        publisher: Publisher | None = None,
        candles: closed.CandleWriter | None = None,
        most_streams: int = MOST_STREAMS,
        **streaming: float,
    ) -> None:
        """Frames are published by `publisher`, closed candles stored by `candles`, which whoever
        made it starts and stops; without them they are not."""
        self.venue = venue
        self.symbols: tuple[str, ...] = ()
        self.publisher = publisher
        self._selected = selected or Selection()
        self._candles = candles
        self._books = Books()
        self._numbers = Numbers()
        self._recorded: dict[str, int] = {}  # newest event time of symbols that are replayed
        self._ages = Ages(venue)
        self._names: list[str] = []
        self._redis = redis.asyncio.from_url(
            redis_url or settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1
        )
        self._streams = MarketStreams(
            venue=venue,
            url=url or registry.stream_url(venue),
            take=self._take,
            restarted=self._restarted,
            most_streams=most_streams,
            **streaming,
        )
        self._synced = (
            SyncedBooks(venue=venue, show=self._books.put) if self._selected.with_diffs else None
        )
        self._stopping = asyncio.Event()

    def want(self, symbols: Iterable[str]) -> None:
        self.symbols = tuple(sorted(set(symbols)))
        self._names = self._selected.names(self.symbols, self.venue.market)
        self._streams.want(self._names)
        self._ages.forget(frozenset(self.symbols))
        if self._synced:
            self._synced.keep(self.symbols)

    def stop(self) -> None:
        self._stopping.set()
        self._streams.stop()
        if self.publisher:
            self.publisher.stop()

    async def run(self) -> None:
        """Raise nothing that a new try could mend: without Redis prices are dropped, and told."""
        steps = [(WRITE_SECONDS, self.write), (LIFE_SECONDS, self._live)]
        if self.venue.market is Market.SPOT:
            steps.append((ASK_SECONDS, self._ask))
        try:
            async with asyncio.TaskGroup() as group:
                beside = [group.create_task(self._every(*step)) for step in steps]
                if self.publisher:
                    beside.append(group.create_task(self.publisher.run()))
                try:
                    await self._streams.run()
                finally:
                    await cancellation.ended(*beside)
        finally:
            if self._synced:
                await self._synced.close()
            await self._redis.aclose()

    async def write(self) -> None:
        """Share what has changed since the last time."""
        told = quotes.told(self.venue, self._books.drain())
        if told:
            await self._say(
                self._redis.eval(
                    quotes.KEEP_NEWEST, len(told), *told, quotes.KEPT_SECONDS, *told.values()
                )
            )

    def _take(self, frame: Frame) -> None:
        """Hand a frame to everybody who takes it; nobody here waits for anything."""
        if not self._numbers.is_news(frame):
            self._ages.note_other("late")
            return
        if frame.mark.is_foreign:
            self._ages.note_other("foreign")
            return
        self._ages.note(frame)
        self._date(frame)
        if self.publisher:
            self.publisher.put(frame)
        self._books.take(frame)
        if frame.stream.kind is Kind.DIFF and self._synced:
            self._synced.take(frame)
        elif frame.mark.is_closed and self._candles is not None:
            self._keep(frame, self._candles)

    def _date(self, frame: Frame) -> None:
        """Give a recording's frame without a time the newest time of its symbol's recording."""
        symbol = frame.stream.symbol
        if frame.is_recorded and frame.mark.event_ms is not None:
            self._recorded[symbol] = max(frame.mark.event_ms, self._recorded.get(symbol, 0))
        elif frame.mark.event_ms is None:
            frame.dated_ms = self._recorded.get(symbol)
        else:
            self._recorded.pop(symbol, None)  # a market again

    def _keep(self, frame: Frame, candles: closed.CandleWriter) -> None:
        try:
            told = closed.read(frame, venue=self.venue)
        except Unreadable as error:
            metrics.MARKET_MESSAGES.labels(*self.venue.labels, "unreadable").inc()
            log.error("closed_candle_unreadable", error=str(error))
            return
        candles.put(told)

    def _restarted(self, names: Iterable[str]) -> None:
        """A new line may be to a venue that began anew: expect any number next."""
        names = list(names)
        self._numbers.restart(names)
        self._books.restart({symbol_of(name) for name in names})

    async def _live(self) -> None:
        lag = self._ages.worst_ms()
        life = SignOfLife(
            datetime.now(UTC),
            os.getpid(),
            self._streams.is_live,
            list(self.symbols),
            streams=len(self._names),
            connections=self._streams.connections,
            lag_worst_ms=None if lag is None else round(lag, 1),
        )
        if self.publisher:
            life.publishes, life.bus_is_live = True, self.publisher.is_connected
            life.bus_waiting = len(self.publisher.outbox)
            life.bus_lost = self.publisher.outbox.lost
            self.publisher.tell()
        if self._candles is not None:
            life.candles_waiting, life.candles_lost = len(self._candles), self._candles.lost
            waiting = metrics.MARKET_QUEUE.labels(*self.venue.labels, "candles")
            waiting.set(len(self._candles))
        if self._synced:
            life.books_out_of_step = self._synced.out_of_step()
        self._ages.tell()
        raw = msgspec.json.encode(life)
        await self._say(self._redis.set(_key(self.venue), raw, ex=LIFE_KEPT_SECONDS))

    async def _ask(self) -> None:
        try:
            # In a thread of its own: whoever looks into the database need not wait for the venue.
            await asyncio.to_thread(lambda: registry.for_venue(self.venue).ping())
        except VenueError as error:
            log.warning("venue_not_answering", venue=str(self.venue), error=str(error))

    async def _say(self, words: Any) -> None:
        try:
            await words
        except (redis.RedisError, OSError) as error:
            metrics.ERRORS.labels("market_feed").inc()
            log.warning("feed_not_shared", venue=str(self.venue), error=str(error))

    async def _every(self, seconds: float, step: Callable[[], Awaitable[None]]) -> None:
        while not self._stopping.is_set():
            await step()
            await asyncio.sleep(seconds)


def sign_of_life(venue: Venue) -> SignOfLife | None:
    """Return what the feed of a market said last; None when that is too long ago, or Redis is
    away."""
    raw = quotes.raw(_key(venue))
    return msgspec.json.decode(raw, type=SignOfLife) if raw else None


def _key(venue: Venue) -> str:
    return f"petrosa:feed:{venue}"
