"""Frames onto core NATS: each on the subject of its symbol, and on the bare topic for plain
consumers.

Whoever puts frames here never waits. NATS that is slow or away makes the outbox grow, and the
outbox knows what to leave behind. A batch the server has not acknowledged is told again on the next
connection: at such a moment consumers may hear frames twice, which their numbers tell. A consumer
that is away hears nothing of what was said meanwhile: that is core NATS.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress

import structlog
from nats.aio.client import Client
from nats.errors import Error as NatsError

from exchanges.domain.venues import Venue
from exchanges.market_data import bus
from exchanges.market_data.frames import Frame
from exchanges.market_data.outbox import Outbox
from foundation import metrics

log = structlog.get_logger(__name__)
BATCH = 256
FLUSH_SECONDS = 2.0
CONNECT_SECONDS = 3
FIRST_WAIT_SECONDS = 0.2
LONGEST_WAIT_SECONDS = 10.0
PENDING_BYTES = 4 * 1024 * 1024
_BROKEN = (NatsError, OSError, asyncio.TimeoutError)


class Publisher:
    """Run `run()` beside the streams; `put` frames; `stop()` lets go of what is left."""

    def __init__(
        self,
        *,
        url: str,
        topic: str,
        venue: Venue,
        flat: bool = True,
        outbox: Outbox | None = None,
    ) -> None:
        """`url` may be a comma list; `flat` adds every message on the bare topic."""
        self.outbox = Outbox() if outbox is None else outbox
        self.published = 0
        self._servers = [part.strip() for part in url.split(",") if part.strip()]
        self._topic = topic
        self._venue = venue
        self._flat = flat
        self._client: Client | None = None
        self._subjects: dict[str, str] = {}
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()
        self._told_lost = 0

    @property
    def is_connected(self) -> bool:
        return self._client is not None and self._client.is_connected

    def put(self, frame: Frame) -> None:
        self.outbox.put(frame)
        self._wake.set()

    def stop(self) -> None:
        self._stopping.set()
        self._wake.set()

    async def run(self) -> None:
        """Publish until `stop`; what a broken connection had not taken is tried on the next."""
        failures = 0
        while not self._stopping.is_set():
            try:
                await self._connect(self._servers[failures % len(self._servers)])
                failures = 0
                await self._publish_on()
            except _BROKEN as error:
                failures += 1
                metrics.ERRORS.labels("market_bus").inc()
                log.warning("market_bus_away", error=repr(error), waiting=len(self.outbox))
                await self._rest(failures)
            finally:
                await self._close()

    async def _connect(self, server: str) -> None:
        client = Client()
        self._client = client
        await client.connect(
            servers=[server],
            name="petrosa market",
            connect_timeout=CONNECT_SECONDS,
            # A connection that breaks is one of ours to replace: frames then stay in our outbox,
            # not in a buffer that knows nothing of what may be dropped.
            allow_reconnect=False,
            pending_size=PENDING_BYTES,
            ping_interval=10,
            max_outstanding_pings=2,
            error_cb=self._note,
        )

    async def _publish_on(self) -> None:
        client = self._client
        assert client is not None
        while not self._stopping.is_set():
            if not client.is_connected:
                raise ConnectionError("the connection to NATS is closed")
            batch = self.outbox.take(BATCH)
            if not batch:
                await self._nothing_to_do()
                continue
            try:
                for frame in batch:
                    await self._publish(client, frame)
                await client.flush(FLUSH_SECONDS)  # type: ignore[arg-type]
            except BaseException:
                self.outbox.put_back(batch)
                raise
            self.published += len(batch)

    async def _nothing_to_do(self) -> None:
        self._wake.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(1.0):  # a lost connection is seen without traffic, too
                await self._wake.wait()

    async def _publish(self, client: Client, frame: Frame) -> None:
        message = frame.envelope()
        await client.publish(self._subject(frame), message)
        if self._flat:
            await client.publish(self._topic, message)

    def _subject(self, frame: Frame) -> str:
        stream = frame.stream
        known = self._subjects.get(stream.name)
        if known is None:
            known = bus.subject(self._topic, self._venue, stream.symbol, stream.kind)
            self._subjects[stream.name] = known
        return known

    async def _note(self, error: Exception) -> None:
        log.info("market_bus_trouble", error=repr(error))

    async def _rest(self, failures: int) -> None:
        longest = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2.0 ** min(failures, 20))
        with suppress(TimeoutError):
            async with asyncio.timeout(longest * random.uniform(0.5, 1.0)):
                await self._stopping.wait()

    async def _close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with suppress(*_BROKEN):
                async with asyncio.timeout(FLUSH_SECONDS):
                    await client.close()

    def tell(self) -> None:
        """Bring the counters to the metrics; call it now and then."""
        dropped, self.outbox.dropped = self.outbox.dropped, type(self.outbox.dropped)()
        for kind, count in dropped.items():
            metrics.MARKET_DROPPED.labels(*self._venue.labels, str(kind)).inc(count)
        if self.outbox.lost > self._told_lost:
            metrics.ERRORS.labels("market_bus_lost").inc(self.outbox.lost - self._told_lost)
            log.error("market_frames_lost", count=self.outbox.lost - self._told_lost)
            self._told_lost = self.outbox.lost
        elif dropped:
            log.warning("market_frames_dropped", **{str(k): n for k, n in dropped.items()})
        published, self.published = self.published, 0
        metrics.MARKET_PUBLISHED.labels(*self._venue.labels).inc(published)
        metrics.MARKET_QUEUE.labels(*self._venue.labels, "nats").set(len(self.outbox))
