"""The market feed of one environment: streams in, newest prices out to every process.

Prices are written a few dozen times a second at most, all in one round trip. Beside them stands a
sign of life that says what is fed and whether the line is open, and the venue is asked a small
question now and then, so that everybody knows how long it takes to answer.
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

from audit import metrics
from exchanges import quotes
from exchanges.domain.errors import VenueError
from exchanges.gateways import registry
from exchanges.market_data import books
from exchanges.market_data.books import Books
from exchanges.market_data.streams import MarketStreams

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


class Feed:
    """Feed `want`ed symbols of one environment until `stop`."""

    def __init__(
        self, environment: str, *, url: str = "", redis_url: str = "", **streaming: float
    ) -> None:
        self.environment = environment
        self.symbols: tuple[str, ...] = ()
        self._books = Books()
        self._redis = redis.asyncio.from_url(
            redis_url or settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1
        )
        self._streams = MarketStreams(
            environment=environment,
            url=url or registry.spot_access(environment, "spot").stream_url,
            take=self._take,
            opened=self._books.restart,
            **streaming,
        )
        self._stopping = asyncio.Event()

    def want(self, symbols: Iterable[str]) -> None:
        self.symbols = tuple(sorted(set(symbols)))
        self._streams.want(books.streams_of(self.symbols))

    def stop(self) -> None:
        self._stopping.set()
        self._streams.stop()

    async def run(self) -> None:
        """Raise nothing that a new try could mend: without Redis prices are dropped, and told."""
        steps = (
            (WRITE_SECONDS, self.write),
            (LIFE_SECONDS, self._live),
            (ASK_SECONDS, self._ask),
        )
        try:
            async with asyncio.TaskGroup() as group:
                beside = [group.create_task(self._every(*step)) for step in steps]
                try:
                    await self._streams.run()
                finally:
                    for task in beside:
                        task.cancel()
        finally:
            await self._redis.aclose()

    async def write(self) -> None:
        """Share what has changed since the last time."""
        told = quotes.told(self.environment, self._books.drain())
        if told:
            await self._say(
                self._redis.eval(
                    quotes.KEEP_NEWEST, len(told), *told, quotes.KEPT_SECONDS, *told.values()
                )
            )

    def _take(self, name: str, data: dict[str, Any], received_at: datetime) -> None:
        kept = self._books.take(name, data, received_at)
        kind = name.partition("@")[2] if kept else "late"
        metrics.MARKET_MESSAGES.labels(self.environment, kind).inc()

    async def _live(self) -> None:
        life = SignOfLife(datetime.now(UTC), os.getpid(), self._streams.is_live, list(self.symbols))
        raw = msgspec.json.encode(life)
        await self._say(self._redis.set(_key(self.environment), raw, ex=LIFE_KEPT_SECONDS))

    async def _ask(self) -> None:
        try:
            # In a thread of its own: whoever looks into the database need not wait for the venue.
            await asyncio.to_thread(lambda: registry.for_venue(self.environment).ping())
        except VenueError as error:
            log.warning("venue_not_answering", environment=self.environment, error=str(error))

    async def _say(self, words: Any) -> None:
        try:
            await words
        except (redis.RedisError, OSError) as error:
            metrics.ERRORS.labels("market_feed").inc()
            log.warning("feed_not_shared", environment=self.environment, error=str(error))

    async def _every(self, seconds: float, step: Callable[[], Awaitable[None]]) -> None:
        while not self._stopping.is_set():
            await step()
            await asyncio.sleep(seconds)


def sign_of_life(environment: str) -> SignOfLife | None:
    """Return what the feed of an environment said last; None when that is too long ago, or Redis
    is away."""
    raw = quotes.raw(_key(environment))
    return msgspec.json.decode(raw, type=SignOfLife) if raw else None


def _key(environment: str) -> str:
    return f"petrosa:feed:{environment}"
