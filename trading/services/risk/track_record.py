"""What a strategy's latest closed trades in one account came to, for sizing by its past."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet

from foundation.statements import Select
from trading.domain.risk.types import TrackRecord
from trading.models import ClosedTrade

LATEST = 500
ZERO = Decimal(0)


@Select
def latest(account_id: int, strategy_id: str) -> QuerySet[ClosedTrade, Any]:
    """Profit, quantity bought and average price paid of the strategy's latest closed trades."""
    rows = ClosedTrade.objects.filter(account=account_id, strategy_id=strategy_id)
    return rows.order_by("-pk").values_list("profit", "bought", "entry_price")[:LATEST]


def reckon(trades: Iterable[tuple[Decimal, Decimal, Decimal]]) -> TrackRecord:
    """Reckon wins and losses, each trade's profit as a share of what it cost.

    In shares, so that a trade ten times the size does not count ten times.
    """
    count = 0
    won: list[Decimal] = []
    lost: list[Decimal] = []
    for profit, bought, price in trades:
        count += 1
        cost = bought * price
        if profit > 0 and cost:
            won.append(profit / cost)
        elif profit < 0 and cost:
            lost.append(-profit / cost)
    return TrackRecord(count, len(won), len(lost), _average(won), _average(lost))


def _average(shares: list[Decimal]) -> Decimal:
    return sum(shares, ZERO) / len(shares) if shares else ZERO
