"""News for the browsers: committed audit events, published on Redis, best effort.

The database is the truth; a page that missed something reads it again on connect.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import orjson
import redis
import structlog
from django.conf import settings

from audit.models import Event

CHANNEL = "petrosa:live"
SILENCE_AFTER_FAILURE_SECONDS = 5.0

log = structlog.get_logger(__name__)
_client: redis.Redis | None = None
_silent_until = 0.0


def as_message(event: Event) -> dict[str, Any]:
    return {
        "id": event.pk,
        "at": event.at,
        "kind": event.kind,
        "actor": event.actor,
        "signal_uid": event.signal_uid,
        "correlation_id": event.correlation_id,
        "environment": event.environment,
        "subject_type": event.subject_type,
        "subject_id": event.subject_id,
        "data": event.data,
    }


def publish(events: Iterable[Event]) -> None:
    """Tell watchers; when Redis is away say so once, stay quiet for a few seconds, go on."""
    global _client, _silent_until
    if time.monotonic() < _silent_until:
        return
    if _client is None:
        _client = redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=0.5, socket_connect_timeout=0.5
        )
    try:
        _client.publish(CHANNEL, orjson.dumps([as_message(e) for e in events], default=str))
    except redis.RedisError as error:
        _silent_until = time.monotonic() + SILENCE_AFTER_FAILURE_SECONDS
        log.warning("live_news_not_published", error=str(error))
