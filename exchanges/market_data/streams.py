"""One connection to a venue's public market streams, kept alive: frames go to whoever takes them.

It knows nothing of what the frames say. What is wanted may change at any time (`want`); a
connection that breaks, falls silent, announces its end or grows old is followed by a new one with
everything wanted on it. The venue replays nothing, and need not: each frame is the whole state.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import structlog

from audit import metrics
from exchanges.gateways.lines import Line, Rests, StreamBroken

log = structlog.get_logger(__name__)
LOOK_SECONDS = 0.25  # how soon a change of what is wanted, and a stop, are seen; 4 requests/s of 5
MOST_STREAMS = 1024  # of one connection
NAMES_AT_ONCE = 100
PROBE = "probe"

Take = Callable[[str, dict[str, Any], datetime], None]
"""Takes a stream's name, the frame's data and when it was received. Must be quick."""


class MarketStreams:
    """Run `run()`; say what is wanted with `want()`; end it with `stop()`.

    `silence_seconds`: without any frame for so long the venue is asked what we are subscribed to,
    and the line given up when that stays unanswered for as long again, or something is missing.
    `lifetime_seconds`: a connection is renewed before the venue cuts it at 24 hours.
    """

    def __init__(
        self,
        *,
        environment: str,
        url: str,
        take: Take,
        opened: Callable[[], None] = lambda: None,
        silence_seconds: float = 10.0,
        lifetime_seconds: float = 23 * 3600.0,
        first_wait_seconds: float = 0.5,
        longest_wait_seconds: float = 60.0,
    ) -> None:
        self._environment = environment
        self._url = url
        self._take = take
        self._opened = opened
        self._silence = silence_seconds
        self._lifetime = lifetime_seconds
        self._stopping = asyncio.Event()
        self._rests = Rests(self._stopping, first=first_wait_seconds, longest=longest_wait_seconds)
        self._wanted: frozenset[str] = frozenset()
        self._held: set[str] = set()
        self._requests = 0
        self.is_live = False

    def want(self, names: Iterable[str]) -> None:
        """Say which streams are wanted from now on, whatever is subscribed."""
        wanted = sorted(set(names))
        if len(wanted) > MOST_STREAMS:
            log.error("too_many_streams", wanted=len(wanted), most=MOST_STREAMS)
        self._wanted = frozenset(wanted[:MOST_STREAMS])

    def stop(self) -> None:
        self._stopping.set()

    async def run(self) -> None:
        """Stream until `stop`."""
        while not self._stopping.is_set():
            if not self._wanted:
                await self._pause()
                continue
            started = time.monotonic()
            try:
                await self._one_connection()
            except StreamBroken as broken:
                self._rests.note_held(time.monotonic() - started)
                metrics.MARKET_RECONNECTS.labels(self._environment).inc()
                log.warning(
                    "market_stream_broken",
                    environment=self._environment,
                    reason=str(broken),
                    failures=self._rests.failures,
                )
                await self._rests.rest(broken.wait)

    async def _one_connection(self) -> None:
        first = sorted(self._wanted)[:NAMES_AT_ONCE]
        line = await Line.open(f"{self._url.rstrip('/')}/stream?streams={'/'.join(first)}")
        self._held = set(first)
        try:
            self._opened()
            self.is_live = True
            log.info("market_stream_open", environment=self._environment, streams=len(self._wanted))
            await self._read_on(line)
        finally:
            self.is_live = False
            await line.close()

    async def _read_on(self, line: Line) -> None:
        now = time.monotonic
        ends_at, heard_at, looked_at, probed = now() + self._lifetime, now(), now(), False
        while not self._stopping.is_set():
            if now() >= ends_at:
                raise StreamBroken("renewed before the venue's 24 hours")
            if now() - looked_at >= LOOK_SECONDS:
                looked_at = now()
                await self._follow_wishes(line)
            message = await line.hear(LOOK_SECONDS)
            if message is not None:
                heard_at, probed = now(), False
                self._sort(message)
            elif now() - heard_at > 2 * self._silence:
                raise StreamBroken(f"silent for {2 * self._silence:g} s")
            elif now() - heard_at > self._silence and not probed:
                probed = True
                await line.say({"method": "LIST_SUBSCRIPTIONS", "id": PROBE})

    def _sort(self, message: dict[str, Any]) -> None:
        name, data = message.get("stream"), message.get("data")
        said = data if isinstance(data, dict) else message
        if said.get("e") == "serverShutdown":
            raise StreamBroken("the venue says serverShutdown")
        if name is not None and said is data:
            self._take(str(name), said, datetime.now(UTC))
        elif message.get("error"):
            log.error("market_stream_request_refused", error=message["error"])
        elif message.get("id") == PROBE:
            missing = self._held.difference(message.get("result") or ())
            if len(missing) == len(self._held):  # a name nobody knows is never among them
                raise StreamBroken("the venue has dropped our subscriptions")
        elif "id" not in message:
            log.info("market_stream_unknown_frame", keys=sorted(message))

    async def _follow_wishes(self, line: Line) -> None:
        """Subscribe to what is missing, or else unsubscribe what is not wanted: one request."""
        for method, names in (
            ("SUBSCRIBE", self._wanted - self._held),
            ("UNSUBSCRIBE", self._held - self._wanted),
        ):
            some = list(islice(sorted(names), NAMES_AT_ONCE))
            if some:
                self._requests += 1
                await line.say({"method": method, "params": some, "id": self._requests})
                self._held.symmetric_difference_update(some)
                return

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await self._stopping.wait()
        except TimeoutError:
            return
