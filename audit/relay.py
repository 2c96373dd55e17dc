"""Live news for this web process: one Redis subscription, fanned out to every open socket.

A socket that cannot keep up loses the oldest news and is told to read the snapshot again; so is
everybody after Redis was away. The database stays the truth, this is only the wake-up call.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import orjson
import redis.asyncio as redis
import structlog
from django.conf import settings
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from audit import live

log = structlog.get_logger(__name__)
MAILBOX_SIZE = 500
ASK_AFTER_SILENCE_SECONDS = 5.0  # then a ping goes out
GONE_AFTER_SILENCE_SECONDS = 12.0  # no answer to it either: the connection is dead
TRY_AGAIN_AFTER_SECONDS = 1.0


class _Silent(Exception):
    """Redis neither spoke nor answered a ping."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one socket is to be sent: events as JSON texts, oldest first.

    `is_live` is None while it has not changed; `must_resync` asks for the snapshot to be read anew.
    """

    events: tuple[str, ...] = ()
    is_live: bool | None = None
    must_resync: bool = False


class Mailbox:
    """What waits for one socket, bounded: the oldest events give way and the loss is remembered."""

    def __init__(self, *, is_live: bool, size: int = MAILBOX_SIZE) -> None:
        self._events: deque[str] = deque(maxlen=size)
        self._is_live: bool | None = is_live
        self._must_resync = False
        self._something = asyncio.Event()
        self._something.set()

    def put(self, events: Sequence[str]) -> None:
        room = (self._events.maxlen or 0) - len(self._events)
        self._must_resync = self._must_resync or len(events) > room
        self._events.extend(events)
        self._something.set()

    def tell(self, *, is_live: bool) -> None:
        """Say that news flows or does not; after a gap the snapshot must be read again."""
        self._is_live = is_live
        self._must_resync = self._must_resync or is_live
        self._something.set()

    async def take(self, *, timeout: float) -> Delivery | None:
        """Wait for something to send and empty the box; None when nothing came in `timeout` s."""
        try:
            async with asyncio.timeout(timeout):
                await self._something.wait()
        except TimeoutError:
            return None
        delivery = Delivery(tuple(self._events), self._is_live, self._must_resync)
        self._events.clear()
        self._is_live = None
        self._must_resync = False
        self._something.clear()
        return delivery


class Relay:
    """The subscription of one event loop. It runs while at least one mailbox is open."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_live = False
        self._mailboxes: set[Mailbox] = set()
        self._task: asyncio.Task[None] | None = None

    @contextmanager
    def mailbox(self) -> Iterator[Mailbox]:
        """Open a mailbox for the duration of the block."""
        box = Mailbox(is_live=self.is_live)
        self._mailboxes.add(box)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())
        try:
            yield box
        finally:
            self._mailboxes.discard(box)
            if not self._mailboxes and self._task is not None:
                self._task.cancel()
                self._task = None
                self.is_live = False

    async def _run(self) -> None:
        while True:
            try:
                async with self._subscription() as subscription:
                    self._tell(is_live=True)
                    await self._pass_on(subscription)
            except (RedisError, OSError, _Silent) as error:
                if self.is_live:
                    log.warning("live_news_interrupted", error=str(error))
                self._tell(is_live=False)
                await asyncio.sleep(TRY_AGAIN_AFTER_SECONDS)

    @asynccontextmanager
    async def _subscription(self) -> AsyncIterator[PubSub]:
        client = redis.Redis.from_url(
            self.url,
            socket_connect_timeout=2,
            socket_timeout=None,  # silence is normal here; `_pass_on` asks when it lasts
            health_check_interval=0,
            # A silent reconnect inside the client would hide a gap in the news.
            retry=Retry(NoBackoff(), 0),
        )
        subscription = client.pubsub(ignore_subscribe_messages=True)
        try:
            await subscription.subscribe(live.CHANNEL)
            yield subscription
        finally:
            with suppress(RedisError, OSError):
                await subscription.aclose()  # type: ignore[no-untyped-call]
            with suppress(RedisError, OSError):
                await client.aclose()

    async def _pass_on(self, subscription: PubSub) -> None:
        loop = asyncio.get_running_loop()
        heard_at = loop.time()
        while True:
            message = await subscription.get_message(timeout=ASK_AFTER_SILENCE_SECONDS)
            if message is not None:
                heard_at = loop.time()
                if message["type"] == "message":
                    self._deliver(message["data"])
            elif loop.time() - heard_at > GONE_AFTER_SILENCE_SECONDS:
                raise _Silent(f"nothing heard for {GONE_AFTER_SILENCE_SECONDS:.0f} s")
            elif loop.time() - heard_at >= ASK_AFTER_SILENCE_SECONDS:
                await subscription.ping()

    def _deliver(self, data: bytes) -> None:
        try:
            events = [orjson.dumps(event).decode() for event in orjson.loads(data)]
        except (orjson.JSONDecodeError, TypeError) as error:
            log.error("live_news_unreadable", error=str(error))
            return
        for box in self._mailboxes:
            box.put(events)

    def _tell(self, *, is_live: bool) -> None:
        if self.is_live == is_live:
            return
        self.is_live = is_live
        for box in self._mailboxes:
            box.tell(is_live=is_live)


_relays: WeakKeyDictionary[asyncio.AbstractEventLoop, Relay] = WeakKeyDictionary()


def of_this_loop() -> Relay:
    """Return the relay of the running event loop: a web process has one loop, so one relay."""
    loop = asyncio.get_running_loop()
    if loop not in _relays:
        _relays[loop] = Relay(settings.REDIS_URL)
    return _relays[loop]
