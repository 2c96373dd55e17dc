"""Circuit breakers: facts are gathered, judged, and what is wrong stops trading by `control`.

`watch` runs every few seconds, in a worker and in the market process: it asks no venue, so that it
goes on while a venue hangs. `freshen` asks, in a worker, and nobody waits for it. `seen` tells what
was found last to whoever wants to see it, and that nobody watches when nobody does. A breaker holds
until a person releases it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import TypeVar

import msgspec
import redis
import structlog
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, OperationalError
from django.db.models.functions import Coalesce
from django.utils import timezone

from audit import failures
from exchanges import quotes
from exchanges.domain.errors import VenueError
from exchanges.domain.venues import Venue
from exchanges.venues import registry
from exchanges.venues.shared import call_stats
from foundation import locks, metrics, redis_client
from trading.domain import circuit_breakers, slippage
from trading.domain.circuit_breakers import Finding, Standing, State
from trading.domain.order_states import OrderStatus
from trading.domain.risk.types import TradingMode
from trading.models import Order, Position, TradingState
from trading.selectors import lock_waits, venues_in_use
from trading.services.control import kill_switch

log = structlog.get_logger(__name__)
BACKLOG_KEY = "petrosa:trips:backlog"
SEEN_KEY = "petrosa:trips:seen"
TOLD_SECONDS = 30  # how long what a listener, or the watch, told counts
UNANSWERED_SECONDS = 300  # longer than a venue may hang between two questions
CLOCK_ASKED_SECONDS = 60.0
CLOCK_COUNTS_SECONDS = 180.0
ORDERS_LOOKED_AT = 2000
SLIPPAGE_SECONDS = 600
SLIPPAGE_COLUMNS = ("slippage_bps", "max_slippage_bps")
GAUGE = {State.FINE: 0, State.OFF: 0, State.TRIPPED: 1, State.UNKNOWN: -1}
R = TypeVar("R")
_told: dict[tuple[str, str, str], State] = {}


# ---- looking ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Seen:
    """What the last watch found, and how long ago; None when nobody watched lately."""

    findings: tuple[Finding, ...]
    seconds_ago: float | None

    @property
    def worst(self) -> State:
        states = {finding.state for finding in self.findings}
        order = (State.TRIPPED, State.UNKNOWN)
        return next((state for state in order if state in states), State.FINE)


def seen() -> Seen:
    """Return how the breakers stand. Asks neither a venue nor the database."""
    raw = _read(lambda: _redis().get(SEEN_KEY))
    if not isinstance(raw, bytes):
        why = f"nobody has looked for {TOLD_SECONDS} s: do Redis, market, beat and a worker run?"
        return Seen(
            tuple(circuit_breakers.unwatched(name, why) for name in circuit_breakers.NAMES), None
        )
    told = msgspec.json.decode(raw, type=_Told)
    return Seen(tuple(told.findings), max(0.0, time.time() - told.at))


class _Told(msgspec.Struct):
    at: float
    findings: list[Finding]


def _venue_errors(_now: datetime) -> Iterable[Finding]:
    for venue in venues_in_use.venues():
        counted = _read(partial(_calls, venue))
        yield circuit_breakers.venue_errors(
            str(venue),
            counted.seconds if counted else None,
            most_pct=settings.TRIP_VENUE_ERROR_PCT,
            least_seconds=settings.TRIP_VENUE_ERROR_SECONDS,
        )


def _calls(venue: Venue) -> call_stats.Calls:
    return call_stats.calls(_redis(), venue)


def _market_data(now: datetime) -> Iterable[Finding]:
    for venue in venues_in_use.venues():
        yield circuit_breakers.market_data(
            str(venue),
            _quote_ages(venue, now),
            was_asked=bool(_read(partial(_redis().exists, _unanswered_key(venue)))),
            most_seconds=float(settings.TRIP_MARKET_STALE_SECONDS),
        )


def _quote_ages(venue: Venue, now: datetime) -> dict[str, float | None] | None:
    """Seconds since the last quote of each symbol held; None when nobody can be asked."""
    symbols = _held(venue)
    if symbols and _read(lambda: _redis().ping()) is None:
        return None
    found = quotes.known(venue, symbols)
    return {
        symbol: (now - found[symbol].received_at).total_seconds() if symbol in found else None
        for symbol in symbols
    }


def _held(venue: Venue) -> list[str]:
    rows = Position.objects.filter(
        is_open=True, **venue.columns("account__venue_account__")
    ).select_related("account")
    return sorted({row.symbol for row in rows if not row.is_dust})


def _clock_skew(_now: datetime) -> Iterable[Finding]:
    for venue in venues_in_use.venues():
        reading = _clock(venue, most_age=CLOCK_COUNTS_SECONDS)
        yield circuit_breakers.clock_skew(
            str(venue),
            (reading.offset_ms, reading.took_ms) if reading else None,
            most_ms=settings.TRIP_CLOCK_SKEW_MS,
        )


def _clock(venue: Venue, *, most_age: float) -> call_stats.ClockReading | None:
    return _read(lambda: call_stats.clock(_redis(), venue, most_age=most_age))


def _unknown_orders(now: datetime) -> Iterable[Finding]:
    rows = Order.objects.filter(status=OrderStatus.SUBMITTING).annotate(
        since=Coalesce("unknown_since", "submitted_at", "created_at")
    )
    ages: dict[Venue, dict[int, float]] = {}
    for order in rows.select_related("venue_account"):
        waited = (now - order.since).total_seconds()
        ages.setdefault(order.venue_account.venue, {})[order.pk] = waited
    for venue in sorted({*venues_in_use.venues(), *ages}):
        yield circuit_breakers.unknown_orders(
            str(venue),
            ages.get(venue, {}),
            most_seconds=float(settings.TRIP_UNKNOWN_ORDER_SECONDS),
        )


def _signal_backlog(_now: datetime) -> Iterable[Finding]:
    raw = _read(lambda: _redis().get(BACKLOG_KEY))
    waiting = json.loads(raw) if isinstance(raw, bytes) else None
    yield circuit_breakers.signal_backlog(waiting, most=settings.TRIP_NATS_BACKLOG)


def _audit_trail(_now: datetime) -> Iterable[Finding]:
    try:
        objection: str | None = failures.objection()
    except OperationalError as error:  # it is away: nothing can be put on record, nothing trades
        log.warning("audit_trail_not_asked", error=str(error))
        objection = None
    yield circuit_breakers.audit_trail(
        _read(failures.recent), objection, most=settings.TRIP_AUDIT_FAILURES
    )


def _slippage(now: datetime) -> Iterable[Finding]:
    """Look at the latest orders only: the table grows for years, and ten minutes are short."""
    newest = Order.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    rows = Order.objects.filter(
        pk__gt=newest - ORDERS_LOOKED_AT,
        role=Order.Role.ENTRY,
        slippage_bps__isnull=False,
        closed_at__gte=now - timedelta(seconds=SLIPPAGE_SECONDS),
    )
    slipped: dict[str, list[bool]] = {}
    for account, bps, limit in rows.values_list("account__name", *SLIPPAGE_COLUMNS):
        slipped.setdefault(account, []).append(slippage.is_beyond(bps, limit))
    for account, found in sorted(slipped.items()):
        yield circuit_breakers.slippage(
            account, slipped=sum(found), filled=len(found), most=settings.TRIP_SLIPPED_ENTRIES
        )
    if not slipped:
        yield circuit_breakers.slippage("", slipped=0, filled=0, most=settings.TRIP_SLIPPED_ENTRIES)


def _lock_waits(_now: datetime) -> Iterable[Finding]:
    yield circuit_breakers.lock_waits(
        lock_waits.longest_blocker(), most_seconds=float(settings.TRIP_LOCK_WAIT_SECONDS)
    )


# One line for each breaker. What a loss should stop belongs here too, as one more function.
GATHERERS: tuple[Callable[[datetime], Iterable[Finding]], ...] = (
    _venue_errors,
    _market_data,
    _clock_skew,
    _unknown_orders,
    _signal_backlog,
    _audit_trail,
    _slippage,
    _lock_waits,
)


def _read(ask: Callable[[], R]) -> R | None:
    try:
        return ask()
    except redis.RedisError as error:
        log.warning("trip_facts_not_read", error=str(error))
        return None


# ---- stopping --------------------------------------------------------------------------------


def watch() -> list[TradingState]:
    """Stop what must be stopped, once; return the stops that were made. One watch at a time.

    Asks Redis and the database only: it must not wait for what it is there to notice.
    """
    with locks.at("trips") as got_it:
        if not got_it:
            return []
        made, findings = [], []
        for finding in find():
            findings.append(finding)
            _tell(finding)
            if state := engage(finding):
                made.append(state)
        told = msgspec.json.encode(_Told(time.time(), findings))
        _read(lambda: _redis().set(SEEN_KEY, told, ex=TOLD_SECONDS))
        return made


def find() -> Iterator[Finding]:
    """Look at every breaker now."""
    for gather in GATHERERS:
        yield from gather(timezone.now())


def engage(finding: Finding) -> TradingState | None:
    """Stop trading for a finding, unless it is stopped there already or was just released."""
    now = timezone.now()
    grace = timedelta(seconds=float(settings.TRIP_GRACE_SECONDS))
    if not circuit_breakers.is_to_engage(finding, standing(finding, now), now=now, grace=grace):
        return None
    log.error(
        "tripped", trip=finding.name, scope=finding.scope, key=finding.key, why=finding.actual
    )
    try:
        return kill_switch.engage(
            actor=finding.actor,
            reason=f"{finding.reason}. {finding.what_to_do}"[:500],
            mode=finding.level,
            scope=finding.scope,
            key=finding.key,
        )
    except DatabaseError as error:  # what cannot be written cannot be traded either
        log.error("trip_not_engaged", trip=finding.name, error=str(error))
        return None


def standing(finding: Finding, now: datetime) -> Standing:
    """Return what is in force in a finding's own place, and when a person last released this
    breaker there."""
    place = TradingState.objects.filter(
        scope=finding.scope, key=finding.key, engaged_by=finding.actor
    )
    held = kill_switch.in_force(now).filter(
        scope=finding.scope, key__in=kill_switch.keys_over(finding.scope, finding.key)
    )
    modes = [(TradingMode(s.mode), s.expires_at is None) for s in held]
    level, lasts = max(
        modes,
        key=lambda one: (one[1], kill_switch.STRICTNESS[one[0]]),
        default=(TradingMode.ACTIVE, True),
    )
    released = place.exclude(released_by="expiry").order_by("-released_at")
    released_at = released.filter(released_at__isnull=False).values_list("released_at", flat=True)
    return Standing(level, lasts, released_at.first())


def _tell(finding: Finding) -> None:
    """Log a change of state, and show it to those who scrape."""
    place = (finding.name, finding.scope, finding.key)
    metrics.TRIPS.labels(*place).set(GAUGE[finding.state])
    if _told.get(place, State.FINE) is not finding.state:
        say = log.warning if finding.state in (State.TRIPPED, State.UNKNOWN) else log.info
        say("trip_state", trip=finding.name, key=finding.key, state=str(finding.state),
            why=finding.actual)  # fmt: skip
    _told[place] = finding.state


# ---- fresh facts -----------------------------------------------------------------------------


def freshen() -> None:
    """Ask the venues for what has grown old. May take as long as a venue hangs, one worker at most.

    What it learns is where the next watch looks.
    """
    with locks.at("trips:freshen") as got_it:
        if got_it:
            _look_at_prices()
            _look_at_clocks()


def _look_at_prices() -> None:
    """Ask the venue for quotes that have grown old, where nobody else keeps them fresh."""
    most = float(settings.TRIP_MARKET_STALE_SECONDS)
    if most <= 0:
        return
    for venue in venues_in_use.venues():
        ages = _quote_ages(venue, timezone.now()) or {}
        old = [symbol for symbol, age in ages.items() if age is None or age > most / 2]
        if not old or not _may_ask(f"prices:{venue}", most / 4):
            continue
        _note_answer(venue, all(_is_told(venue, symbol, most / 2) for symbol in old))


def _is_told(venue: Venue, symbol: str, max_age: float) -> bool:
    try:
        return quotes.get(venue, symbol, max_age=Decimal(max_age)) is not None
    except ImproperlyConfigured as error:
        log.warning("quote_not_available", symbol=symbol, error=str(error))
        return False


def _note_answer(venue: Venue, is_whole: bool) -> None:
    """Remember whether the venue told the prices it was asked for, until it is asked again."""
    key = _unanswered_key(venue)
    if is_whole:
        _read(lambda: _redis().delete(key))
    else:
        _read(lambda: _redis().set(key, 1, ex=UNANSWERED_SECONDS))


def _unanswered_key(venue: Venue) -> str:
    return f"petrosa:trips:unanswered:{venue}"


def _look_at_clocks() -> None:
    if settings.TRIP_CLOCK_SKEW_MS <= 0:
        return
    for venue in venues_in_use.venues():
        if _clock(venue, most_age=CLOCK_ASKED_SECONDS) is not None:
            continue
        if not _may_ask(f"clock:{venue}", CLOCK_ASKED_SECONDS / 2):
            continue
        try:
            registry.for_venue(venue).server_time()
        except (VenueError, ImproperlyConfigured) as error:
            log.warning("venue_clock_not_read", venue=str(venue), error=str(error))


def _may_ask(what: str, every_seconds: float) -> bool:
    """Say whether it is time to ask a venue: one that hangs must not hold up a worker for good."""
    key, wait = f"petrosa:trips:asked:{what}", max(1, int(every_seconds * 1000))
    return bool(_read(lambda: _redis().set(key, 1, nx=True, px=wait)))


# ---- what others tell ------------------------------------------------------------------------


def note_backlog(waiting: int) -> None:
    """Tell how many signals wait in NATS to be stored; never raises."""
    _read(lambda: _redis().set(BACKLOG_KEY, json.dumps(waiting), ex=TOLD_SECONDS))


def _redis() -> redis.Redis:
    return redis_client.patient(0.5)
