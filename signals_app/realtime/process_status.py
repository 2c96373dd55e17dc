"""Signs of life of the strategies processes, for those who look from elsewhere.

Each process keeps its status in one Redis hash under its shard and takes it out when it stops on
purpose; what is left there and grows old is a process that died.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import redis
import structlog
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)
KEY = "petrosa:strategies:signs"
EVERY_SECONDS = 2.0
SILENT_SECONDS = 15.0
FORGOTTEN_SECONDS = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Sign:
    """What one process told last, `age_seconds` ago."""

    shard: str
    age_seconds: float
    told: dict[str, Any]

    @property
    def trouble(self) -> str:
        """Say what is wrong in a few words; empty when all is well."""
        if self.age_seconds > SILENT_SECONDS:
            return f"silent for {self.age_seconds:.0f} s"
        if self.told.get("feed_is_silent"):
            return "hears no market data"
        if self.told.get("breaker") == "open":
            return "cannot publish signals"
        return ""

    def as_dict(self) -> dict[str, Any]:
        return {
            "shard": self.shard,
            "seconds_ago": round(self.age_seconds, 1),
            "state": self.trouble or self.told.get("state", ""),
            **{
                name: self.told.get(name)
                for name in ("symbols", "feed_age_seconds", "messages", "dropped", "breaker")
            },
            "signals": {
                name: one.get("signals") for name, one in self.told.get("strategies", {}).items()
            },
        }


def seen(*, redis_url: str) -> list[Sign]:
    """Return every process that told something within a day and did not take its leave."""
    try:
        with redis.Redis.from_url(redis_url, socket_timeout=1, socket_connect_timeout=1) as client:
            rows: dict[bytes, bytes] = client.hgetall(KEY)
    except (RedisError, OSError) as error:
        log.debug("signs_not_read", error=str(error))
        return []
    found = []
    for shard, raw in sorted(rows.items()):
        told = json.loads(raw)
        age = (datetime.now(UTC) - datetime.fromisoformat(told["at"])).total_seconds()
        if age < FORGOTTEN_SECONDS:
            found.append(Sign(shard.decode(), max(age, 0.0), told))
    return found
