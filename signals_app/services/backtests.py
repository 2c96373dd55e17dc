"""Backtests: asked for once, run by whoever claims them, cancelled, lost and found.

The row is the queue and the lock. A worker claims it with a guarded update, tells its progress by
another, and writes its result by a third: whoever has been cancelled or given up for lost in
between finds that no row is his any more, and stops.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import orjson
import structlog
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from audit import trail
from foundation import tasks
from signals_app.backtest import candles as candle_run
from signals_app.backtest import coverage, metrics, report
from signals_app.backtest.result import Stopped
from signals_app.backtest.setup import SetupInvalid
from signals_app.models import BacktestReport, BacktestRun
from signals_app.models.backtests import Job
from signals_app.services import backtest_plan
from signals_app.services.backtest_plan import Wish

log = structlog.get_logger(__name__)
Status = Job.Status
TELL_EVERY = 0.5  # seconds between two writes of the progress
LOST_AFTER = timedelta(seconds=120)
FORGOTTEN_AFTER = timedelta(seconds=60)
LOST = "Its worker ended before it did (killed, or out of memory). Start it again."


class NotPossible(Exception):
    """The backtest is not in a state for this; the text says what it is."""


class AlreadyDone(NotPossible):
    """It came to its end: only a new one can be asked for."""


def ask(*, wish: Wish, actor: str) -> tuple[BacktestRun, bool]:
    """Queue a backtest; return it and whether it is new. The same one asked for twice at once is
    one run. Raise ValidationError naming the fields at fault."""
    backtest_plan.check_stored(backtest_plan.plan(wish))
    asked = wish.as_json()
    mark = fingerprint(asked)
    now = timezone.now()
    run = BacktestRun(
        strategy_id=wish.strategy_id,
        symbol=wish.symbol,
        interval=wish.interval,
        wish=asked,
        fingerprint=mark,
        actor=actor,
        created_at=now,
        queued_at=now,
    )
    try:
        with transaction.atomic():
            run.save(force_insert=True)
            _record("backtest.asked", run, actor, asked)
            _enqueue_later(run.pk)
    except IntegrityError:
        running = BacktestRun.objects.filter(fingerprint=mark, status__in=Job.ACTIVE).first()
        if running is None:
            raise
        return running, False
    return run, True


def again(run_id: int, *, actor: str) -> BacktestRun:
    """Queue a run once more that failed, was cancelled or lost. Raise NotPossible; AlreadyDone
    for one with a report."""
    now = timezone.now()
    try:
        with transaction.atomic():
            waiting = BacktestRun.objects.filter(pk=run_id, status__in=Job.AGAIN)
            queued = waiting.update(
                status=Status.QUEUED,
                progress=0,
                error="",
                queued_at=now,
                started_at=None,
                finished_at=None,
            )
            if not queued:
                raise _not_again(run_id)
            run = BacktestRun.objects.get(pk=run_id)
            _record("backtest.asked", run, actor, {"again": run.attempt})
            _enqueue_later(run_id)
    except IntegrityError:
        raise NotPossible("the same backtest is running already") from None
    return run


def cancel(run_id: int, *, actor: str) -> BacktestRun:
    """End a run that waits or runs. Raise NotPossible."""
    with transaction.atomic():
        rows = BacktestRun.objects.filter(pk=run_id, status__in=Job.ACTIVE)
        if not rows.update(status=Status.CANCELLED, finished_at=timezone.now()):
            raise NotPossible(_how_it_is(run_id))
        run = BacktestRun.objects.get(pk=run_id)
        _record("backtest.cancelled", run, actor, {"progress": round(run.progress, 3)})
    return run


def carry_out(run_id: int) -> bool:
    """Run a queued backtest; False when somebody else has, or nobody wants it any more."""
    now = timezone.now()
    claimed = BacktestRun.objects.filter(pk=run_id, status=Status.QUEUED).update(
        status=Status.RUNNING,
        attempt=F("attempt") + 1,
        progress=0,
        started_at=now,
        seen_at=now,
    )
    if not claimed:
        return False
    run = BacktestRun.objects.get(pk=run_id)
    try:
        told = _reckon(run)
    except Stopped:
        return False
    except (ValidationError, SetupInvalid) as error:
        _fail(run, _words(error))
    except Exception as error:
        log.exception("backtest_failed", run=run_id)
        _fail(run, f"{type(error).__name__}: {error}")
    else:
        _finish(run, told)
    return True


def look_after(*, now: datetime | None = None) -> list[int]:
    """Tell of runs whose worker is gone; return those that wait too long, to be enqueued anew."""
    now = now or timezone.now()
    silent = BacktestRun.objects.filter(status=Status.RUNNING, seen_at__lt=now - LOST_AFTER)
    for run in silent:
        with transaction.atomic():
            mine = BacktestRun.objects.filter(
                pk=run.pk, status=Status.RUNNING, attempt=run.attempt, seen_at=run.seen_at
            )
            if mine.update(status=Status.LOST, error=LOST, finished_at=now):
                _record("backtest.lost", run, "backtests", {"progress": round(run.progress, 3)})
    late = BacktestRun.objects.filter(status=Status.QUEUED, queued_at__lt=now - FORGOTTEN_AFTER)
    found = list(late.order_by("pk").values_list("pk", flat=True)[:100])
    BacktestRun.objects.filter(pk__in=found, status=Status.QUEUED).update(queued_at=now)
    return found


def fingerprint(asked: dict[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)).hexdigest()


def wish_of(job: Job) -> Wish:
    return Wish(**job.wish)


def pulse(beat: Callable[[float], int], every: float = TELL_EVERY) -> Callable[[float], None]:
    """Return a progress that is written now and then; `beat` says whether the row is still ours."""
    last = 0.0

    def told(done: float) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < every:
            return
        last = now
        if not beat(done):
            raise Stopped

    return told


# ---- inside ----------------------------------------------------------------------------------


def _reckon(run: BacktestRun) -> dict[str, Any]:
    beat = pulse(lambda done: _mine(run).update(progress=done, seen_at=timezone.now()))
    found = backtest_plan.plan(wish_of(run))
    candles = backtest_plan.candles_of(found)
    beat(0.0)
    result = candle_run.run(found.strategy, candles, found.setup, progress=beat)
    said = coverage.warnings(candles, found.start_ms, found.end_ms)
    return report.document(result, metrics.of(result), candles, warnings=said)


def _mine(run: BacktestRun) -> Any:
    return BacktestRun.objects.filter(pk=run.pk, status=Status.RUNNING, attempt=run.attempt)


def _finish(run: BacktestRun, told: dict[str, Any]) -> None:
    with transaction.atomic():
        is_ours = _mine(run).update(
            status=Status.DONE,
            progress=1,
            figures={**told["figures"], "warnings": told["warnings"]},
            digest=told["digest"],
            finished_at=timezone.now(),
        )
        if not is_ours:
            return
        BacktestReport.objects.update_or_create(
            run=run, defaults={"body": BacktestReport.packed(told)}
        )
        figures = told["figures"]
        data = {name: figures[name] for name in ("total_return", "sharpe", "trades")}
        _record("backtest.done", run, run.actor, {**data, "digest": told["digest"]})


def _fail(run: BacktestRun, words: str) -> None:
    with transaction.atomic():
        if _mine(run).update(status=Status.FAILED, error=words[:500], finished_at=timezone.now()):
            _record("backtest.failed", run, run.actor, {"error": words[:500]})


def _words(error: ValidationError | SetupInvalid) -> str:
    if isinstance(error, ValidationError) and hasattr(error, "error_dict"):
        return "; ".join(f"{n}: {' '.join(w)}" for n, w in error.message_dict.items())
    return str(error)


def _how_it_is(run_id: int) -> str:
    run = BacktestRun.objects.filter(pk=run_id).first()
    if run is None:
        return "there is no such backtest"
    words = run.get_status_display().lower()
    return f"it {words}" if run.status == Status.QUEUED else f"it is {words}"


def _not_again(run_id: int) -> NotPossible:
    if BacktestRun.objects.filter(pk=run_id, status=Status.DONE).exists():
        return AlreadyDone("it is done and has its report; ask for a new one to run it once more")
    return NotPossible(_how_it_is(run_id))


def _enqueue_later(run_id: int) -> None:
    tasks.enqueue_on_commit("backtests.run", run_id)


def _record(kind: str, run: BacktestRun, actor: str, data: dict[str, Any]) -> None:
    trail.record(
        trail.Entry(
            kind=kind,
            actor=actor,
            subject_type="backtest",
            subject_id=str(run.pk),
            data={
                "strategy_id": run.strategy_id,
                "symbol": run.symbol,
                "interval": run.interval,
                **data,
            },
        )
    )
