"""One at a time over all processes: a right kept in Redis that goes soon after its holder dies."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import redis
import structlog
from redis.exceptions import LockError
from redis.lock import Lock

from foundation import redis_client

log = structlog.get_logger(__name__)
LIFE_SECONDS = 3.0


@contextmanager
def at(what: str, *, wait: float | None = None, life: float = LIFE_SECONDS) -> Iterator[bool]:
    """Hold the right to `what`; yields False when another has it (still, after `wait` seconds).

    The right is renewed while the block runs, however long. When the holder is killed it is free
    again after `life` seconds. Without Redis it is granted to everybody: it saves work, it must
    not be what keeps an order from being placed twice.
    """
    lock = _redis().lock(_key(what), timeout=life, thread_local=False)
    try:
        got_it = lock.acquire(blocking=wait is not None, blocking_timeout=wait)
    except redis.RedisError as error:
        log.warning("nobody_to_ask_for_the_right", what=what, error=str(error))
        yield True
        return
    if not got_it:
        yield False
        return
    with _renewed(lock, what, life / 3):
        yield True


def is_held(what: str) -> bool:
    """Say whether anybody holds the right to `what` now. Raises redis.RedisError."""
    return bool(_redis().exists(_key(what)))


@contextmanager
def _renewed(lock: Lock, what: str, pause: float) -> Iterator[None]:
    done = threading.Event()
    keeper = threading.Thread(target=_keep, args=(lock, pause, done), name=what, daemon=True)
    keeper.start()
    try:
        yield
    finally:
        done.set()
        keeper.join()
        try:
            lock.release()
        except (LockError, redis.RedisError) as error:
            log.warning("right_not_given_back", what=what, error=str(error))


def _keep(lock: Lock, pause: float, done: threading.Event) -> None:
    while not done.wait(pause):
        try:
            lock.reacquire()
        except LockError:
            return  # gone; giving it back will tell
        except redis.RedisError as error:
            log.warning("right_not_renewed", error=str(error))


def _key(what: str) -> str:
    return f"petrosa:lock:{what}"


def _redis() -> redis.Redis:
    return redis_client.patient(1.0)
