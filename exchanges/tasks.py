"""Celery tasks of the history of prices: thin doors to the use-cases."""

from __future__ import annotations

import redis
import structlog
from celery import shared_task
from django.conf import settings

from exchanges.history import repair

log = structlog.get_logger(__name__)
SLICE_SECONDS = 5.0
LOCK = "petrosa:history:repair"
LOCK_SECONDS = 120


@shared_task(name="history.repair")
def repair_history() -> None:
    """Fill and repair histories for a few seconds; one process at a time."""
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1) as client:
        if not client.set(LOCK, 1, nx=True, ex=LOCK_SECONDS):
            return
        try:
            repair.look(seconds=SLICE_SECONDS)
        finally:
            client.delete(LOCK)


@shared_task(name="history.repair_one")
def repair_one(series_id: int, actor: str) -> None:
    """Repair one series now, as somebody asked."""
    repair.now(series_id, actor=actor)
