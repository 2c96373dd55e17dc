"""Celery tasks of the corridor: thin doors to the use-cases."""

from __future__ import annotations

from celery import shared_task

from signals_app.services import recovery, routing
from trading import tasks as trading_tasks


@shared_task(name="signals.act_on")
def act_on(signal_id: int) -> None:
    """Decide on a stored signal and carry it out."""
    outcome = routing.act_on(signal_id)
    for position_id in outcome.positions:
        trading_tasks.want_protection(position_id)


@shared_task(name="signals.sweep")
def sweep() -> None:
    """Enqueue signals that a crash left RECEIVED."""
    for signal_id in recovery.forgotten():
        act_on.delay(signal_id)
