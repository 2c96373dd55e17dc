"""What closed trades came to: wins and losses, and how many of one kind there were in a row."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import QuerySet

from trading.models import ClosedTrade

ZERO = Decimal(0)
BATCH = 2000
REMEMBER_SECONDS = 2.0  # every viewer of the desk asks for the same sums


@dataclass(frozen=True, slots=True)
class Performance:
    """Figures over closed trades, oldest to newest. Money is quote units, net of fees.

    `streak` counts the latest trades of one kind, losses as negative; a breakeven neither counts
    nor ends it. `drawdown` is the largest fall of the summed profit from its highest point so far.
    `win_rate`, `profit_factor` and `expectancy` are None where there is nothing to reckon with.
    """

    trades: int = 0
    wins: int = 0
    losses: int = 0
    profit: Decimal = ZERO
    gross_profit: Decimal = ZERO
    gross_loss: Decimal = ZERO  # positive
    fees: Decimal = ZERO
    drawdown: Decimal = ZERO
    streak: int = 0
    longest_losing_streak: int = 0

    @property
    def breakevens(self) -> int:
        return self.trades - self.wins - self.losses

    @property
    def win_rate(self) -> Decimal | None:
        return Decimal(self.wins) / self.trades if self.trades else None

    @property
    def profit_factor(self) -> Decimal | None:
        return self.gross_profit / self.gross_loss if self.gross_loss else None

    @property
    def expectancy(self) -> Decimal | None:
        return self.profit / self.trades if self.trades else None


def of(
    *,
    account: str = "",
    strategy_id: str = "",
    symbol: str = "",
    since: datetime | None = None,
) -> Performance:
    """Return the figures of the trades that match what is given."""
    rows: QuerySet[ClosedTrade] = ClosedTrade.objects.all()
    if account:
        rows = rows.filter(account__name=account)
    if strategy_id:
        rows = rows.filter(strategy_id=strategy_id)
    if symbol:
        rows = rows.filter(symbol=symbol)
    if since:
        rows = rows.filter(closed_at__gte=since)
    told = rows.order_by("pk").values_list("profit", "fees")
    return reckon(told.iterator(chunk_size=BATCH))


_remembered: tuple[float, dict[int, Performance]] = (0.0, {})


def by_account() -> dict[int, Performance]:
    """Return the figures of each account by its id, at most REMEMBER_SECONDS old."""
    global _remembered
    if _remembered[0] > time.monotonic():
        return _remembered[1]
    trades: dict[int, list[tuple[Decimal, Decimal]]] = defaultdict(list)
    rows = ClosedTrade.objects.order_by("pk").values_list("account", "profit", "fees")
    for account_id, profit, fees in rows.iterator(chunk_size=BATCH):
        trades[account_id].append((profit, fees))
    told = {account_id: reckon(some) for account_id, some in trades.items()}
    _remembered = (time.monotonic() + REMEMBER_SECONDS, told)
    return told


def forget() -> None:
    """Drop this process's figures."""
    global _remembered
    _remembered = (0.0, {})


def reckon(trades: Iterable[tuple[Decimal, Decimal]]) -> Performance:
    """Reckon the figures from (profit, fees) of each trade, oldest first."""
    count = wins = losses = streak = longest = 0
    profit = gross_profit = gross_loss = fees = highest = drawdown = ZERO
    for earned, paid in trades:
        count += 1
        profit += earned
        fees += paid
        if earned > 0:
            wins += 1
            gross_profit += earned
            streak = max(streak, 0) + 1
        elif earned < 0:
            losses += 1
            gross_loss -= earned
            streak = min(streak, 0) - 1
            longest = max(longest, -streak)
        highest = max(highest, profit)
        drawdown = max(drawdown, highest - profit)
    return Performance(
        trades=count,
        wins=wins,
        losses=losses,
        profit=profit,
        gross_profit=gross_profit,
        gross_loss=gross_loss,
        fees=fees,
        drawdown=drawdown,
        streak=streak,
        longest_losing_streak=longest,
    )
