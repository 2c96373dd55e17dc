"""A strategies process inside the test, with settings that the test holds in its hand."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterable
from contextlib import asynccontextmanager
from dataclasses import replace

import nats
import orjson
import redis
from django.conf import settings as django_settings

from exchanges.market_data import bus
from exchanges.market_data.recorded import Recorded
from signals_app.gateways import emitter
from signals_app.realtime import memory
from signals_app.realtime.process import Place, Process
from signals_app.realtime.shard import Shard
from signals_app.services.strategy_settings import Setting
from signals_app.strategies import realtime
from tests.places import SIMULATOR

FOREVER = 10**10  # seconds: recordings are years old


class Settings:
    """What a process reads as its settings."""

    def __init__(self, *symbols: str, preset: str = "recommended", mode: str = "live") -> None:
        self.held = {
            spec.strategy_id: Setting(
                spec, mode, symbols, (), spec.resolved(spec.presets.get(preset, {})), 1
            )
            for spec in realtime.SPECS
        }

    def __call__(self) -> list[Setting]:
        return list(self.held.values())

    def change(self, strategy_id: str, **changed) -> None:
        held = self.held[strategy_id]
        self.held[strategy_id] = replace(held, version=held.version + 1, **changed)


class Desk:
    """Processes of one environment and the frames they hear; every desk has its own subjects."""

    latest: Desk | None = None

    def __init__(self) -> None:
        self.name = uuid.uuid4().hex[:12]
        self.topic = f"test.{self.name}"

    def place(self, shard: str = "1/1", *, port: int = 0, max_age: float = FOREVER) -> Place:
        return Place(
            nats_url=django_settings.NATS_URL,
            redis_url=django_settings.REDIS_URL,
            topic=self.topic,
            venue=SIMULATOR,
            heartbeat_subject=f"strategies.heartbeat.{self.name}",
            shard=Shard.parsed(shard),
            host="127.0.0.1",
            port=port,
            max_age_seconds=max_age,
        )

    @asynccontextmanager
    async def running(self, settings: Settings, shard: str = "1/1", **place):
        self._forget_others()
        process = Process(self.place(shard, **place), settings)
        task = asyncio.create_task(process.run())
        try:
            await until(lambda: process.state in {"running", "idle"})
            yield process
        finally:
            process.stop()
            await task

    def _forget_others(self) -> None:
        """Drop what another desk has said; this one's own outlives its processes."""
        if Desk.latest is self:
            return
        Desk.latest = self
        with redis.Redis.from_url(django_settings.REDIS_URL) as store:
            for key in store.scan_iter(f"{memory.PREFIX}:*"):
                store.delete(key)

    async def send(self, frames: Iterable[Recorded]) -> int:
        """Publish frames as the market process does; return how many."""
        client = await nats.connect(django_settings.NATS_URL)
        count = 0
        try:
            for count, one in enumerate(frames, 1):
                subject = bus.subject(self.topic, SIMULATOR, one.symbol, one.kind)
                await client.publish(subject, one.raw)
                if not count % 500:
                    await client.flush()
            await client.flush()
        finally:
            await client.close()
        return count


async def until(happened, seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not happened():
            await asyncio.sleep(0.02)


async def heard(subject: str) -> list[dict]:
    """Return every signal the bus keeps on a subject."""
    listening = emitter.bus("test")
    listening.subjects = [subject]
    listening.durable = f"test-{uuid.uuid4().hex}"
    found = []
    try:
        while batch := await listening.fetch(500, timeout=0.5):
            found += [orjson.loads(message.data) for message in batch]
            for message in batch:
                await message.ack()
    finally:
        await listening.close()
    return found


def symbols(count: int) -> list[str]:
    """Return new symbols of which either half owns some: the bus remembers signals of earlier
    tests by symbol and time."""
    run = uuid.uuid4().hex[:6].upper()
    halves = [Shard(1, 2), Shard(2, 2)]
    found: list[str] = []
    number = 0
    while len(found) < count:
        name, number = f"T{run}{number}USDT", number + 1
        if halves[len(found) % 2].owns(name):
            found.append(name)
    return found
