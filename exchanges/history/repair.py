"""Keeping histories whole: what is wanted, what is missing of it, and fetching that.

Beat looks every few seconds (`look`). Looking costs one query: a series' own figures say whether
anything is missing. Fetching goes on for a slice of a few seconds, one process at a time, so that
a long fill never keeps a worker from other work; the next look goes on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import structlog
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.utils import timezone

from audit import trail
from exchanges.domain.candle_checks import BadCandle
from exchanges.domain.candles import DAY_MS, INTERVALS, length_ms, opened_at
from exchanges.domain.errors import RateLimited, VenueError
from exchanges.domain.venues import Venue
from exchanges.history import fill, gaps, tables
from exchanges.history import series as histories
from exchanges.models import Series
from exchanges.venues import configured
from exchanges.venues.binance import market_history
from exchanges.venues.binance.market_history import MarketHistory
from foundation import tasks

log = structlog.get_logger(__name__)
LATE_MS = 15_000  # the live stream stores a closed candle within seconds; later, it was lost
REST_AFTER_TROUBLE = timedelta(seconds=30)
TROUBLE = (VenueError, BadCandle, ImproperlyConfigured)
Open = Callable[[Venue], MarketHistory]


@dataclass(frozen=True, slots=True)
class Look:
    """What one look came to."""

    series: int  # looked at
    repaired: int  # that something was stored of
    candles: int  # stored
    troubled: int


def look(*, seconds: float, open_history: Open = market_history.for_venue) -> Look:
    """Fill what is wanted and repair what has gaps, for about `seconds`."""
    until = time.monotonic() + seconds
    ensure_partitions()
    due = list(_due())
    repaired = candles = troubled = 0
    for one in due:
        if time.monotonic() >= until:
            break
        stored = _try(one, open_history, until)
        troubled += stored is None
        repaired += bool(stored)
        candles += stored or 0
    if repaired:
        log.info("history_repaired", series=repaired, candles=candles)
    return Look(len(due), repaired, candles, troubled)


def now(series_id: int, *, actor: str, open_history: Open = market_history.for_venue) -> int:
    """Count one series anew and repair it whatever it rests for, outages too; return what was
    stored. On record."""
    histories.recount(series_id)
    one = Series.objects.get(pk=series_id)
    stored, trouble = 0, ""
    try:
        history = open_history(one.venue)
        start_ms = _start(one, history.now_ms())
        end_ms = _end(one, history.now_ms())
        for page in fill.series(history, one, start_ms, end_ms, ask_for_outages=True):
            stored += page.stored
    except TROUBLE as error:
        trouble = str(error)
    with transaction.atomic():
        _looked(one, trouble)
        trail.record(
            trail.Entry(
                kind="history.repaired",
                actor=actor,
                subject_type="series",
                subject_id=str(one.pk),
                environment=one.environment,
                data={"series": str(one), "stored": stored, "trouble": trouble},
            )
        )
    return stored


def request(series_ids: list[int], *, actor: str) -> int:
    """Put repairs into the queue, on record; return how many."""
    chosen = list(Series.objects.filter(pk__in=series_ids, interval__in=INTERVALS))
    with transaction.atomic():
        trail.record(
            *(
                trail.Entry(
                    kind="history.repair_asked",
                    actor=actor,
                    subject_type="series",
                    subject_id=str(one.pk),
                    environment=one.environment,
                    data={"series": str(one)},
                )
                for one in chosen
            )
        )
        for one in chosen:
            tasks.enqueue_on_commit("history.repair_one", one.pk, actor)
    return len(chosen)


def ensure_partitions() -> list[str]:
    """Make the partitions of today and of the weeks to come, so that no writer has to."""
    now_ms = time.time_ns() // 1_000_000
    ahead_ms = now_ms + 45 * DAY_MS
    return tables.ensure(tables.CANDLES, now_ms, ahead_ms) + tables.ensure(
        tables.TRADES, now_ms, ahead_ms
    )


def wanted_from(interval: str, now_ms: int) -> int:
    """Return since when candles are kept: HISTORY_DAYS, and at least HISTORY_CANDLES of them."""
    back = max(settings.HISTORY_DAYS * DAY_MS, (settings.HISTORY_CANDLES + 1) * length_ms(interval))
    return opened_at(interval, now_ms - back)


def wanted() -> list[tuple[str, str]]:
    """Return symbol and interval of every series that fills itself and follows the market."""
    return [
        (symbol, interval)
        for symbol in settings.TRADING_SYMBOLS
        for interval in settings.CANDLE_INTERVALS
    ]


# ---- inside ----------------------------------------------------------------------------------


def _due() -> Iterator[Series]:
    """Yield series that something is missing of: the empty ones first, then the shortest gaps."""
    ours = configured.venue()
    known = {(one.symbol, one.interval): one for one in Series.objects.filter(**ours.columns())}
    for symbol, interval in wanted():
        if (symbol, interval) not in known:
            known[symbol, interval] = histories.get(venue=ours, symbol=symbol, interval=interval)
    beside = Series.objects.filter(exchange=ours.exchange, environment=ours.environment)
    others = beside.exclude(market=ours.market)
    now, now_ms = timezone.now(), time.time_ns() // 1_000_000
    again = gaps.asked_again(ours.exchange, ours.environment, now=now)
    candidates = [
        (lacking, one)
        for one in (*known.values(), *others)
        if one.interval in INTERVALS and (lacking := _lacking(one, now_ms) + (one.pk in again)) > 0
    ]
    candidates.sort(key=lambda pair: (pair[1].rows > 0, pair[0]))
    for _, one in candidates:
        if not one.trouble or one.checked_at is None or one.checked_at + REST_AFTER_TROUBLE <= now:
            yield one


def _is_wanted(one: Series) -> bool:
    return one.venue == configured.venue() and (one.symbol, one.interval) in set(wanted())


def _lacking(one: Series, now_ms: int) -> int:
    """Return about how many candles are missing; the series' own figures, no row is read."""
    lacking = abs(gaps.missing(one))
    if not _is_wanted(one):
        return lacking
    length = length_ms(one.interval)
    start_ms = wanted_from(one.interval, now_ms)
    if one.first_ms is None or one.last_ms is None:
        return (now_ms - start_ms) // length
    late = (opened_at(one.interval, now_ms - LATE_MS) - one.last_ms) // length - 1
    is_begun = one.first_ms <= start_ms or any(
        a <= start_ms and b >= one.first_ms for a, b in gaps.at_rest(one, now=timezone.now())
    )
    early = 0 if is_begun else (one.first_ms - start_ms) // length
    return lacking + max(late, 0) + early


def _start(one: Series, now_ms: int) -> int:
    first = one.first_ms if one.first_ms is not None else now_ms
    return min(first, wanted_from(one.interval, now_ms)) if _is_wanted(one) else first


def _end(one: Series, now_ms: int) -> int:
    return now_ms if _is_wanted(one) or one.last_ms is None else one.last_ms


def _try(one: Series, open_history: Open, until: float) -> int | None:
    """Fetch what is missing of one series until time is up; None when the venue would not tell."""
    stored = 0
    try:
        history = open_history(one.venue)
        now_ms = history.now_ms()
        pages = fill.series(
            history, one, _start(one, now_ms), _end(one, now_ms), ask_for_outages=False
        )
        for page in pages:
            stored += page.stored
            if time.monotonic() >= until:
                return stored
    except RateLimited as error:
        _looked(one, f"waits {error.retry_after:.0f} s: {error.text}")
        return None
    except TROUBLE as error:
        log.warning("history_not_repaired", series=str(one), error=str(error))
        _looked(one, str(error))
        return None
    _looked(one, "")
    return stored


def _looked(one: Series, trouble: str) -> None:
    one.checked_at, one.trouble = timezone.now(), trouble[:200]
    one.save(update_fields=["checked_at", "trouble"])
