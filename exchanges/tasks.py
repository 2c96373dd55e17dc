"""Celery tasks of the history of prices: thin doors to the use-cases."""

from __future__ import annotations

from contextlib import suppress

import redis
import structlog
from celery import shared_task
from django.conf import settings
from redis.exceptions import LockError

from exchanges.history import repair

log = structlog.get_logger(__name__)
SLICE_SECONDS = 5.0
LOCK = "petrosa:history:repair"
LOCK_SECONDS = 20  # a slice and a slow answer; what a killed worker held is free again by then


@shared_task(name="history.repair")
def repair_history() -> None:
    """Fill and repair histories for a few seconds; one process at a time.

    Two at once, when a slice took longer than its lock, ask the venue twice and store once.
    """
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1) as client:
        lock = client.lock(LOCK, timeout=LOCK_SECONDS, blocking=False)
        if not lock.acquire():
            return
        try:
            repair.look(seconds=SLICE_SECONDS)
        finally:
            with suppress(LockError):  # it ran out, and may be another's by now
                lock.release()


@shared_task(name="history.repair_one")
def repair_one(series_id: int, actor: str) -> None:
    """Repair one series now, as somebody asked."""
    repair.now(series_id, actor=actor)
