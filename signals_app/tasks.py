"""Celery tasks of the corridor: thin doors to the use-cases."""

from __future__ import annotations

import structlog
from celery import shared_task
from django.utils import timezone

from foundation import metrics
from signals_app.gateways.nats import BusUnavailable
from signals_app.services import (
    backtests,
    candle_runs,
    recovery,
    routing,
    scorecards,
    sweeps,
)
from trading import tasks as trading_tasks

log = structlog.get_logger(__name__)
MOST_TOGETHER = 4


@shared_task(name="signals.act_on")
def act_on(signal_id: int) -> None:
    """Decide on a stored signal and carry it out."""
    outcome = routing.act_on(signal_id)
    for position_id in outcome.positions:
        trading_tasks.want_protection(position_id)


@shared_task(name="signals.act_on_some")
def act_on_some(signal_ids: list[int]) -> None:
    """Act on a few signals of one burst, in order: a task costs a fifth of what a trade does.

    One that fails does not hold up the others; it stays received, and the sweep takes it.
    """
    for signal_id in signal_ids:
        try:
            act_on(signal_id)
        except Exception:
            metrics.ERRORS.labels("signal_task").inc()
            log.exception("signal_not_acted_on", signal_id=signal_id)


@shared_task(name="signals.exit")
def act_on_exit(signal_id: int) -> None:
    """Do the same for a signal that closes or reduces, in the queue of exits."""
    act_on(signal_id)


def parcels(signal_ids: list[int]) -> list[list[int]]:
    """Split a batch among tasks: alone while they are few, so that workers share them."""
    size = min(MOST_TOGETHER, max(1, len(signal_ids) // 3))
    return [signal_ids[at : at + size] for at in range(0, len(signal_ids), size)]


@shared_task(name="signals.sweep")
def sweep() -> None:
    """Enqueue entries that a crash left RECEIVED."""
    for signal_id in recovery.forgotten():
        act_on.delay(signal_id)
        recovery.note_enqueued(signal_id)


@shared_task(name="signals.sweep_exits")
def sweep_exits() -> None:
    """Enqueue exits that a crash left RECEIVED: they wait for seconds, not for the next sweep."""
    for signal_id in recovery.forgotten_exits():
        act_on_exit.delay(signal_id)
        recovery.note_enqueued(signal_id)


@shared_task(name="signals.sum_up")
def sum_up() -> None:
    """Add what has settled to the scorecards."""
    scorecards.roll()


@shared_task(name="signals.run_technical")
def run_technical() -> None:
    """Run our technical strategies on the candles that closed since the last pass."""
    try:
        candle_runs.run_due(timezone.now())
    except BusUnavailable as error:
        metrics.ERRORS.labels("technical_bus").inc()
        log.warning("technical_signals_wait_for_the_bus", error=str(error))


@shared_task(name="backtests.run")
def run_backtest(run_id: int) -> None:
    """Run a queued backtest."""
    backtests.carry_out(run_id)


@shared_task(name="backtests.run_trial")
def run_trial(trial_id: int) -> None:
    """Run one trial of a sweep; the last one sums the sweep up."""
    sweeps.carry_out(trial_id)


@shared_task(name="backtests.sweep")
def sweep_backtests() -> None:
    """Tell of runs whose worker is gone, and enqueue what a crash left waiting."""
    for run_id in backtests.look_after():
        run_backtest.delay(run_id)
    for trial_id in sweeps.look_after():
        run_trial.delay(trial_id)
