"""How venue calls fare over all processes: counted by the gateways, read by whoever watches.

A call that failed is written at once, into every second it lasted: twelve seconds of waiting for a
venue that hangs are twelve bad seconds. Calls that went well are written at most once a second: a
trade waits for one round trip to Redis a second, no more. Redis being away costs the counts of that
time.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import redis
import structlog

from exchanges.domain.venues import Venue

log = structlog.get_logger(__name__)
WINDOW_SECONDS = 60
KEPT_SECONDS = 120
WRITE_EVERY_SECONDS = 1.0
REDIS_REST_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls of the last minute; `failed` are those without a proper answer, once a second each.

    `seconds` has the same two figures for each second with a call, the latest first.
    """

    total: int
    failed: int
    seconds: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class ClockReading:
    """What a process saw last: venue time minus ours, and how long the question took."""

    offset_ms: int
    took_ms: int
    at: float  # seconds since 1970


@dataclass
class Tally:
    """Counts of one venue. One per process; safe to share by threads."""

    venue: Venue
    store: redis.Redis | None = None
    wall: Callable[[], float] = time.time
    steady: Callable[[], float] = time.monotonic
    _well: int = 0
    _failed: Counter[int] = field(default_factory=Counter)  # by second since 1970
    _write_from: float = float("-inf")
    _is_resting: bool = False  # Redis did not answer a moment ago
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, *, failed: bool, took_seconds: float = 0.0) -> None:
        """Count one call that ended just now; never raises."""
        if self.store is None:
            return
        second = int(self.wall())
        with self._lock:
            self._well += not failed
            if failed:
                self._failed.update(_lasted(second, took_seconds))
            now = self.steady()
            if now < self._write_from and not (failed and not self._is_resting):
                return
            self._is_resting = False
            well, failures = self._well, self._failed
            self._well, self._failed = 0, Counter()
            self._write_from = now + WRITE_EVERY_SECONDS
        self._try(lambda: _count(self._store, self.venue, second, well, failures))

    def note_clock(self, *, offset_ms: int, took_ms: int) -> None:
        """Tell what the venue's clock said; never raises."""
        told = json.dumps({"offset_ms": offset_ms, "took_ms": took_ms, "at": self.wall()})
        place = f"{socket.gethostname()}:{os.getpid()}"
        if self.store is not None:
            self._try(lambda: _tell_clock(self._store, self.venue, place, told))

    @property
    def _store(self) -> redis.Redis:
        if self.store is None:
            raise RuntimeError("a tally without a store writes nothing")
        return self.store

    def _try(self, write: Callable[[], None]) -> None:
        try:
            write()
        except redis.RedisError as error:
            with self._lock:
                self._write_from = self.steady() + REDIS_REST_SECONDS
                self._is_resting = True
            log.warning("calls_not_counted", venue=self.venue, error=str(error))


def _bucket_key(venue: Venue, at: float) -> str:
    return f"petrosa:calls:{venue}:{int(at)}"


def _clock_key(venue: Venue) -> str:
    return f"petrosa:clock:{venue}"


def _lasted(second: int, took_seconds: float) -> range:
    """Return the seconds of a call that ended in `second`: at least that one, a minute at most."""
    many = min(max(1, round(took_seconds)), WINDOW_SECONDS)
    return range(second - many + 1, second + 1)


def _count(
    store: redis.Redis, venue: Venue, second: int, well: int, failed: Mapping[int, int]
) -> None:
    with store.pipeline(transaction=False) as writes:
        for at in {second, *failed}:
            key = _bucket_key(venue, at)
            if at == second:
                writes.hincrby(key, "well", well)
            writes.hincrby(key, "failed", failed.get(at, 0))
            writes.expire(key, KEPT_SECONDS)
        writes.execute()


def _tell_clock(store: redis.Redis, venue: Venue, place: str, told: str) -> None:
    with store.pipeline(transaction=False) as writes:
        writes.hset(_clock_key(venue), place, told)
        writes.expire(_clock_key(venue), 2 * KEPT_SECONDS)
        writes.execute()


def calls(store: redis.Redis, venue: Venue, *, now: float | None = None) -> Calls:
    """Return the calls of the last minute, over all processes. Raises RedisError."""
    at = time.time() if now is None else now
    with store.pipeline(transaction=False) as asked:
        for back in range(WINDOW_SECONDS):
            asked.hmget(_bucket_key(venue, at - back), "well", "failed")
        found = [(int(well or 0), int(failed or 0)) for well, failed in asked.execute()]
    seconds = tuple((well + failed, failed) for well, failed in found if well + failed)
    return Calls(sum(t for t, _ in seconds), sum(f for _, f in seconds), seconds)


def clock(
    store: redis.Redis, venue: Venue, *, most_age: float, now: float | None = None
) -> ClockReading | None:
    """Return the latest reading of any process, None when all are older. Raises RedisError."""
    at = time.time() if now is None else now
    told: dict[bytes | str, bytes | str] = store.hgetall(_clock_key(venue))
    readings = [ClockReading(**json.loads(raw)) for raw in told.values()]
    fresh = [one for one in readings if at - one.at <= most_age]
    return max(fresh, key=lambda one: one.at, default=None)
