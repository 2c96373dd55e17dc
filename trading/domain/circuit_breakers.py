"""Circuit breakers: when trading is stopped by itself. Pure: facts, thresholds and `now` in.

A breaker never flattens: it lets nothing new in and leaves what to do about the rest to a person.
What is not known is told as unknown, never as fine. A threshold of 0 switches a breaker off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from trading.domain.risk.types import TradingMode

LEVELS = {
    "venue-errors": TradingMode.HALTED,
    "market-data": TradingMode.REDUCE_ONLY,
    "clock-skew": TradingMode.HALTED,
    "unknown-orders": TradingMode.HALTED,
    "signal-backlog": TradingMode.REDUCE_ONLY,
    "audit-trail": TradingMode.HALTED,
    "slippage": TradingMode.REDUCE_ONLY,
    "lock-waits": TradingMode.REDUCE_ONLY,
}
NAMES = tuple(LEVELS)
WHAT_TO_DO = {
    "venue-errors": "Look at the venue's status page and our network; when calls succeed again, "
    "release it.",
    "market-data": "See that the market process runs and reaches the venue; when prices come "
    "again, release it.",
    "clock-skew": "Set this machine's clock (chronyc makestep, or restart its time service), then "
    "release it.",
    "unknown-orders": "Look for these orders at the venue; compare the books with manage.py "
    "tie_out, then release it.",
    "signal-backlog": "See that listener and workers run and why signals come so fast; when the "
    "backlog is gone, release it.",
    "audit-trail": "Read the log for audit_failed, repair the trail with manage.py migrate or the "
    "database's rights, then release it.",
    "slippage": "Look at the fills of these entries and at max_slippage_bps, then release it.",
    "lock-waits": "End that backend in the database: SELECT pg_terminate_backend(its number); its "
    "transaction is rolled back. Then look at its host, and release it.",
}
GLOBAL, VENUE, ACCOUNT = "global", "venue", "account"
FULL = 100


class State(StrEnum):
    FINE = "fine"
    TRIPPED = "tripped"
    UNKNOWN = "unknown"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Finding:
    """How one breaker stands: the place it watches, the level it stops with, and the numbers."""

    name: str
    scope: str
    key: str
    level: TradingMode
    state: State
    limit: str
    actual: str

    @property
    def actor(self) -> str:
        """Who stops trading, in the words of the trail."""
        return f"trip:{self.name}"

    @property
    def reason(self) -> str:
        return f"{self.name}: limit={self.limit} actual={self.actual}"

    @property
    def what_to_do(self) -> str:
        """Say what a person should do about one that tripped; empty for one that did not."""
        return WHAT_TO_DO[self.name] if self.state is State.TRIPPED else ""


def unwatched(name: str, why: str) -> Finding:
    """Tell of a breaker nobody has looked at."""
    return Finding(name, "", "", LEVELS[name], State.UNKNOWN, "", why)


@dataclass(frozen=True, slots=True)
class Standing:
    """What the place looks like to one breaker: the strictest level in force there, and when a
    person last released a stop of this breaker.

    `lasts` is False when the level runs out by itself.
    """

    level: TradingMode = TradingMode.ACTIVE
    lasts: bool = True
    released_at: datetime | None = None


def venue_errors(
    venue: str,
    seconds: Sequence[tuple[int, int]] | None,
    *,
    most_pct: int,
    least_seconds: int,
) -> Finding:
    """Stop at a venue that does not answer properly. `seconds`: calls and failures of each second
    of the last minute that had calls.

    Time is counted, not calls: while a venue restarts, a hundred calls fail within two seconds, and
    one call to a venue that hangs fails for as long as it waits.
    """
    limit = f"{least_seconds} s of a minute in which {most_pct} % of the calls failed"

    def found(state: State, actual: str) -> Finding:
        return Finding("venue-errors", VENUE, venue, LEVELS["venue-errors"], state, limit, actual)

    if most_pct <= 0:
        return found(State.OFF, "")
    if seconds is None:
        return found(State.UNKNOWN, "the counts of calls cannot be read")
    bad = sum(bool(failed) and failed * FULL >= most_pct * total for total, failed in seconds)
    calls, failures = sum(t for t, _ in seconds), sum(f for _, f in seconds)
    state = State.TRIPPED if bad >= least_seconds else State.FINE
    return found(state, f"{bad} s, {failures} of {calls} calls failed")


def market_data(
    venue: str,
    ages: Mapping[str, float | None] | None,
    *,
    most_seconds: float,
    was_asked: bool = True,
) -> Finding:
    """Stop where a position is open whose price nobody tells. `ages`: seconds by symbol held.

    `was_asked` is False while the venue has not yet failed to tell: old prices are no trouble of
    the venue's then, only nobody has looked (everything was just started, for one).
    """
    limit = f"{most_seconds:g} s without a quote of a symbol held"

    def found(state: State, actual: str) -> Finding:
        return Finding("market-data", VENUE, venue, LEVELS["market-data"], state, limit, actual)

    if most_seconds <= 0:
        return found(State.OFF, "")
    if ages is None:
        return found(State.UNKNOWN, "the quotes cannot be read")
    old = {s: a for s, a in sorted(ages.items()) if a is None or a > most_seconds}
    if old:
        told = (f"{s} {'none' if a is None else f'{a:.0f} s'}" for s, a in old.items())
        if not was_asked:
            return found(State.UNKNOWN, f"{', '.join(told)}; the venue was not asked yet")
        return found(State.TRIPPED, ", ".join(told))
    known = [age for age in ages.values() if age is not None]
    return found(State.FINE, f"oldest {max(known):.0f} s" if known else "nothing is held")


def clock_skew(
    venue: str, reading: tuple[int, int] | None, *, most_ms: int, why_unknown: str = ""
) -> Finding:
    """Stop when our clock is off. `reading`: venue time minus ours, and what asking took, in ms.

    Half of what asking took may be the way there alone: only what is beyond it is held against us.
    """
    limit = f"{most_ms} ms off the venue's clock"

    def found(state: State, actual: str) -> Finding:
        return Finding("clock-skew", VENUE, venue, LEVELS["clock-skew"], state, limit, actual)

    if most_ms <= 0:
        return found(State.OFF, "")
    if reading is None:
        return found(State.UNKNOWN, why_unknown or "the venue's clock was not read lately")
    offset, took = reading
    is_off = abs(offset) - took / 2 > most_ms
    words = f"{offset} ms, give or take {took // 2}"
    return found(State.TRIPPED if is_off else State.FINE, words)


def unknown_orders(venue: str, ages: Mapping[int, float], *, most_seconds: float) -> Finding:
    """Stop where the outcome of an order stays unknown. `ages`: seconds by order."""
    limit = f"{most_seconds:g} s without knowing an order's outcome"

    def found(state: State, actual: str) -> Finding:
        return Finding(
            "unknown-orders", VENUE, venue, LEVELS["unknown-orders"], state, limit, actual
        )

    if most_seconds <= 0:
        return found(State.OFF, "")
    old = [order for order, age in ages.items() if age > most_seconds]
    oldest = max(ages.values(), default=0.0)
    if old:
        named = ", ".join(map(str, sorted(old)[:10]))
        return found(State.TRIPPED, f"{len(old)} orders ({named}), the oldest for {oldest:.0f} s")
    return found(State.FINE, f"{len(ages)} on their way, the oldest for {oldest:.0f} s")


def signal_backlog(waiting: int | None, *, most: int) -> Finding:
    """Stop when signals come faster than they are stored: what is traded then is old news."""
    limit = f"{most} signals waiting in NATS"

    def found(state: State, actual: str) -> Finding:
        return Finding("signal-backlog", GLOBAL, "", LEVELS["signal-backlog"], state, limit, actual)

    if most <= 0:
        return found(State.OFF, "")
    if waiting is None:
        return found(State.UNKNOWN, "no listener has told")
    return found(State.TRIPPED if waiting > most else State.FINE, f"{waiting} waiting")


def audit_trail(refused: int | None, objection: str | None, *, most: int) -> Finding:
    """Stop when the trail cannot be relied on.

    `refused`: lines refused in a minute; `objection`: what is wrong with the trail itself. None
    for what could not be asked.
    """
    limit = f"{most} lines refused in a minute, and a trail that takes lines and keeps them"

    def found(state: State, actual: str) -> Finding:
        return Finding("audit-trail", GLOBAL, "", LEVELS["audit-trail"], state, limit, actual)

    if most <= 0:
        return found(State.OFF, "")
    if objection:
        return found(State.TRIPPED, objection)
    if refused is not None and refused >= most:
        return found(State.TRIPPED, f"{refused} lines refused")
    if refused is None or objection is None:
        return found(State.UNKNOWN, "the counts, or the trail, cannot be read")
    return found(State.FINE, f"{refused} lines refused")


def slippage(account: str, *, slipped: int, filled: int, most: int) -> Finding:
    """Stop an account whose entries fill worse than they were decided on, again and again.

    `slipped` of `filled` entries of the last ten minutes were worse than their own limit.
    """
    limit = f"{most} entries in ten minutes worse than their max_slippage_bps"
    actual = f"{slipped} of {filled}"
    state = State.OFF if most <= 0 else State.TRIPPED if slipped >= most else State.FINE
    return Finding("slippage", ACCOUNT, account, LEVELS["slippage"], state, limit, actual)


@dataclass(frozen=True, slots=True)
class Blocker:
    """A transaction of the database that others wait for: `waiting` of them, the longest for
    `longest_wait` seconds."""

    pid: int
    who: str
    open_seconds: float
    waiting: int
    longest_wait: float

    def __str__(self) -> str:
        return (
            f"{self.waiting} waiting, the longest for {self.longest_wait:.0f} s, for backend "
            f"{self.pid} ({self.who}), its transaction open for {self.open_seconds:.0f} s"
        )


def lock_waits(blocker: Blocker | None, *, most_seconds: float) -> Finding:
    """Stop when a transaction keeps others waiting for its locks: decisions are serial per account,
    so one that hangs holds up all of them.

    The database ends one that says nothing more (DATABASE_IDLE_IN_TRANSACTION_SECONDS); this is
    for what outlives that.
    """
    limit = f"{most_seconds:g} s of a transaction that others wait for"

    def found(state: State, actual: str) -> Finding:
        return Finding("lock-waits", GLOBAL, "", LEVELS["lock-waits"], state, limit, actual)

    if most_seconds <= 0:
        return found(State.OFF, "")
    if blocker is None:
        return found(State.FINE, "nothing waits")
    is_too_long = blocker.open_seconds > most_seconds
    return found(State.TRIPPED if is_too_long else State.FINE, str(blocker))


def is_to_engage(finding: Finding, standing: Standing, *, now: datetime, grace: timedelta) -> bool:
    """Say whether a finding stops trading now.

    Not where a stop as strict stands already, and not within `grace` of a person's release of this
    breaker: they have seen these facts. What is still so afterwards is news, and so is what
    another breaker found.
    """
    if finding.state is not State.TRIPPED:
        return False
    levels = list(TradingMode)
    if levels.index(standing.level) >= levels.index(finding.level) and standing.lasts:
        return False
    return standing.released_at is None or now - standing.released_at >= grace
