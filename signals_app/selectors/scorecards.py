"""Scorecards: what the signals of each strategy came to in each symbol."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from signals_app.models import ScoreDay
from signals_app.models.scorecards import BEYOND, bounds

ZERO = Decimal(0)
BPS = Decimal("0.01")
MONEY = Decimal("0.00000001")
RATIO = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Scorecard:
    """Sums over days. Money is quote units; None where there is nothing to reckon with.

    `acknowledged_95_ms` is the bound under which 95 of 100 orders were answered by the venue,
    counted from the signal's receipt; None also when it lies beyond the last bound.
    """

    environment: str
    strategy_id: str
    symbol: str
    rejected: int = 0
    shadow: int = 0
    approved: int = 0
    denied: Mapping[str, int] = field(default_factory=dict)
    decided_ms: int = 0
    orders: int = 0
    slippage_bps: Decimal = ZERO
    worst_slippage_bps: Decimal | None = None
    acknowledged: Mapping[str, int] = field(default_factory=dict)
    trades: int = 0
    wins: int = 0
    losses: int = 0
    profit: Decimal = ZERO
    gross_profit: Decimal = ZERO
    gross_loss: Decimal = ZERO
    fees: Decimal = ZERO

    @property
    def denials(self) -> int:
        return sum(self.denied.values())

    @property
    def signals(self) -> int:
        return self.rejected + self.shadow + self.approved + self.denials

    @property
    def hit_rate(self) -> Decimal | None:
        return (Decimal(self.wins) / self.trades).quantize(RATIO) if self.trades else None

    @property
    def expectancy(self) -> Decimal | None:
        """What a trade earned on average, after fees."""
        return (self.profit / self.trades).quantize(MONEY) if self.trades else None

    @property
    def profit_factor(self) -> Decimal | None:
        return (self.gross_profit / self.gross_loss).quantize(RATIO) if self.gross_loss else None

    @property
    def average_slippage_bps(self) -> Decimal | None:
        return (self.slippage_bps / self.orders).quantize(BPS) if self.orders else None

    @property
    def average_decided_ms(self) -> int | None:
        decided = self.approved + self.denials
        return round(self.decided_ms / decided) if decided else None

    @property
    def acknowledged_95_ms(self) -> int | None:
        total, so_far = sum(self.acknowledged.values()), 0
        for bound in bounds(self.acknowledged):
            so_far += self.acknowledged[bound]
            if so_far * 100 >= total * 95:
                return None if bound == BEYOND else int(bound)
        return None


def cards(
    *,
    environment: str = "",
    strategy_id: str = "",
    symbol: str = "",
    since: date | None = None,
    until: date | None = None,
) -> list[Scorecard]:
    """Return one card for each environment, strategy and symbol that has something to tell."""
    rows = ScoreDay.objects.order_by("environment", "strategy_id", "symbol", "day")
    given = {"environment": environment, "strategy_id": strategy_id, "symbol": symbol}
    rows = rows.filter(**{name: value for name, value in given.items() if value})
    if since:
        rows = rows.filter(day__gte=since)
    if until:
        rows = rows.filter(day__lte=until)
    groups: dict[tuple[str, str, str], list[ScoreDay]] = {}
    for row in rows.iterator(chunk_size=2000):
        groups.setdefault((row.environment, row.strategy_id, row.symbol), []).append(row)
    return [summed(place, days) for place, days in groups.items()]


def summed(place: tuple[str, str, str], days: Iterable[ScoreDay]) -> Scorecard:
    """Return the card of some days."""
    days = list(days)
    whole: dict[str, Any] = {
        name: sum(getattr(day, name) for day in days)
        for name in (
            "rejected",
            "shadow",
            "approved",
            "decided_ms",
            "orders",
            "trades",
            "wins",
            "losses",
        )
    }
    money: dict[str, Any] = {
        name: sum((getattr(day, name) for day in days), ZERO)
        for name in ("slippage_bps", "profit", "gross_profit", "gross_loss", "fees")
    }
    denied: Counter[str] = Counter()
    acknowledged: Counter[str] = Counter()
    for day in days:
        denied.update(day.denied)
        acknowledged.update(day.acknowledged)
    worst = [day.worst_slippage_bps for day in days if day.worst_slippage_bps is not None]
    environment, strategy_id, symbol = place
    return Scorecard(
        environment=environment,
        strategy_id=strategy_id,
        symbol=symbol,
        **whole,
        **money,
        denied=dict(denied.most_common()),
        acknowledged=dict(acknowledged),
        worst_slippage_bps=max(worst, default=None),
    )
