"""How long a venue lately took to answer, known in every process.

Each process keeps its last few answers of a venue and tells the others their median, at most every
quarter of a second: one slow answer among quick ones is no slow venue. An answer that never came
counts as long as it was waited for; a connection that was refused tells nothing.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from statistics import median

import msgspec
import redis
import structlog

from exchanges.domain.venues import Venue
from foundation import redis_client

log = structlog.get_logger(__name__)
ANSWERS_KEPT = 5
KNOWN_FOR = timedelta(seconds=60)
TELL_EVERY_SECONDS = 0.25
REDIS_REST_SECONDS = 5.0
_SHOWN = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class Latency:
    """The median time to answer in milliseconds, `at` the newest of the answers."""

    ms: Decimal
    at: datetime


_decode = msgspec.json.Decoder(Latency).decode
_lock = threading.Lock()
_answers: dict[Venue, deque[tuple[datetime, Decimal]]] = {}
_told_at: dict[Venue, float] = {}
_redis_rests_until = 0.0


def note(venue: Venue, ms: float) -> None:
    """Remember how long one answer took, and tell the other processes now and then."""
    now = datetime.now(UTC)
    with _lock:
        answers = _answers.setdefault(venue, deque(maxlen=ANSWERS_KEPT))
        answers.append((now, Decimal(ms).quantize(_SHOWN)))
        if time.monotonic() - _told_at.get(venue, float("-inf")) < TELL_EVERY_SECONDS:
            return
        _told_at[venue] = time.monotonic()
    _tell(venue)


def lately(venue: Venue, *, within: timedelta = KNOWN_FOR) -> Latency | None:
    """Return what is known, None when nothing is known of the time `within` which it counts.

    What this process saw itself is enough; only without it the others are asked, through Redis.
    """
    own = _own(venue)
    if own is not None and _is_within(own, within):
        return own
    others = _others(venue)
    return others if others is not None and _is_within(others, within) else None


def forget() -> None:
    """Drop what this process knows."""
    _answers.clear()
    _told_at.clear()


# ---- inside ----------------------------------------------------------------------------------


def _own(venue: Venue) -> Latency | None:
    with _lock:
        answers = list(_answers.get(venue, ()))
    recent = [(at, ms) for at, ms in answers if datetime.now(UTC) - at <= KNOWN_FOR]
    return Latency(median(ms for _, ms in recent), recent[-1][0]) if recent else None


def _is_within(known: Latency, within: timedelta) -> bool:
    return datetime.now(UTC) - known.at <= within


def _tell(venue: Venue) -> None:
    own = _own(venue)
    if own is None or time.monotonic() < _redis_rests_until:
        return
    try:
        _redis().set(_key(venue), msgspec.json.encode(own), ex=int(KNOWN_FOR.total_seconds()))
    except redis.RedisError as error:
        _rest_redis(error)


def _others(venue: Venue) -> Latency | None:
    if time.monotonic() < _redis_rests_until:
        return None
    try:
        raw = _redis().get(_key(venue))
    except redis.RedisError as error:
        _rest_redis(error)
        return None
    return _decode(raw) if isinstance(raw, bytes) else None


def _rest_redis(error: redis.RedisError) -> None:
    """Leave Redis alone for a while: an exit must not wait for it again and again."""
    global _redis_rests_until
    _redis_rests_until = time.monotonic() + REDIS_REST_SECONDS
    log.warning("latency_not_shared", error=str(error))


def _key(venue: Venue) -> str:
    return f"petrosa:latency:{venue}"


def _redis() -> redis.Redis:
    return redis_client.once(0.25)


def _forget_parent() -> None:
    """Start afresh in a forked child: a lock held by a thread of the parent never opens again."""
    global _lock
    _lock = threading.Lock()
    forget()


os.register_at_fork(after_in_child=_forget_parent)
