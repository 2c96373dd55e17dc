"""Summing up the corridor's rows by day, strategy and symbol: each row once, whatever crashes.

A mark says how far each source has been read. It moves in the transaction that adds the sums, and
whoever moves it holds it: two workers never add the same rows. Ids and times are given out before
their transactions commit, so rows are read only once they have been known for SETTLE: a smaller id
that commits a little later is not passed over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from signals_app.models import ScoreDay, ScoreMark, Signal
from signals_app.models.scorecards import BEYOND
from trading.models import ClosedTrade, Decision, Order

SETTLE = timedelta(seconds=15)
BATCH = 2_000
ZERO = Decimal(0)
BOUNDS_MS = (5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 60_000)
Key = tuple[date, str, str, str]  # day, environment, strategy, symbol


@dataclass(slots=True)
class Sums:
    """What is to be added to one ScoreDay."""

    counts: Counter[str] = field(default_factory=Counter)  # its whole-number columns
    denied: Counter[str] = field(default_factory=Counter)
    acknowledged: Counter[str] = field(default_factory=Counter)
    money: dict[str, Decimal] = field(default_factory=dict)
    worst: Decimal | None = None

    def earn(self, **amounts: Decimal) -> None:
        for name, amount in amounts.items():
            self.money[name] = self.money.get(name, ZERO) + amount


class Book(dict[Key, Sums]):
    def of(self, at: datetime, environment: str, strategy_id: str, symbol: str) -> Sums:
        day = timezone.localtime(at, settings.DESK_TIMEZONE).date()
        return self.setdefault((day, environment, strategy_id, symbol), Sums())


def roll(*, now: datetime | None = None, most: int = BATCH) -> int:
    """Sum up what has settled since the last time, `most` rows in one transaction; return how many
    rows that were."""
    now = now or timezone.now()
    return sum(_source(name, now, most) for name in SOURCES)


def _source(name: str, now: datetime, most: int) -> int:
    total = 0
    while count := _batch(name, now, most):
        total += count
        if count < most:
            break
    return total


def _batch(name: str, now: datetime, most: int) -> int:
    ScoreMark.objects.get_or_create(source=name)
    with transaction.atomic():
        mark = ScoreMark.objects.select_for_update().get(source=name)
        book = Book()
        rows = _settled(name, mark, now, most)
        for row in rows:
            SOURCES[name](book, row)
        _add(book)
        mark.save()
    return len(rows)


def _settled(name: str, mark: ScoreMark, now: datetime, most: int) -> list[Any]:
    """Return the next rows of a source, and move its mark behind them."""
    if name == "order":  # rows that change: read when they have ended
        rows = list(_ended_orders(mark, now - SETTLE)[:most])
        if rows:
            mark.last_id, mark.last_at = rows[-1].pk, rows[-1].closed_at
        return rows
    table = QUERIES[name]()
    if mark.seen_at is None or mark.last_id >= mark.seen_id:
        mark.seen_id, mark.seen_at = _newest(table), now
    if now - mark.seen_at < SETTLE:
        return []
    rows = list(table.filter(pk__gt=mark.last_id, pk__lte=mark.seen_id).order_by("pk")[:most])
    mark.last_id = rows[-1].pk if rows else mark.seen_id
    return rows


def _newest(table: QuerySet[Any]) -> int:
    return table.order_by("-pk").values_list("pk", flat=True).first() or 0


def _ended_orders(mark: ScoreMark, until: datetime) -> QuerySet[Order]:
    ended = Order.objects.filter(closed_at__lte=until).select_related("venue_account")
    if mark.last_at:
        same = Q(closed_at=mark.last_at, pk__gt=mark.last_id)
        ended = ended.filter(Q(closed_at__gt=mark.last_at) | same)
    heard = Subquery(Signal.objects.filter(decision=OuterRef("decision")).values("received_at")[:1])
    return ended.annotate(heard_at=heard).order_by("closed_at", "pk")


def _signal(book: Book, row: Signal) -> None:
    """Count a signal that comes to no decision; the others count where they are decided."""
    if row.status in ("rejected", "shadow"):
        book.of(row.received_at, "", row.strategy_id, row.symbol).counts[row.status] += 1
    elif row.status == "denied" and row.decision_id is None:  # before any account's rules
        book.of(row.received_at, "", row.strategy_id, row.symbol).denied[row.error_code] += 1


def _decision(book: Book, row: Any) -> None:
    sums = book.of(row.decided_at, row.environment, row.strategy_id, row.symbol)
    if row.approved:
        sums.counts["approved"] += 1
    else:
        sums.denied[row.code] += 1
    if row.heard_at:
        sums.counts["decided_ms"] += _ms(row.heard_at, row.decided_at)


def _order(book: Book, row: Any) -> None:
    """Count an order that has ended; those of protection count towards slippage too."""
    if not row.strategy_id:
        return
    environment = row.venue_account.environment
    sums = book.of(row.closed_at, environment, row.strategy_id, row.symbol)
    if row.slippage_bps is not None:
        sums.counts["orders"] += 1
        sums.earn(slippage_bps=row.slippage_bps)
        worst = sums.worst
        sums.worst = row.slippage_bps if worst is None else max(worst, row.slippage_bps)
    if row.acknowledged_at and row.heard_at and row.role in (Order.Role.ENTRY, Order.Role.EXIT):
        sums.acknowledged[bound(_ms(row.heard_at, row.acknowledged_at))] += 1


def _trade(book: Book, row: ClosedTrade) -> None:
    environment = row.account.venue_account.environment
    sums = book.of(row.closed_at, environment, row.strategy_id, row.symbol)
    sums.counts["trades"] += 1
    sums.earn(profit=row.profit, fees=row.fees)
    if row.profit > 0:
        sums.counts["wins"] += 1
        sums.earn(gross_profit=row.profit)
    elif row.profit < 0:
        sums.counts["losses"] += 1
        sums.earn(gross_loss=-row.profit)


SOURCES: dict[str, Callable[[Book, Any], None]] = {
    "signal": _signal,
    "decision": _decision,
    "order": _order,
    "trade": _trade,
}
QUERIES: dict[str, Callable[[], QuerySet[Any]]] = {
    "signal": lambda: Signal.objects.only(
        "received_at", "strategy_id", "symbol", "status", "decision_id", "error_code"
    ),
    "decision": lambda: Decision.objects.only(
        "decided_at", "environment", "strategy_id", "symbol", "approved", "code"
    ).annotate(heard_at=F("signal__received_at")),
    "trade": lambda: ClosedTrade.objects.select_related("account__venue_account"),
}


def _add(book: Book) -> None:
    """Add the sums to their days. Money is added here, not in SQL, where SQLite has text."""
    for (day, environment, strategy_id, symbol), sums in sorted(book.items()):
        place: dict[str, Any] = {
            "day": day,
            "environment": environment,
            "strategy_id": strategy_id,
            "symbol": symbol,
        }
        ScoreDay.objects.get_or_create(**place)
        row = ScoreDay.objects.select_for_update().get(**place)
        for name, count in sums.counts.items():
            setattr(row, name, getattr(row, name) + count)
        row.denied = dict(Counter(row.denied) + sums.denied)
        row.acknowledged = dict(Counter(row.acknowledged) + sums.acknowledged)
        for name, amount in sums.money.items():
            setattr(row, name, getattr(row, name) + amount)
        if sums.worst is not None:
            worst = row.worst_slippage_bps
            row.worst_slippage_bps = sums.worst if worst is None else max(worst, sums.worst)
        row.save()


def bound(ms: int) -> str:
    """Return the bound a delay is counted under."""
    return next((str(most) for most in BOUNDS_MS if ms <= most), BEYOND)


def _ms(since: datetime, until: datetime) -> int:
    return max(0, round((until - since).total_seconds() * 1000))
