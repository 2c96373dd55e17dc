"""What becomes of what was said while bus or memory are away."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager

from signals_app.gateways.emitter import Said
from signals_app.gateways.nats import BusUnavailable, PublishedAt
from signals_app.payload.draft import Action
from signals_app.realtime.breaker import Breaker, State
from signals_app.realtime.memory import MemoryUnavailable
from signals_app.realtime.publisher import MOST_WAITING, Publisher
from signals_app.strategies.emission import Emission


class Bus:
    """A bus that can be cut off."""

    def __init__(self) -> None:
        self.is_there = True
        self.took: list[str] = []
        self.tries = 0

    async def publish(self, said: Said) -> PublishedAt:
        self.tries += 1
        if not self.is_there:
            raise BusUnavailable("cut off")
        self.took.append(said.emission.uid)
        return PublishedAt("TRADING", len(self.took), False)


class Claims:
    """Claims that can be lost sight of."""

    def __init__(self) -> None:
        self.is_there = True
        self.taken: set[str] = set()

    async def claim(self, emission: Emission, *, cooldown_seconds: float) -> bool:
        if not self.is_there:
            raise MemoryUnavailable("cut off")
        fresh = emission.uid not in self.taken
        self.taken.add(emission.uid)
        return fresh


def said(action: Action = Action.BUY, *, ago: float = 0, number: int = 0) -> Said:
    at_ms = round((time.time() - ago) * 1000) + number
    emission = Emission("skew", "BTCUSDT", action, 0.7, at_ms, 100.0, "because")
    return Said(emission, False, 1, "test")


@asynccontextmanager
async def working(bus: Bus, claims: Claims, **more):
    publisher = Publisher(publish=bus.publish, claims=claims, **{"max_age_seconds": 60} | more)
    task = asyncio.create_task(publisher.run())
    try:
        yield publisher
    finally:
        task.cancel()


async def test_what_the_bus_missed_goes_out_when_it_is_back():
    bus = Bus()
    bus.is_there = False
    breaker = Breaker(failures_to_open=2, rest_seconds=0.1)
    async with working(bus, Claims(), breaker=breaker) as publisher:
        publisher.offer(said(), cooldown_seconds=0)
        async with asyncio.timeout(60):
            while breaker.state is not State.OPEN:
                await asyncio.sleep(0.01)
        bus.is_there = True
        await publisher.drained(5)
    assert publisher.outcomes == {"live": 1}
    assert (breaker.state, breaker.opened) == (State.CLOSED, 1)


async def test_what_grows_too_old_meanwhile_is_dropped_and_told():
    bus = Bus()
    bus.is_there = False
    async with working(bus, Claims(), max_age_seconds=0.5) as publisher:
        publisher.offer(said(), cooldown_seconds=0)
        await publisher.drained(5)
    assert publisher.outcomes == {"too old": 1}
    assert bus.took == []


async def test_while_the_breaker_is_open_nothing_is_tried():
    bus = Bus()
    bus.is_there = False
    breaker = Breaker(failures_to_open=1, rest_seconds=60)
    async with working(bus, Claims(), breaker=breaker, max_age_seconds=1) as publisher:
        publisher.offer(said(), cooldown_seconds=0)
        publisher.offer(said(number=1), cooldown_seconds=0)
        await publisher.drained(5)
    assert bus.tries == 1
    assert publisher.outcomes == {"too old": 2}


async def test_what_waits_is_withdrawn_when_its_strategy_is_switched_off():
    bus, withdrawn = Bus(), False
    bus.is_there = False
    async with working(bus, Claims(), is_withdrawn=lambda _: withdrawn) as publisher:
        publisher.offer(said(), cooldown_seconds=0)
        async with asyncio.timeout(60):
            while not bus.tries:
                await asyncio.sleep(0.01)
        withdrawn, bus.is_there = True, True
        await publisher.drained(5)
    assert publisher.outcomes == {"withdrawn": 1}
    assert bus.took == []


async def test_without_its_memory_it_buys_nothing_and_still_sells():
    bus, claims = Bus(), Claims()
    claims.is_there = False
    async with working(bus, claims) as publisher:
        publisher.offer(said(Action.BUY), cooldown_seconds=0)
        publisher.offer(said(Action.SELL), cooldown_seconds=0)
        await publisher.drained(5)
    assert publisher.outcomes == {"not claimed": 1, "live": 1}
    assert ":sell:" in bus.took[0]


async def test_what_was_said_before_is_not_said_again():
    bus, one = Bus(), said()
    async with working(bus, Claims()) as publisher:
        publisher.offer(one, cooldown_seconds=0)
        publisher.offer(one, cooldown_seconds=0)
        await publisher.drained(5)
    assert publisher.outcomes == {"live": 1, "said before": 1}


async def test_too_many_that_wait_are_dropped_and_told():
    publisher = Publisher(publish=Bus().publish, claims=Claims(), max_age_seconds=60)
    for number in range(MOST_WAITING + 3):
        publisher.offer(said(number=number), cooldown_seconds=0)
    assert publisher.outcomes == {"queue full": 3}
