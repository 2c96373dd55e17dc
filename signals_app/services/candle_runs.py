"""Run our technical strategies on each closed candle, once, however many beats and workers ask.

A pass looks at each symbol and interval that a strategy is set to: has the newest closed candle
been run? If not, and it is in the history, one worker claims it for LEASE, asks the strategies,
publishes what they say, and only then notes it as done. A worker that dies in between leaves its
claim to run out: the next one says the same again, with the same uids, which the bus and the
database keep once. A candle that nobody got to within SIGNAL_MAX_AGE_SECONDS gives no signal: its
price is the past. That is counted and told.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db.models import F, Q, QuerySet

from exchanges.domain.candles import Candles, length_ms, opened_at
from exchanges.history import store
from exchanges.venues import configured
from foundation import metrics
from signals_app.gateways import emitter
from signals_app.gateways.emitter import Said
from signals_app.models import CandleRun
from signals_app.services import strategy_settings
from signals_app.services.strategy_settings import Mode, Setting
from signals_app.strategies import technical
from signals_app.strategies.spec import Kind
from signals_app.strategies.technical import base

log = structlog.get_logger(__name__)
LEASE = timedelta(seconds=15)
Outcome = CandleRun.Outcome
Load = Callable[..., Candles]
Publish = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Due:
    """A candle that closed and was not run yet; `candle_ms` is when it opened."""

    run: CandleRun
    candle_ms: int
    strategies: tuple[Setting, ...]

    @property
    def length_ms(self) -> int:
        return length_ms(self.run.interval)

    @property
    def closed_at(self) -> datetime:
        return datetime.fromtimestamp((self.candle_ms + self.length_ms) / 1000, UTC)

    @property
    def needs(self) -> int:
        """How many candles its strategies look at."""
        return max(_needed(one) for one in self.strategies)

    @property
    def skipped(self) -> int:
        """How many candles between the last one run and this one nobody ran."""
        last = self.run.candle_ms
        return 0 if last is None else (self.candle_ms - last) // self.length_ms - 1


@dataclass(slots=True)
class Judged:
    """What strategies said of one candle; `silent`: who could not judge it, and why."""

    due: Due
    claimed_until: datetime
    said: list[Said] = field(default_factory=list)
    silent: dict[str, str] = field(default_factory=dict)

    @property
    def outcome(self) -> CandleRun.Outcome:
        return Outcome.PARTLY if self.silent else Outcome.RAN


def run_due(
    now: datetime, *, load: Load = store.load, publish: Publish = emitter.publish_all
) -> list[Judged]:
    """Run every candle that is due. Raise BusUnavailable; all is run again then."""
    started = time.monotonic()
    judged: list[Judged] = []
    for due in _due(now):
        if now - due.closed_at > timedelta(seconds=settings.SIGNAL_MAX_AGE_SECONDS):
            _too_late(due, now, _is_there(due, _load(due, load, last=1)))
            continue
        candles = _load(due, load, last=due.needs)
        if not _is_there(due, candles):
            continue  # the history will have it in a moment
        claimed_until = _claim(due, now)
        if claimed_until is not None:
            judged.append(judge(due, candles, claimed_until))
    _publish(judged, publish)
    done_at = now + timedelta(seconds=time.monotonic() - started)
    for one in judged:
        _note_run(one, done_at)
    return judged


def judge(due: Due, candles: Candles, claimed_until: datetime) -> Judged:
    """Ask each strategy of its last candle. One that fails does not silence the others."""
    judged = Judged(due, claimed_until)
    for setting in due.strategies:
        try:
            _ask(setting, candles, judged)
        except Exception:
            metrics.ERRORS.labels("technical_strategy").inc()
            log.exception("strategy_failed", strategy=setting.strategy_id, symbol=candles.symbol)
            judged.silent[setting.strategy_id] = "failed, see the log"
    return judged


def wanted() -> dict[tuple[str, str], tuple[Setting, ...]]:
    """Return who is to be asked, by symbol and interval."""
    found: dict[tuple[str, str], list[Setting]] = defaultdict(list)
    for setting in strategy_settings.every(Kind.TECHNICAL):
        if setting.mode != Mode.OFF:
            for symbol in setting.symbols:
                for interval in setting.timeframes:
                    found[symbol, interval].append(setting)
    return {series: tuple(asked) for series, asked in found.items()}


# ---- inside ----------------------------------------------------------------------------------


def _needed(setting: Setting) -> int:
    return technical.BY_ID[setting.strategy_id].lookback(setting.params) + 1


def _due(now: datetime) -> list[Due]:
    series = wanted()
    runs = _runs(series)
    now_ms = int(now.timestamp() * 1000)
    found = []
    for (symbol, interval), asked in series.items():
        newest = opened_at(interval, now_ms) - length_ms(interval)
        run = runs[symbol, interval]
        if run.candle_ms is None or run.candle_ms < newest:
            found.append(Due(run, newest, asked))
    return found


def _runs(series: Mapping[tuple[str, str], Any]) -> dict[tuple[str, str], CandleRun]:
    """Return the row of each series, made when there is none."""
    ours = configured.venue().columns()
    runs = {(run.symbol, run.interval): run for run in CandleRun.objects.filter(**ours)}
    if missing := series.keys() - runs.keys():
        rows = [CandleRun(symbol=symbol, interval=interval, **ours) for symbol, interval in missing]
        CandleRun.objects.bulk_create(rows, ignore_conflicts=True)
        runs = {(run.symbol, run.interval): run for run in CandleRun.objects.filter(**ours)}
    _rest(run for key, run in runs.items() if key not in series)
    return runs


def _rest(unwanted: Iterable[CandleRun]) -> None:
    """Have series that nobody is set to start anew one day: candles until then were not missed."""
    if awake := [run.pk for run in unwanted if run.candle_ms is not None]:
        CandleRun.objects.filter(pk__in=awake).update(
            candle_ms=None, outcome=Outcome.STARTED, strategies=0, signals=0, note=""
        )


def _load(due: Due, load: Load, *, last: int) -> Candles:
    return load(
        venue=due.run.venue,
        symbol=due.run.symbol,
        interval=due.run.interval,
        end_ms=due.candle_ms + due.length_ms,
        last=last,
    )


def _is_there(due: Due, candles: Candles) -> bool:
    return len(candles) > 0 and int(candles.opened_ms[-1]) == due.candle_ms


def _ask(setting: Setting, candles: Candles, judged: Judged) -> None:
    strategy = technical.BY_ID[setting.strategy_id]
    needed = strategy.lookback(setting.params) + 1
    if len(candles) < needed:
        judged.silent[setting.strategy_id] = f"warms up: {len(candles)} of {needed} candles"
        return
    window = candles.slice(len(candles) - needed, len(candles))
    if gaps := window.gaps():
        at = datetime.fromtimestamp(gaps[-1][0] / 1000, UTC)
        judged.silent[setting.strategy_id] = f"candles are missing from {at:%Y-%m-%d %H:%M}"
        return
    calls = strategy.calls(window, setting.params)
    if calls.side[-1]:
        judged.said.append(
            Said(
                base.emission(strategy, window, calls, needed - 1),
                is_shadow=setting.mode != Mode.LIVE,
                settings_version=setting.version,
                environment=judged.due.run.environment,
            )
        )


def _not_yet(due: Due) -> QuerySet[CandleRun]:
    """Return the row as long as nobody is done with the candle."""
    is_behind = Q(candle_ms__isnull=True) | Q(candle_ms__lt=due.candle_ms)
    return CandleRun.objects.filter(is_behind, pk=due.run.pk)


def _free(due: Due, now: datetime) -> QuerySet[CandleRun]:
    """Return the row as long as nobody is at work on it either."""
    return _not_yet(due).filter(Q(claimed_until__isnull=True) | Q(claimed_until__lte=now))


def _claim(due: Due, now: datetime) -> datetime | None:
    """Return until when the candle is ours, None when it is another worker's."""
    until = now + LEASE
    return until if _free(due, now).update(claimed_until=until) else None


def _publish(judged: Sequence[Judged], publish: Publish) -> None:
    said = [said for one in judged for said in one.said]
    if not said:
        return
    try:
        publish(said, name="technical")
    except Exception:
        for one in judged:  # the next pass need not wait for the claims to run out
            mine = CandleRun.objects.filter(pk=one.due.run.pk, claimed_until=one.claimed_until)
            mine.update(claimed_until=None)
        raise


def _note_run(judged: Judged, now: datetime) -> None:
    due = judged.due
    is_first_to_tell = _not_yet(due).update(
        candle_ms=due.candle_ms,
        claimed_until=None,
        outcome=judged.outcome,
        strategies=len(due.strategies) - len(judged.silent),
        signals=len(judged.said),
        missed=F("missed") + due.skipped,
        note=_grouped(judged.silent),
        ran_at=now,
    )
    if not is_first_to_tell:
        return
    metrics.CANDLE_RUNS.labels(judged.outcome).inc()
    metrics.CANDLE_DELAY.labels(due.run.interval).observe((now - due.closed_at).total_seconds())
    _tell_missed(due, due.skipped)
    if judged.silent:
        log.info("strategies_silent", series=str(due.run), why=_grouped(judged.silent))


def _too_late(due: Due, now: datetime, is_there: bool) -> None:
    """Be done with a candle whose signals would be refused for their age."""
    why = "nobody came" if is_there else "the last one is not in the history"
    is_first = due.run.candle_ms is None
    missed = 0 if is_first else due.skipped + 1
    is_first_to_tell = _free(due, now).update(
        candle_ms=due.candle_ms,
        claimed_until=None,
        outcome=Outcome.STARTED if is_first else Outcome.LATE,
        strategies=0,
        signals=0,
        missed=F("missed") + missed,
        note=""
        if is_first
        else f"{missed} not run within {settings.SIGNAL_MAX_AGE_SECONDS} s: {why}",
        ran_at=now,
    )
    if is_first_to_tell:
        _tell_missed(due, missed)


def _tell_missed(due: Due, missed: int) -> None:
    if missed:
        metrics.CANDLE_RUNS.labels(Outcome.LATE).inc(missed)
        log.warning("candles_not_run", series=str(due.run), missed=missed, until=due.closed_at)


def _grouped(silent: Mapping[str, str]) -> str:
    """Return who was silent, by reason: "warms up: 3 of 9 candles: macd_cross, supertrend"."""
    by_reason: dict[str, list[str]] = defaultdict(list)
    for strategy_id, reason in silent.items():
        by_reason[reason].append(strategy_id)
    return "; ".join(f"{reason}: {', '.join(names)}" for reason, names in by_reason.items())
