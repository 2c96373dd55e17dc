"""One connection's worth of market streams, kept alive: frames go to whoever takes them.

It knows nothing of what the frames say. What is wanted may change at any time (`want`). A line that
breaks or falls silent is followed by a new one with everything wanted on it; a line that grows old
or announces its end is followed by one that delivers before the old one is closed, so that nothing
is missed. Frames told by both are dropped by their numbers, which is for the taker to do.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import islice
from typing import Any

import structlog

from exchanges.domain.venues import Venue
from exchanges.market_data.bus import UnknownStream
from exchanges.market_data.frames import Frame, NoFrame, Reader, Unreadable
from exchanges.venues.shared.websocket import Line, Rests, StreamBroken
from foundation import metrics

log = structlog.get_logger(__name__)
LOOK_SECONDS = 0.25  # how soon a change of what is wanted, and a stop, are seen; 4 requests/s of 5
NAMES_AT_ONCE = 100
OVERLAP_SECONDS = 10.0  # a successor that brings nothing for so long is believed all the same
SETTLE_SECONDS = 2.0  # numbers of the old line hold so long after it is closed
PROBE = "probe"

Take = Callable[[Frame], None]
"""Takes a frame. Must be quick."""


class Strand:
    """One line and what is subscribed on it, read by a task of its own."""

    def __init__(self, line: Line, held: Iterable[str], sort: Callable[[Strand, bytes], None]):
        self.line = line
        self.held = set(held)
        self.opened_at = self.heard_at = time.monotonic()
        self.frames = 0
        self.is_probed = False
        self.says_goodbye = False
        self._requests = 0
        self._sort = sort
        self.reading = asyncio.create_task(self._read(), name="market strand")

    async def _read(self) -> None:
        while True:
            wire = await self.line.hear_bytes()
            self.heard_at, self.is_probed = time.monotonic(), False
            self._sort(self, wire)

    def check(self) -> None:
        """Raise StreamBroken when the line is of no further use."""
        if self.reading.done():
            self.reading.result()

    async def follow(self, wanted: frozenset[str]) -> None:
        """Subscribe to what is missing, or else unsubscribe what is not wanted: one request."""
        for method, names in (
            ("SUBSCRIBE", wanted - self.held),
            ("UNSUBSCRIBE", self.held - wanted),
        ):
            some = list(islice(sorted(names), NAMES_AT_ONCE))
            if some:
                self._requests += 1
                await self.line.say({"method": method, "params": some, "id": self._requests})
                self.held.symmetric_difference_update(some)
                return

    async def watch(self, silence: float) -> None:
        """Ask a line that is silent whether it still knows us; give up one that does not say."""
        silent = time.monotonic() - self.heard_at
        if silent > 2 * silence:
            raise StreamBroken(f"silent for {2 * silence:g} s")
        if silent > silence and not self.is_probed:
            self.is_probed = True
            await self.line.say({"method": "LIST_SUBSCRIPTIONS", "id": PROBE})

    async def close(self) -> None:
        self.reading.cancel()
        with suppress(asyncio.CancelledError, StreamBroken):
            await self.reading
        await self.line.close()


class Connection:
    """Run `run()`; say what is wanted with `want()`; end it with `stop()`.

    `silence_seconds`: without any frame for so long the venue is asked what we are subscribed to,
    and the line given up when that stays unanswered for as long again, or everything is missing.
    `lifetime_seconds`: a line is renewed before the venue cuts it at 24 hours.
    `restarted` hears of streams whose numbers may begin anew.
    """

    def __init__(
        self,
        *,
        venue: Venue,
        url: str,
        take: Take,
        restarted: Callable[[Iterable[str]], None] = lambda _names: None,
        silence_seconds: float = 10.0,
        lifetime_seconds: float = 23 * 3600.0,
        first_wait_seconds: float = 0.5,
        longest_wait_seconds: float = 60.0,
    ) -> None:
        self._venue = venue
        self._url = url
        self._take = take
        self._restarted = restarted
        self._silence = silence_seconds
        self._lifetime = lifetime_seconds
        self._stopping = asyncio.Event()
        self._rests = Rests(self._stopping, first=first_wait_seconds, longest=longest_wait_seconds)
        self._reader = Reader()
        self._wake = asyncio.Event()  # something ends: look now
        self._settling: list[asyncio.TimerHandle] = []
        self.wanted: frozenset[str] = frozenset()
        self.is_live = False

    def want(self, names: Iterable[str]) -> None:
        """Say which streams are wanted from now on, whatever is subscribed."""
        self.wanted = frozenset(names)

    def stop(self) -> None:
        self._stopping.set()
        self._wake.set()

    async def run(self) -> None:
        """Stream until `stop`."""
        while not self._stopping.is_set():
            if not self.wanted:
                await self._pause()
                continue
            started = time.monotonic()
            try:
                await self._hold()
            except StreamBroken as broken:
                self._rests.note_held(time.monotonic() - started)
                metrics.MARKET_RECONNECTS.labels(*self._venue.labels).inc()
                log.warning(
                    "market_stream_broken",
                    venue=str(self._venue),
                    reason=str(broken),
                    failures=self._rests.failures,
                )
                await self._rests.rest(broken.wait)

    async def _hold(self) -> None:
        """Keep one line after the other until the last one breaks, nothing is wanted, or `stop`."""
        for handle in self._settling:
            handle.cancel()
        self._restarted(self.wanted)  # a new line may be to a venue that began anew
        strand = await self._open()
        try:
            self.is_live = True
            while await self._stay(strand):
                strand = await self._succeed(strand)
        finally:
            self.is_live = False
            await strand.close()

    async def _stay(self, strand: Strand) -> bool:
        """Look after a line; return whether it needs a successor."""
        while not self._stopping.is_set() and self.wanted:
            await self._look_after(strand)
            if strand.says_goodbye or time.monotonic() - strand.opened_at >= self._lifetime:
                return True
            await self._pause()
        return False

    async def _look_after(self, strand: Strand) -> None:
        strand.check()
        await strand.follow(self.wanted)
        await strand.watch(self._silence)

    async def _succeed(self, old: Strand) -> Strand:
        """Return a line that delivers; the old one delivers until then, and breaks it if it ends
        before there is another."""
        try:
            new = await self._open()
        except StreamBroken as broken:
            log.warning("market_successor_failed", reason=str(broken))
            await self._rests.rest(broken.wait)
            return old
        try:
            until = time.monotonic() + OVERLAP_SECONDS
            while not (new.held >= self.wanted and new.frames) and time.monotonic() < until:
                await self._look_after(new)
                if self._stopping.is_set() or old.reading.done():
                    break
                await self._pause()
        except StreamBroken as broken:
            await new.close()
            log.warning("market_successor_failed", reason=str(broken))
            await self._rests.rest(broken.wait)
            return old
        except BaseException:
            await new.close()
            raise
        metrics.MARKET_RENEWALS.labels(*self._venue.labels).inc()
        await old.close()
        self._forget_numbers_soon(old.held)
        return new

    def _forget_numbers_soon(self, names: Iterable[str]) -> None:
        """A successor may be to a venue that began anew, but tells for a while what we know."""
        loop = asyncio.get_running_loop()
        self._settling = [loop.call_later(SETTLE_SECONDS, self._restarted, frozenset(names))]

    async def _open(self) -> Strand:
        first = sorted(self.wanted)[:NAMES_AT_ONCE]
        line = await Line.open(f"{self._url.rstrip('/')}/stream?streams={'/'.join(first)}")
        log.info("market_stream_open", venue=str(self._venue), streams=len(self.wanted))
        strand = Strand(line, first, self._sort)
        strand.reading.add_done_callback(lambda _: self._wake.set())
        return strand

    def _sort(self, strand: Strand, wire: bytes) -> None:
        try:
            said = self._reader.read(wire, time.time_ns() // 1000)
        except NoFrame as error:
            raise StreamBroken(f"a frame that is no object: {error}") from error
        except (Unreadable, UnknownStream) as error:
            metrics.MARKET_MESSAGES.labels(*self._venue.labels, "unreadable").inc()
            log.error("market_frame_unreadable", error=str(error))
            return
        if isinstance(said, Frame):
            strand.frames += 1
            self._take(said)
        else:
            self._heed(strand, said)

    def _heed(self, strand: Strand, said: dict[str, Any]) -> None:
        if said.get("e") == "serverShutdown":
            log.warning("market_stream_ends", venue=str(self._venue))
            strand.says_goodbye = True
            self._wake.set()
        elif said.get("error"):
            log.error("market_stream_request_refused", error=said["error"])
        elif said.get("id") == PROBE:
            missing = strand.held.difference(said.get("result") or ())
            if len(missing) == len(strand.held):  # a name nobody knows is never among them
                raise StreamBroken("the venue has dropped our subscriptions")
        elif "id" not in said:
            log.info("market_stream_unknown_frame", keys=sorted(said))

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await self._wake.wait()
        except TimeoutError:
            return
        if not self._stopping.is_set():
            self._wake.clear()
