"""News for the browsers: committed audit events, published on Redis, best effort.

The database is the truth; a page that missed something reads it again on connect. Publishing
happens in a thread of its own, so that a trade never waits for its watchers.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Iterable
from typing import Any

import orjson
import redis
import structlog
from django.conf import settings

from audit.models import Event

CHANNEL = "petrosa:live"
MOST_WAITING = 5000
SILENCE_AFTER_FAILURE_SECONDS = 5.0

log = structlog.get_logger(__name__)
_waiting: queue.Queue[list[Event]] = queue.Queue(MOST_WAITING)
_publisher: threading.Thread | None = None
_start = threading.Lock()


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
    """Tell watchers soon. When they cannot be told fast enough, news is dropped and logged."""
    if _publisher is None:
        _begin()
    try:
        _waiting.put_nowait(list(events))
    except queue.Full:
        log.warning("live_news_dropped", waiting=MOST_WAITING)


def flush(seconds: float = 2.0) -> bool:
    """Wait until everything published so far has left; False when it did not in time."""
    deadline = time.monotonic() + seconds
    while _waiting.unfinished_tasks:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def _begin() -> None:
    global _publisher
    with _start:
        if _publisher is None:
            _publisher = threading.Thread(target=_run, name="live-news", daemon=True)
            _publisher.start()


def _run() -> None:
    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=0.5, socket_connect_timeout=0.5
    )
    silent_until = 0.0
    while True:
        batch = [_waiting.get()]
        while not _waiting.empty():
            batch.append(_waiting.get())
        if time.monotonic() >= silent_until:
            try:
                events = [as_message(event) for events in batch for event in events]
                client.publish(CHANNEL, orjson.dumps(events, default=str))
            except redis.RedisError as error:
                silent_until = time.monotonic() + SILENCE_AFTER_FAILURE_SECONDS
                log.warning("live_news_not_published", error=str(error))
        for _ in batch:
            _waiting.task_done()


def _forget_parent() -> None:
    """A forked child has no publisher thread: it starts its own with its first news."""
    global _publisher, _waiting, _start
    _publisher = None
    _waiting = queue.Queue(MOST_WAITING)
    _start = threading.Lock()


os.register_at_fork(after_in_child=_forget_parent)
