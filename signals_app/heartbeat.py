"""Tell the health page that a long-running process still turns over."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import redis
import redis.asyncio
import structlog
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)

KEY = "petrosa:heartbeat:signals"
TTL_SECONDS = 15
EVERY_SECONDS = 2.0


async def keep(
    status: Callable[[], dict[str, Any] | None], *, redis_url: str, key: str = KEY
) -> None:
    """Write `status()` to `key` until cancelled: JSON with at, host, pid and whatever it returns.

    None means there is nothing good to tell: nothing is written and the key runs out after
    TTL_SECONDS. Redis being away is no reason to stop taking signals.
    """
    client = redis.asyncio.from_url(redis_url, socket_timeout=2, socket_connect_timeout=2)
    origin = {"host": socket.gethostname(), "pid": os.getpid()}
    try:
        while True:
            told = status()
            if told is not None:
                beat = {"at": datetime.now(UTC).isoformat(), **origin, **told}
                try:
                    await client.set(key, json.dumps(beat), ex=TTL_SECONDS)
                except (RedisError, OSError) as error:
                    log.debug("heartbeat_not_written", error=str(error))
            await asyncio.sleep(EVERY_SECONDS)
    finally:
        await client.aclose()


def last(*, redis_url: str, key: str = KEY) -> dict[str, Any] | None:
    """Return what was told last, None when that is too long ago or Redis does not answer."""
    try:
        with redis.Redis.from_url(redis_url, socket_timeout=2, socket_connect_timeout=2) as client:
            raw = client.get(key)
    except RedisError as error:
        log.debug("heartbeat_not_read", error=str(error))
        return None
    told: dict[str, Any] | None = json.loads(raw) if isinstance(raw, bytes) else None
    return told
