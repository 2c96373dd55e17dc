"""Frames from core NATS: what is wanted is subscribed, what is too much is dropped and counted.

The library's queue for each subscription is the bound: when it is full the library drops the frame
and says so, and the connection itself is never held up.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from nats.errors import SlowConsumerError

from exchanges.domain.venues import Venue
from exchanges.market_data import bus
from exchanges.market_data.bus import Kind

log = structlog.get_logger(__name__)
MOST_WAITING = 20_000  # frames of one subscription
MOST_BYTES = 64 * 1024 * 1024
BREATH = 200  # frames between two turns of the event loop
CONNECT_SECONDS = 5.0
Wanted = tuple[str, Kind]
Take = Callable[[str, str, bytes], None]


class Intake:
    """One connection; `take` gets symbol, kind and bytes of each frame, a subject's in order."""

    def __init__(
        self, *, url: str, topic: str, venue: Venue, take: Take, name: str = "strategies"
    ) -> None:
        self.servers = [part.strip() for part in url.split(",") if part.strip()]
        self.topic = topic
        self.venue = venue
        self.take = take
        self.name = name
        self.dropped: Counter[str] = Counter()  # by kind
        self.heard_at: float | None = None  # of a clock that never jumps
        self._client: Client | None = None
        self._subscriptions: dict[Wanted, Subscription] = {}
        self._since_breath = 0

    @property
    def is_connected(self) -> bool:
        return self._client is not None and self._client.is_connected

    @property
    def age_seconds(self) -> float | None:
        """Seconds since the last frame, None before the first."""
        return None if self.heard_at is None else time.monotonic() - self.heard_at

    @property
    def waiting(self) -> int:
        return sum(one.pending_msgs for one in self._subscriptions.values())

    async def want(self, wanted: Iterable[Wanted]) -> None:
        """Subscribe to what is wanted and to nothing else. Raise OSError when NATS is away."""
        wished = set(wanted)
        client = await self._connected()
        try:
            for key in self._subscriptions.keys() - wished:
                await self._subscriptions.pop(key).unsubscribe()
            for key in sorted(wished - self._subscriptions.keys()):
                self._subscriptions[key] = await self._subscribed(client, *key)
        except NatsError as error:
            raise ConnectionError(str(error)) from error

    async def tell(self, subject: str, data: bytes) -> None:
        """Publish without a receipt; nothing when NATS is away."""
        if self._client is not None and self._client.is_connected:
            await self._client.publish(subject, data)

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()

    async def _subscribed(self, client: Client, symbol: str, kind: Kind) -> Subscription:
        word = str(kind)

        async def one(message: Msg) -> None:
            self.take(symbol, word, message.data)
            self.heard_at = time.monotonic()
            self._since_breath += 1
            if self._since_breath >= BREATH:
                self._since_breath = 0
                await asyncio.sleep(0)

        subject = bus.subject(self.topic, self.venue, symbol, kind)
        return await client.subscribe(
            subject, cb=one, pending_msgs_limit=MOST_WAITING, pending_bytes_limit=MOST_BYTES
        )

    async def _connected(self) -> Client:
        if self._client is None or self._client.is_closed:
            self._subscriptions.clear()
            self._client = await self._new_connection()
        return self._client

    async def _new_connection(self) -> Client:
        client = Client()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await client.connect(
                    self.servers,
                    name=self.name,
                    connect_timeout=2,
                    reconnect_time_wait=0.5,  # type: ignore[arg-type]  # any number of seconds
                    max_reconnect_attempts=-1,
                    ping_interval=10,
                    max_outstanding_pings=2,
                    error_cb=self._on_error,
                )
        except (NatsError, OSError, TimeoutError) as error:
            await client.close()
            raise ConnectionError(str(error) or type(error).__name__) from error
        return client

    async def _on_error(self, error: Exception) -> None:
        if isinstance(error, SlowConsumerError):
            kind = error.subject.rpartition(".")[2]
            self.dropped[kind] += 1
            if self.dropped[kind] % MOST_WAITING == 1:
                log.warning("frames_dropped", kind=kind, so_far=self.dropped[kind])
        else:
            log.debug("nats_error", error=str(error))
