"""Signs of life: each process that trading needs notes under its name that it still turns.

Redis keeps the time of each note by its own clock, so hosts need not agree on theirs. A process of
several copies has one name: it is silent when all of them are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import redis
import structlog

from foundation import redis_client

log = structlog.get_logger(__name__)
EVERY_SECONDS = 5.0
SILENT_SECONDS = 20.0  # four notes, and more than a worker waits for one slow answer of a venue
REMEMBERED_SECONDS = 24 * 3600
NAMES_KEY = "petrosa:life"
WATCHED = {
    "beat": "nothing is swept, reconciled or watched on time",
    "worker": "entries wait and are denied as stale",
    "exits": "closes, stops and protection wait",
    "guard": "synthetic stops are not watched",
    "userstream": "fills are booked late, by reconciliation",
    "market": "prices are old, and nobody looks at circuit breakers while a venue hangs",
    "signals": "signals wait in NATS",
}


@dataclass(frozen=True, slots=True)
class Silence:
    """A process that has not noted anything for too long; `seconds` is None when it never did."""

    name: str
    seconds: float | None

    def __str__(self) -> str:
        told = (
            "has not been heard of"
            if self.seconds is None
            else f"has been silent for {self.seconds:.0f} s"
        )
        means = WATCHED.get(self.name, "what it does is not done")
        return f"The process {self.name} {told}: {means}. Look at its log and start it again."


def note(name: str) -> None:
    """Note that the process `name` turns; never raises, and waits half a second at most."""
    try:
        with _redis().pipeline(transaction=False) as asked:
            asked.set(_key(name), 1, ex=REMEMBERED_SECONDS)
            asked.sadd(NAMES_KEY, name)
            asked.execute()
    except redis.RedisError as error:
        log.debug("sign_of_life_not_left", process=name, error=str(error))


async def keep(name: str, is_alive: Callable[[], bool] = lambda: True) -> None:
    """Note life of an asyncio process until cancelled, while `is_alive` says so."""
    while True:
        if is_alive():
            await asyncio.to_thread(note, name)
        await asyncio.sleep(EVERY_SECONDS)


def ages() -> dict[str, float]:
    """Return the seconds since each process that was heard of within a day last noted something.

    Raises redis.RedisError when nobody can be asked.
    """
    raw = _redis().smembers(NAMES_KEY)
    names = sorted(name.decode() if isinstance(name, bytes) else name for name in raw)
    with _redis().pipeline(transaction=False) as asked:
        for name in names:
            asked.pttl(_key(name))
        left = asked.execute() if names else []
    told = zip(names, left, strict=True)
    return {name: REMEMBERED_SECONDS - ms / 1000 for name, ms in told if ms > 0}


def silences(expected: Iterable[str]) -> list[Silence]:
    """Return who is silent: of those expected here, and of those heard of within a day.

    Raises redis.RedisError when nobody can be asked.
    """
    heard = ages()
    return [
        Silence(name, heard.get(name))
        for name in sorted({*expected, *heard})
        if heard.get(name, SILENT_SECONDS + 1) > SILENT_SECONDS
    ]


def _key(name: str) -> str:
    return f"petrosa:life:{name}"


def _redis() -> redis.Redis:
    return redis_client.patient(0.5)
