"""Sweeps of parameters: one task for each trial, the last one sums up.

The trials are rows, and the rows are the barrier: no result of a task is kept anywhere else, so a
broker or worker that is lost loses time and nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from celery import group
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from audit import trail
from exchanges.domain.candles import Candles
from foundation import tasks
from signals_app.backtest import coverage
from signals_app.backtest import sweep as trying
from signals_app.backtest.result import Stopped
from signals_app.backtest.setup import SetupInvalid
from signals_app.models import BacktestSweep, BacktestTrial
from signals_app.models.backtests import Job
from signals_app.services import backtest_plan
from signals_app.services.backtest_plan import Plan, Wish
from signals_app.services.backtests import (
    FORGOTTEN_AFTER,
    LOST_AFTER,
    NotPossible,
    fingerprint,
    pulse,
)

log = structlog.get_logger(__name__)
Status = Job.Status
WINDOWS, RATIO = 4, 3  # of the walk forward, where nobody says otherwise
MOST_ATTEMPTS = 3
FAILED_SHARE = 0.5  # of the trials: then the sweep has failed
_loaded: dict[str, Candles] = {}  # of the sweep this process works on


def ask(
    *,
    wish: Wish,
    grid: Mapping[str, str],
    windows: int,
    ratio: int,
    actor: str,
    is_enqueued: bool = True,
) -> tuple[BacktestSweep, bool]:
    """Queue a sweep; return it and whether it is new. Raise ValidationError naming the fields.
    One that is not enqueued waits for its asker to call `help_out`."""
    plan = backtest_plan.plan(wish)
    candles = backtest_plan.candles_of(plan)
    try:
        trials = trying.grid(plan.strategy.spec, trying.axes(grid))
        trying.windows(candles, windows, ratio)
    except SetupInvalid as error:
        raise ValidationError({error.name: error.message}) from None
    asked = {**wish.as_json(), "grid": dict(grid), "windows": windows, "ratio": ratio}
    mark, now = fingerprint(asked), timezone.now()
    sweep = BacktestSweep(
        strategy_id=wish.strategy_id,
        symbol=wish.symbol,
        interval=wish.interval,
        wish=asked,
        fingerprint=mark,
        actor=actor,
        created_at=now,
        queued_at=now,
        trials_count=len(trials),
    )
    try:
        with transaction.atomic():
            sweep.save(force_insert=True)
            rows = [
                BacktestTrial(sweep=sweep, number=number, params=params)
                for number, params in enumerate(trials)
            ]
            BacktestTrial.objects.bulk_create(rows)
            _record("sweep.asked", sweep, actor, asked)
            if is_enqueued:
                _enqueue_later(sweep)
    except IntegrityError:
        running = BacktestSweep.objects.filter(fingerprint=mark, status__in=Job.ACTIVE).first()
        if running is None:
            raise
        return running, False
    return sweep, True


def cancel(sweep_id: int, *, actor: str) -> BacktestSweep:
    """End a sweep that waits or runs; its trials stop at their next sign of life."""
    with transaction.atomic():
        rows = BacktestSweep.objects.filter(pk=sweep_id, status__in=Job.ACTIVE)
        if not rows.update(status=Status.CANCELLED, finished_at=timezone.now()):
            raise NotPossible("it neither waits nor runs")
        waiting = BacktestTrial.objects.filter(sweep=sweep_id, status__in=Job.ACTIVE)
        waiting.update(status=Status.CANCELLED)
        sweep = BacktestSweep.objects.get(pk=sweep_id)
        _record("sweep.cancelled", sweep, actor, {"progress": round(sweep.progress, 3)})
    return sweep


def carry_out(trial_id: int) -> bool:
    """Run one trial of a sweep that is still wanted, and sum up after the last."""
    now = timezone.now()
    waiting = BacktestTrial.objects.filter(
        pk=trial_id, status=Status.QUEUED, sweep__status__in=Job.ACTIVE
    )
    if not waiting.update(status=Status.RUNNING, attempt=F("attempt") + 1, seen_at=now):
        return False
    row = BacktestTrial.objects.select_related("sweep").get(pk=trial_id)
    BacktestSweep.objects.filter(pk=row.sweep_id, status=Status.QUEUED).update(
        status=Status.RUNNING, started_at=now, seen_at=now
    )
    try:
        result = _reckon(row)
    except Stopped:
        return False
    except Exception as error:
        if not isinstance(error, ValidationError | SetupInvalid):
            log.exception("trial_failed", trial=trial_id)
        _mine(row).update(status=Status.FAILED, error=str(error)[:500])
    else:
        _mine(row).update(status=Status.DONE, result=result)
    _move_on(row.sweep_id)
    return True


def help_out(sweep_id: int) -> Iterator[BacktestSweep]:
    """Run the trials of a sweep that wait, in this process, beside any worker's; yield how it is
    after each, until it is over."""
    while True:
        sweep = BacktestSweep.objects.get(pk=sweep_id)
        yield sweep
        if not sweep.is_active:
            return
        waiting = sweep.trials.filter(status=Status.QUEUED).order_by("number").first()
        if waiting is None:
            time.sleep(0.2)  # a worker has the last ones
        else:
            carry_out(waiting.pk)


def look_after(*, now: datetime | None = None) -> list[int]:
    """Take trials back whose worker is gone; return those that wait too long, to be enqueued."""
    now = now or timezone.now()
    silent = BacktestTrial.objects.filter(
        status=Status.RUNNING, seen_at__lt=now - LOST_AFTER, sweep__status__in=Job.ACTIVE
    )
    for row in silent:
        is_over = row.attempt >= MOST_ATTEMPTS
        _mine(row).update(
            status=Status.LOST if is_over else Status.QUEUED,
            error=f"its worker ended {row.attempt} times" if is_over else "",
        )
        if is_over:
            _move_on(row.sweep_id)
    for sweep in BacktestSweep.objects.filter(status__in=Job.ACTIVE):
        _move_on(sweep.pk)
    idle = BacktestSweep.objects.filter(
        status__in=Job.ACTIVE, queued_at__lt=now - max(FORGOTTEN_AFTER, timedelta(minutes=5))
    )
    found: list[int] = []
    for sweep in idle:
        rows = BacktestTrial.objects.filter(sweep=sweep, status=Status.QUEUED)
        found += list(rows.order_by("number").values_list("pk", flat=True))
    idle.update(queued_at=now)
    return found


# ---- inside ----------------------------------------------------------------------------------


def _reckon(row: BacktestTrial) -> dict[str, Any]:
    asked = dict(row.sweep.wish)
    for name in ("grid", "windows", "ratio"):
        asked.pop(name)
    wish = Wish(**asked)
    plan = backtest_plan.plan(replace(wish, params={**wish.params, **row.params}))
    candles = _candles(row.sweep, plan)
    cut = trying.windows(candles, row.sweep.wish["windows"], row.sweep.wish["ratio"])
    beat = pulse(
        lambda _: _mine(row).filter(sweep__status__in=Job.ACTIVE).update(seen_at=timezone.now()), 2
    )
    said = coverage.warnings(candles, plan.start_ms, plan.end_ms)
    return {**trying.trial(plan.strategy, candles, plan.setup, cut, beat), "warnings": said}


def _candles(sweep: BacktestSweep, plan: Plan) -> Candles:
    """Load the candles once for all trials of a sweep that this process runs."""
    if sweep.fingerprint not in _loaded:
        _loaded.clear()
        _loaded[sweep.fingerprint] = backtest_plan.candles_of(plan)
    return _loaded[sweep.fingerprint]


def _mine(row: BacktestTrial) -> Any:
    return BacktestTrial.objects.filter(pk=row.pk, status=Status.RUNNING, attempt=row.attempt)


def _move_on(sweep_id: int) -> None:
    """Write how far a sweep is, and sum it up when nothing of it is left to do."""
    rows = BacktestTrial.objects.filter(sweep=sweep_id)
    left = rows.filter(status__in=Job.ACTIVE).count()
    sweep = BacktestSweep.objects.get(pk=sweep_id)
    active = BacktestSweep.objects.filter(pk=sweep_id, status__in=Job.ACTIVE)
    if left:
        done = 1 - left / sweep.trials_count
        active.update(progress=done, seen_at=timezone.now())
        return
    done_rows = list(rows.filter(status=Status.DONE).order_by("number"))
    now = timezone.now()
    if len(done_rows) < sweep.trials_count * FAILED_SHARE:
        first = rows.exclude(error="").values_list("error", flat=True).first() or "no trial ended"
        words = f"{sweep.trials_count - len(done_rows)} trials failed: {first}"[:500]
        with transaction.atomic():
            if active.update(status=Status.FAILED, error=words, finished_at=now):
                _record("sweep.failed", sweep, sweep.actor, {"error": words})
        return
    results = trying.summary([(one.params, one.result or {}) for one in done_rows])
    results["warnings"] = (done_rows[0].result or {}).get("warnings", [])
    results["numbers"] = [one.number for one in done_rows]
    with transaction.atomic():
        if active.update(status=Status.DONE, progress=1, results=results, finished_at=now):
            _record("sweep.done", sweep, sweep.actor, {"warning": results["warning"]})


def _enqueue_later(sweep: BacktestSweep) -> None:
    ids = list(sweep.trials.order_by("number").values_list("pk", flat=True))
    trial = tasks.named("backtests.run_trial")
    transaction.on_commit(lambda: group(trial.s(one) for one in ids).delay())


def _record(kind: str, sweep: BacktestSweep, actor: str, data: dict[str, Any]) -> None:
    trail.record(
        trail.Entry(
            kind=kind,
            actor=actor,
            subject_type="backtest_sweep",
            subject_id=str(sweep.pk),
            data={
                "strategy_id": sweep.strategy_id,
                "symbol": sweep.symbol,
                "interval": sweep.interval,
                "trials": sweep.trials_count,
                **data,
            },
        )
    )
