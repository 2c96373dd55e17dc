"""Move signals from the bus into the database: fetch, store, acknowledge, enqueue.

A message is acknowledged only after the commit that holds it, so a crash anywhere means it comes
again, and storing twice is a no-op. While the database is away messages are held and told "still
working"; none is refused, none is dropped.

Exits go first: many messages are held in hand, those that look like an exit are stored and
enqueued before the next batch of the others, so that a close does not wait behind the thousand
entries that came before it.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Protocol, TypeVar

import structlog
from django.db import InterfaceError, OperationalError

from signals_app.gateways.nats import BusUnavailable, InboundMessage
from signals_app.payload import wire
from signals_app.services.intake import Inbound, Stored

log = structlog.get_logger(__name__)

SOURCE = "nats"
BATCH = 100
HELD_IN_HAND = 1000
NO_WAIT_SECONDS = 0.001
BACKLOG_WAIT_SECONDS = 0.01
WAITING = "received"  # the status of a stored signal nobody has acted on
MAX_TRIES = 20  # deliveries of a message the database refuses, before it is set aside
WEDGED_AFTER_SECONDS = 30.0
BROKER_REST_SECONDS = 5.0  # after a failed enqueue: each try blocks for seconds of its own
_OUTAGES = (OperationalError, InterfaceError)
_PLAIN_ID = re.compile(r"[\x21-\x7e]{1,150}")

A = TypeVar("A")
R = TypeVar("R")


class Bus(Protocol):
    """What the listener needs of the signal bus."""

    ack_wait: float

    @property
    def is_connected(self) -> bool: ...

    async def fetch(self, batch: int = ..., timeout: float = ...) -> list[InboundMessage]: ...

    async def bury(self, message: InboundMessage, reason: str) -> None: ...

    async def close(self) -> None: ...


class Listener:
    """One loop over one bus. `store` and `enqueue` are blocking and run in one thread of their own.

    `store` takes inbounds and returns what became of each, in order; `enqueue` takes the ids of
    signals to act on and whether these are exits, and may fail (the sweeper finds them); `count`
    is told every outcome. What comes on an `ignored` subject is no signal: a listener on
    `signals.>` hears heartbeats too.
    """

    def __init__(
        self,
        *,
        bus: Bus,
        store: Callable[[list[Inbound]], list[Stored]],
        enqueue: Callable[[list[int], bool], None],
        count: Callable[[str], None] | None = None,
        ignored: frozenset[str] = frozenset(),
        batch: int = BATCH,
        held_in_hand: int = HELD_IN_HAND,
        max_tries: int = MAX_TRIES,
        retry_seconds: float = 0.5,
        most_retry_seconds: float = 10.0,
    ) -> None:
        self.bus = bus
        self.store = store
        self.enqueue = enqueue
        self.count = count or (lambda _: None)
        self.ignored = ignored
        self.batch = batch
        self.held_in_hand = max(held_in_hand, batch)
        self.max_tries = max_tries
        self.retry_seconds = retry_seconds
        self.most_retry_seconds = most_retry_seconds
        self.state = "starting"
        self.stored = 0
        self._held: list[InboundMessage] = []
        self._stop = asyncio.Event()
        self._turned_at = time.monotonic()
        self._enqueue_from = 0.0
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="signals-database")

    def stop(self) -> None:
        """Finish the batch in hand, give the rest back, and return from `run`."""
        self._stop.set()

    def status(self) -> dict[str, Any] | None:
        """Return what the health page shows, None when the loop has stopped turning."""
        if time.monotonic() - self._turned_at > WEDGED_AFTER_SECONDS:
            return None
        return {"state": self.state, "stored": self.stored, "connected": self.bus.is_connected}

    async def run(self) -> None:
        """Listen until `stop` is called."""
        failures = 0
        waiting_is_said = asyncio.create_task(self._say_still_working())
        try:
            while not self._stop.is_set():
                self._turned_at = time.monotonic()
                try:
                    await self._fetch()
                except BusUnavailable as error:
                    self._be("bus unavailable", error)
                    failures += 1
                    if not self._held:
                        await self._pause(failures)
                        continue
                else:
                    failures = 0
                    self._be("listening")
                if batch := self._next_batch():
                    await self._take(batch)
                    done = {id(message) for message in batch}
                    self._held = [message for message in self._held if id(message) not in done]
        finally:
            waiting_is_said.cancel()
            await self._answer(self._held, "nak")
            await self.bus.close()
            self._thread.shutdown(wait=True)
            self.state = "stopped"

    async def _fetch(self) -> None:
        """Take in hand what has come; wait for it only when there is nothing left to store.

        With more than a batch in hand there is a backlog, and an exit may stand at its end: then
        all that has come is taken before the next batch is stored.
        """
        patience = NO_WAIT_SECONDS if self._held else 1.0
        while (room := self.held_in_hand - len(self._held)) > 0:
            messages = await self.bus.fetch(room, timeout=patience)
            self._held += await self._without_ignored(messages)
            if not messages or len(self._held) < self.batch:
                return
            patience = BACKLOG_WAIT_SECONDS

    def _next_batch(self) -> list[InboundMessage]:
        """Return the exits in hand, else the messages that have waited longest."""
        exits = [m for m in self._held if wire.looks_like_an_exit(m.data)]
        return (exits or self._held)[: self.batch]

    async def _without_ignored(self, messages: Sequence[InboundMessage]) -> list[InboundMessage]:
        ignored = [message for message in messages if message.subject in self.ignored]
        if ignored:
            await self._answer(ignored, "ack")
        return [message for message in messages if message.subject not in self.ignored]

    async def _take(self, messages: Sequence[InboundMessage]) -> None:
        stored = await self._store(messages)
        waiting = {s.signal_id: s.is_exit for s in stored if s.status == WAITING}
        for are_exits in (True, False):
            ids = [pk for pk, is_exit in waiting.items() if is_exit is are_exits]
            if ids:
                await self._in_thread(partial(self._enqueue, are_exits=are_exits), ids)

    async def _store(self, messages: Sequence[InboundMessage]) -> list[Stored]:
        """Store and acknowledge; wait for a database that is away, set aside what it refuses."""
        inbounds = [as_inbound(message) for message in messages]
        failures = 0
        while True:
            try:
                stored = await self._in_thread(self.store, inbounds)
            except _OUTAGES as error:
                self._be("database unavailable", error)
                if self._stop.is_set():
                    await self._answer(messages, "nak")
                    return []
                failures += 1
                await self._pause(failures)
            except Exception as error:
                log.exception("signals_not_stored", messages=len(messages))
                if len(messages) == 1:
                    await self._set_aside(messages[0], error)
                    return []
                return [one for message in messages for one in await self._store([message])]
            else:
                await self._answer(messages, "ack")
                self._note(messages, stored)
                return stored

    def _note(self, messages: Sequence[InboundMessage], stored: Sequence[Stored]) -> None:
        self.stored += len(stored)
        self._be("listening")
        for message, one in zip(messages, stored, strict=True):
            outcome = one.status if one.is_new else "repeated"
            self.count(outcome)
            log.info(
                "signal_stored",
                signal_uid=one.uid,
                outcome=outcome,
                subject=message.subject,
                sequence=message.stream_sequence,
                deliveries=message.delivered_count,
            )

    async def _set_aside(self, message: InboundMessage, error: Exception) -> None:
        """Try a message the database refuses again later, and bury it after `max_tries`."""
        self.count("failed")
        try:
            if message.delivered_count < self.max_tries:
                await message.nak(delay=min(2.0**message.delivered_count, 300.0))
                return
            await self.bus.bury(message, f"{type(error).__name__}: {error}")
        except BusUnavailable as unavailable:
            log.warning("signal_not_set_aside", error=str(unavailable))
            return
        log.error(
            "signal_buried", subject=message.subject, sequence=message.stream_sequence, error=error
        )

    async def _answer(self, messages: Sequence[InboundMessage], verb: str) -> None:
        """Acknowledge or give back; an answer that is lost only makes the message come again."""
        try:
            for message in messages:
                await getattr(message, verb)()
        except BusUnavailable as error:
            log.warning("bus_not_told", verb=verb, error=str(error))

    async def _say_still_working(self) -> None:
        """Say so for all that is in hand, so that nobody else is given the same messages."""
        while True:
            await asyncio.sleep(self.bus.ack_wait / 3)
            await self._answer(list(self._held), "in_progress")

    def _enqueue(self, signal_ids: list[int], are_exits: bool) -> None:
        if time.monotonic() < self._enqueue_from:
            return
        try:
            self.enqueue(signal_ids, are_exits)
        except Exception:
            # Stored and acknowledged: the sweeper enqueues what is left waiting.
            self._enqueue_from = time.monotonic() + BROKER_REST_SECONDS
            log.exception("signals_not_enqueued", signals=len(signal_ids))

    async def _in_thread(self, call: Callable[[A], R], argument: A) -> R:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call, argument)

    async def _pause(self, failures: int) -> None:
        self._turned_at = time.monotonic()
        seconds = min(self.retry_seconds * 2 ** min(failures - 1, 10), self.most_retry_seconds)
        try:
            async with asyncio.timeout(seconds):
                await self._stop.wait()
        except TimeoutError:
            return

    def _be(self, state: str, error: Exception | None = None) -> None:
        if state != self.state:
            self.state = state
            if error is None:
                log.info("listener_state", state=state)
            else:
                log.warning("listener_state", state=state, error=str(error))


def as_inbound(message: InboundMessage) -> Inbound:
    """Return the message as the intake takes it.

    The receipt time is the bus's own, so that a signal without a timestamp does not look fresh
    after an outage. A sender without ids is identified by place and time in the stream: the place
    alone starts over when the stream is made anew.
    """
    return Inbound(
        source=SOURCE,
        body=message.data,
        received_at=min(message.stored_at, message.received_at),
        dedupe_key=_dedupe_key(message.msg_id),
        fallback_uid=_fallback_uid(message),
        subject=message.subject,
    )


def _dedupe_key(msg_id: str) -> str:
    if not msg_id:
        return ""
    if _PLAIN_ID.fullmatch(msg_id):
        return f"nats:{msg_id}"
    return f"nats:sha256:{hashlib.sha256(msg_id.encode('utf-8', 'replace')).hexdigest()}"


def _fallback_uid(message: InboundMessage) -> str:
    stream = re.sub(r"[^A-Za-z0-9_-]", "-", message.stream)[:20]
    micros = int(message.stored_at.timestamp() * 1_000_000)
    return f"nats:{stream}:{message.stream_sequence}:{micros}"
