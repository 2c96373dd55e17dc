"""One way to Redis for everybody: a client for each patience, shared by a process' threads."""

from __future__ import annotations

from functools import lru_cache

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry


def patient(seconds: float) -> redis.Redis:
    """Return the client that waits for so long, to connect and for each answer.

    Its connections are those of this process: after a fork the child makes its own.
    """
    return _client(settings.REDIS_URL, seconds, is_tried_again=True)


def once(seconds: float) -> redis.Redis:
    """Return the same for questions that are never asked a second time."""
    return _client(settings.REDIS_URL, seconds, is_tried_again=False)


@lru_cache(maxsize=16)
def _client(url: str, seconds: float, *, is_tried_again: bool) -> redis.Redis:
    if is_tried_again:
        return redis.Redis.from_url(url, socket_timeout=seconds, socket_connect_timeout=seconds)
    return redis.Redis.from_url(
        url,
        socket_timeout=seconds,
        socket_connect_timeout=seconds,
        retry=Retry(NoBackoff(), 0),
    )
