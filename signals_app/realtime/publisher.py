"""From what a strategy said to a signal on the bus: claimed, tried, or given up and told.

Nothing waits for ever: what could not be published within the age at which a signal is refused
anyway is dropped with a line in the log and a count.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import structlog

from foundation import metrics
from signals_app.gateways.emitter import Said
from signals_app.gateways.nats import BusUnavailable, PublishedAt
from signals_app.payload.draft import Action
from signals_app.realtime.breaker import Breaker, State
from signals_app.realtime.memory import MemoryUnavailable
from signals_app.strategies.emission import Emission

log = structlog.get_logger(__name__)
MOST_WAITING = 1000
RETRY_SECONDS = 0.25
STATES = {State.CLOSED: 0, State.HALF_OPEN: 1, State.OPEN: 2}


class Claims(Protocol):
    async def claim(self, emission: Emission, *, cooldown_seconds: float) -> bool: ...


@dataclass(frozen=True, slots=True)
class Waiting:
    said: Said
    cooldown_seconds: float
    since: float  # seconds of a clock that never jumps


class Publisher:
    """One queue, one after the other. `publish` raises BusUnavailable when it did not work;
    `is_withdrawn` tells whether somebody switched off meanwhile what said it."""

    def __init__(
        self,
        *,
        publish: Callable[[Said], Awaitable[PublishedAt]],
        claims: Claims,
        max_age_seconds: float,
        is_withdrawn: Callable[[Said], bool] = lambda _: False,
        breaker: Breaker | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.publish = publish
        self.claims = claims
        self.max_age_seconds = max_age_seconds
        self.is_withdrawn = is_withdrawn
        self.breaker = breaker or Breaker()
        self.clock = clock
        self.outcomes: Counter[str] = Counter()
        self._queue: asyncio.Queue[Waiting] = asyncio.Queue(MOST_WAITING)

    def offer(self, said: Said, *, cooldown_seconds: float) -> None:
        """Queue one; when the queue is full the new one is dropped and told."""
        try:
            self._queue.put_nowait(Waiting(said, cooldown_seconds, time.monotonic()))
        except asyncio.QueueFull:
            self._ended(said, "queue full")

    async def run(self) -> None:
        """Publish until cancelled."""
        while True:
            waiting = await self._queue.get()
            try:
                await self._deliver(waiting)
            except Exception:
                log.exception("emission_lost", signal_uid=waiting.said.emission.uid)
                self._ended(waiting.said, "failed")
            finally:
                self._queue.task_done()

    async def drained(self, timeout: float) -> None:
        """Return when nothing waits any more, or after `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout):
                await self._queue.join()
        except TimeoutError:
            log.warning("emissions_not_published", waiting=self._queue.qsize())

    async def _deliver(self, waiting: Waiting) -> None:
        said = waiting.said
        if self._is_old(waiting):
            self._ended(said, "too old")
            return
        if not await self._claimed(waiting):
            return
        while not self._is_old(waiting):
            if self.is_withdrawn(said):
                self._ended(said, "withdrawn")
                return
            if self.breaker.allows(time.monotonic()) and await self._tried(said):
                return
            await asyncio.sleep(RETRY_SECONDS)
        self._ended(said, "too old")

    async def _claimed(self, waiting: Waiting) -> bool:
        """Without the memory nobody knows what was said: a buy waits for another day, a sell goes
        out, since it only ever closes."""
        said = waiting.said
        try:
            mine = await self.claims.claim(said.emission, cooldown_seconds=waiting.cooldown_seconds)
        except MemoryUnavailable as error:
            log.warning("claim_not_known", signal_uid=said.emission.uid, error=str(error))
            if said.emission.action is Action.BUY:
                self._ended(said, "not claimed")
                return False
            return True
        if not mine:
            self._ended(said, "said before")
        return mine

    async def _tried(self, said: Said) -> bool:
        try:
            at = await self.publish(said)
        except BusUnavailable as error:
            self.breaker.failed(time.monotonic())
            self._show_breaker()
            metrics.STRATEGY_ERRORS.labels("bus").inc()
            log.warning("emission_not_published", signal_uid=said.emission.uid, error=str(error))
            return False
        self.breaker.worked()
        self._show_breaker()
        self._ended(said, "repeated" if at.duplicate else "shadow" if said.is_shadow else "live")
        return True

    def _is_old(self, waiting: Waiting) -> bool:
        age = max(self.clock() - waiting.said.told_ms / 1000, time.monotonic() - waiting.since)
        return age > self.max_age_seconds

    def _ended(self, said: Said, outcome: str) -> None:
        emission = said.emission
        self.outcomes[outcome] += 1
        metrics.STRATEGY_SUBMISSIONS.labels(outcome).inc()
        tell = log.info if outcome in {"live", "shadow", "repeated"} else log.warning
        tell(
            "emission",
            outcome=outcome,
            signal_uid=emission.uid,
            correlation_id=emission.uid,
            strategy=emission.strategy_id,
            symbol=emission.symbol,
            action=str(emission.action),
            confidence=round(emission.confidence, 4),
            settings_version=said.settings_version,
        )

    def _show_breaker(self) -> None:
        metrics.STRATEGY_BREAKER.set(STATES[self.breaker.state])
