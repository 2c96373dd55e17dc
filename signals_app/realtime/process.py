"""The strategies process: intake, engine, publisher, memory, heartbeat and door put together."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog
from django.db import DatabaseError

from exchanges.domain.venues import Venue
from foundation import cancellation, metrics
from signals_app.gateways import emitter
from signals_app.gateways.emitter import Said
from signals_app.realtime import process_status
from signals_app.realtime.engine import Engine
from signals_app.realtime.http import Door
from signals_app.realtime.intake import Intake
from signals_app.realtime.memory import Memory, MemoryUnavailable
from signals_app.realtime.publisher import Publisher
from signals_app.realtime.shard import Shard
from signals_app.services.strategy_settings import Setting

log = structlog.get_logger(__name__)
SETTINGS_SECONDS = 1.0
WINDOWS_SECONDS = 2.0
COUNT_SECONDS = 1.0
TELL_SECONDS = 5.0
FEED_SILENT_SECONDS = 30.0
GOODBYE_SECONDS = 3.0
MEASURED = 15  # mask: one frame in sixteen


@dataclass(frozen=True, slots=True)
class Place:
    """Where a process runs and what it owns."""

    nats_url: str
    redis_url: str
    topic: str
    venue: Venue
    heartbeat_subject: str
    shard: Shard
    host: str
    port: int  # 0: no door
    max_age_seconds: float
    version: str = ""


class Process:
    """Everything of one strategies process. `read_settings` may block; it runs in a thread."""

    def __init__(self, place: Place, read_settings: Callable[[], list[Setting]]) -> None:
        self.place = place
        self.read_settings = read_settings
        self.state = "starting"
        self.engine = Engine(shard=place.shard, venue=place.venue)
        self.memory = Memory(redis_url=place.redis_url, venue=place.venue)
        self.bus = emitter.bus("petrosa-strategies")
        self.publisher = Publisher(
            publish=self._publish,
            claims=self.memory,
            max_age_seconds=place.max_age_seconds,
            is_withdrawn=self.engine.is_withdrawn,
        )
        self.intake = Intake(
            url=place.nats_url,
            topic=place.topic,
            venue=place.venue,
            take=self.take,
            name=f"petrosa-strategies-{place.shard}",
        )
        self.started_at = datetime.now(UTC)
        self._stop = asyncio.Event()
        self._frames = 0
        self._lag: float | None = None
        self._recalled: set[tuple[str, str]] = set()
        self._remembers = True
        self._counted: Counter[tuple[str, str]] = Counter()

    def stop(self) -> None:
        """Publish what is said already, keep the windows, and return from `run`."""
        self._stop.set()

    async def run(self) -> None:
        """Work until `stop` is called."""
        door = Door(
            host=self.place.host, port=self.place.port, ready=self.missing, info=self.status
        )
        if self.place.port:
            await door.open()
        publishing = asyncio.create_task(self.publisher.run())
        beside = [
            asyncio.create_task(self._again(SETTINGS_SECONDS, self.follow)),
            asyncio.create_task(self._again(WINDOWS_SECONDS, self._keep_windows)),
            asyncio.create_task(self._again(COUNT_SECONDS, self._count)),
            asyncio.create_task(self._again(TELL_SECONDS, self._tell)),
            asyncio.create_task(self._again(process_status.EVERY_SECONDS, self._leave_sign)),
        ]
        try:
            await self._stop.wait()
        finally:
            await self._leave(beside, publishing, door)

    async def _leave(
        self, beside: list[asyncio.Task[None]], publishing: asyncio.Task[None], door: Door
    ) -> None:
        self.state = "stopping"
        await cancellation.ended(*beside)
        await self.intake.close()
        await self.publisher.drained(GOODBYE_SECONDS)
        await cancellation.ended(publishing)
        await self._keep_windows()
        await self._count()
        await self.bus.close()
        await self.memory.leave(str(self.place.shard))
        await self.memory.close()
        await door.close()
        self.state = "stopped"

    # --- frames ---------------------------------------------------------------------------------

    def take(self, symbol: str, kind: str, raw: bytes) -> None:
        """Hand one frame to the strategies and queue what they say."""
        self._frames += 1
        if self._frames & MEASURED:
            found = self.engine.take(symbol, kind, raw)
        else:
            began = time.perf_counter()
            found = self.engine.take(symbol, kind, raw)
            metrics.STRATEGY_STEP.observe(time.perf_counter() - began)
            self._lag = _lag(raw)
        for said in found:
            self._say(said)

    def _say(self, said: Said) -> None:
        emission = said.emission
        running = self.engine.running[emission.strategy_id]
        metrics.STRATEGY_SIGNALS.labels(
            emission.strategy_id,
            emission.symbol,
            str(emission.action),
            "shadow" if said.is_shadow else "live",
        ).inc()
        cooldown = float(running.setting.params["cooldown_seconds"])
        self.publisher.offer(said, cooldown_seconds=cooldown)

    async def _publish(self, said: Said) -> Any:
        return await emitter.publish(self.bus, said)

    # --- settings, windows ------------------------------------------------------------------------

    async def follow(self) -> None:
        """Take the settings as they are now, give new pairs their memory, and subscribe."""
        settings = await asyncio.to_thread(self.read_settings)
        self.engine.apply(settings)
        await self._recall()
        await self.intake.want(self.engine.wanted)
        self._be("running" if self.engine.wanted else "idle")

    async def _recall(self) -> None:
        """Remember before the first frame of a pair: without it a restart could say it again."""
        new = [
            (strategy, symbol)
            for strategy, symbol in self.engine.pairs()
            if (strategy.spec.strategy_id, symbol) not in self._recalled
        ]
        if not new:
            return
        found = await self.memory.recall(new)
        self._recalled |= {(strategy.spec.strategy_id, symbol) for strategy, symbol in new}
        log.info("windows_restored", asked=len(new), found=found)

    async def _keep_windows(self) -> None:
        try:
            await self.memory.keep(
                [p for p in self.engine.pairs() if (p[0].spec.strategy_id, p[1]) in self._recalled]
            )
        except MemoryUnavailable as error:
            metrics.STRATEGY_ERRORS.labels("memory").inc()
            if self._remembers:
                log.warning("windows_not_kept", error=str(error))
            self._remembers = False
        else:
            self._remembers = True

    # --- telling ----------------------------------------------------------------------------------

    def missing(self) -> list[str]:
        """Return what keeps this process from working."""
        found = []
        if self.state not in {"running", "idle"}:
            found.append(self.state)
        if not self.intake.is_connected:
            found.append("NATS")
        if not self._remembers:
            found.append("Redis")
        return found

    def status(self) -> dict[str, Any]:
        """Return what the heartbeat, /info and the health page tell."""
        age, tally = self.intake.age_seconds, self.engine.tally
        return {
            "service": "strategies",
            "version": self.place.version,
            "state": self.state,
            "shard": str(self.place.shard),
            "venue": str(self.place.venue),
            "started_at": self.started_at.isoformat(),
            "connected": self.intake.is_connected,
            "symbols": self.engine.symbols,
            "feed_age_seconds": None if age is None else round(age, 1),
            "feed_is_silent": self.feed_is_silent,
            "messages": sum(tally.messages.values()),
            "unreadable": tally.unreadable,
            "dropped": sum(self.intake.dropped.values()),
            "breaker": str(self.publisher.breaker.state),
            "outcomes": dict(self.publisher.outcomes),
            "strategies": {
                name: {
                    "mode": str(one.setting.mode),
                    "settings_version": one.setting.version,
                    "messages": one.messages,
                    "signals": one.signals,
                    "errors": one.errors,
                    "last_signal_ms": one.last_signal_ms,
                }
                for name, one in self.engine.running.items()
            },
        }

    @property
    def feed_is_silent(self) -> bool:
        """Somebody listens and nothing comes."""
        if not self.engine.wanted:
            return False
        age = self.intake.age_seconds
        if age is None:
            age = (datetime.now(UTC) - self.started_at).total_seconds()
        return age > FEED_SILENT_SECONDS

    async def _tell(self) -> None:
        """Say on the bus that we live, so that silence there means something."""
        told = {"type": "heartbeat", **self._sign()}
        await self.intake.tell(self.place.heartbeat_subject, orjson.dumps(told))
        if self.feed_is_silent:
            log.warning("feed_silent", seconds=self.intake.age_seconds, symbols=self.engine.symbols)

    async def _leave_sign(self) -> None:
        await self.memory.tell(str(self.place.shard), orjson.dumps(self._sign()))

    def _sign(self) -> dict[str, Any]:
        now = datetime.now(UTC).isoformat()
        return {"at": now, "host": socket.gethostname(), "pid": os.getpid(), **self.status()}

    async def _count(self) -> None:
        """Bring the metrics up to date: a count for each frame would cost more than the frame."""
        tally, dropped = self.engine.tally, self.intake.dropped
        now = Counter[tuple[str, str]]()
        now.update({("messages", kind): count for kind, count in tally.messages.items()})
        now.update({("dropped", kind): count for kind, count in dropped.items()})
        now["errors", "unreadable"] = tally.unreadable
        now["errors", "strategy"] = tally.errors
        counters = {
            "messages": metrics.STRATEGY_MESSAGES,
            "dropped": metrics.STRATEGY_DROPPED,
            "errors": metrics.STRATEGY_ERRORS,
        }
        for (what, label), count in now.items():
            counters[what].labels(label).inc(count - self._counted[what, label])
        self._counted = now
        age = self.intake.age_seconds
        if self._lag is not None:
            metrics.STRATEGY_LAG.set(self._lag)
        metrics.STRATEGY_FEED_AGE.set(float("inf") if age is None else age)

    async def _again(self, seconds: float, do: Callable[[], Awaitable[None]]) -> None:
        """Do it now and every so often; trouble with one turn ends no other."""
        while True:
            try:
                await do()
            except (ConnectionError, MemoryUnavailable) as error:
                metrics.STRATEGY_ERRORS.labels("connection").inc()
                self._be("waiting", error)
            except DatabaseError as error:
                metrics.STRATEGY_ERRORS.labels("settings").inc()
                log.warning("strategy_settings_not_read", error=str(error))
            except Exception:
                metrics.STRATEGY_ERRORS.labels(do.__name__.strip("_")).inc()
                log.exception("turn_failed", turn=do.__name__)
            await asyncio.sleep(seconds)

    def _be(self, state: str, error: Exception | None = None) -> None:
        if state != self.state and self.state != "stopping":
            self.state = state
            tell = log.info if error is None else log.warning
            tell("strategies_state", state=state, **({"error": str(error)} if error else {}))


def _lag(raw: bytes) -> float | None:
    """Return seconds since the market process received a frame: the last field of its envelope."""
    try:
        return time.time() - int(raw[raw.rindex(b":") + 1 : -1]) / 1000
    except ValueError:
        return None
