"""Celery tasks of the history of prices: thin doors to the use-cases."""

from __future__ import annotations

from celery import shared_task

from exchanges.history import repair
from foundation import locks

SLICE_SECONDS = 5.0


@shared_task(name="history.repair")
def repair_history() -> None:
    """Fill and repair histories for a few seconds; one process at a time.

    Two at once, without Redis, ask the venue twice and store once.
    """
    with locks.at("history-repair") as got_it:
        if got_it:
            repair.look(seconds=SLICE_SECONDS)


@shared_task(name="history.repair_one")
def repair_one(series_id: int, actor: str) -> None:
    """Repair one series now, as somebody asked."""
    repair.now(series_id, actor=actor)
