"""What is wrong right now, in sentences: each says what, by which numbers, and what to do.

`/health` is open to anybody, so nothing here names a person, an address or an amount of money.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

import redis
from django.conf import settings
from django.utils import timezone

from foundation import liveness
from signals_app.realtime.process_status import Sign
from trading.domain.circuit_breakers import WHAT_TO_DO, Finding, State
from trading.models import Position, TradingState
from trading.selectors import venues_in_use
from trading.services.control import circuit_breakers, kill_switch

MOST_NAMED = 5
STREAM_SILENT_SECONDS = 60.0  # it notes life every 15 s while the venue's stream is open
TRIP = "trip:"
_IN_BRACKETS = re.compile(r" \([^)]*\)")


def of_positions(now: datetime) -> Iterator[str]:
    """Name the positions that have been naked longer than the grace."""
    grace = timedelta(seconds=float(settings.PROTECTION_GRACE_SECONDS))
    rows = Position.objects.filter(is_open=True, naked_since__lt=now - grace).order_by(
        "naked_since"
    )
    naked = list(rows.select_related("account__venue_account")[: MOST_NAMED + 1])
    for position in naked[:MOST_NAMED]:
        seconds = (now - position.naked_since).total_seconds() if position.naked_since else 0
        yield (
            f"The position in {position.symbol} ({position.account.venue_account.environment}) has "
            f"had no stop at the venue for {seconds:.0f} s. It is tried again by itself; see the "
            "position's alarm in the admin, and close it there or at the venue if it stays."
        )
    if len(naked) > MOST_NAMED:
        yield f"{rows.count() - MOST_NAMED} more positions have no stop at the venue."


def of_stops(now: datetime) -> Iterator[str]:
    """Name every stop in force, whatever it stops, and every breaker that tripped beside one."""
    tripped = [f for f in circuit_breakers.seen().findings if f.state is State.TRIPPED]
    stopped = set()
    for state in kill_switch.in_force(now).order_by("engaged_at"):
        stopped.add((state.engaged_by, state.scope, state.key))
        yield _stop_in_words(state, tripped)
    for finding in tripped:
        if (finding.actor, finding.scope, finding.key) not in stopped:
            place = f"{finding.name} {finding.key}".strip()
            yield f"The breaker {place} is tripped: {_numbers(finding)}. {finding.what_to_do}"


def _stop_in_words(state: TradingState, tripped: Iterable[Finding]) -> str:
    where = "everywhere" if state.scope == state.Scope.GLOBAL else f"for {state.scope} {state.key}"
    since = f"{state.engaged_at:%Y-%m-%d %H:%M:%S} UTC"
    release = f"manage.py kill_switch release {state.pk}"
    if not state.engaged_by.startswith(TRIP):
        return (
            f"Trading is {state.mode} {where} since {since}. Release it in the admin under Kill "
            f"switch or by {release} when it may go on."
        )
    name = state.engaged_by.removeprefix(TRIP)
    now = [_numbers(f) for f in tripped if (f.name, f.key) == (name, state.key)]
    still = f"still so: {now[0]}" if now else "it is no longer so"
    return (
        f"Trading is {state.mode} {where} since {since} by the breaker {name} ({still}). "
        f"{WHAT_TO_DO.get(name, '')} To release: {release}."
    )


def _numbers(finding: Finding) -> str:
    return _IN_BRACKETS.sub("", finding.actual)  # what stands in brackets names hosts


def of_processes() -> Iterator[str]:
    """Name the processes that are silent."""
    try:
        yield from map(str, liveness.silences(settings.EXPECTED_PROCESSES))
    except redis.RedisError:
        yield "Whether the processes live is not known: Redis does not answer."


def of_user_streams(now: datetime) -> Iterator[str]:
    """Name the user streams that were heard and have fallen silent."""
    for account in venues_in_use.venue_accounts():
        age = (now - account.stream_at).total_seconds() if account.stream_at else 0.0
        if age > STREAM_SILENT_SECONDS:
            yield (
                f"The user stream of {account.environment} has been silent for {age:.0f} s: fills "
                "are booked by reconciliation meanwhile. Look at the log of userstream."
            )


def of_strategies(signs: Iterable[Sign]) -> Iterator[str]:
    for sign in signs:
        if sign.trouble:
            yield (
                f"The strategies process {sign.shard}: {sign.trouble}. Look at its log, and "
                "whether market and NATS run."
            )


def of_database() -> list[str]:
    """Name all that the database can tell."""
    now = timezone.now()
    return [*of_positions(now), *of_stops(now), *of_user_streams(now)]
