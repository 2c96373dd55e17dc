"""What fills cost against the prices their orders were decided on.

Stops are held against their trigger, targets against their limit.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from statistics import median

from django.db.models import QuerySet

from exchanges.domain.orders import Side
from foundation.fields import plain
from trading.models import Order

ZERO = Decimal(0)
BATCH = 2000
_COLUMNS = (
    "strategy_id",
    "symbol",
    "role",
    "slippage_bps",
    "max_slippage_bps",
    "side",
    "reference_price",
    "stop_price",
    "price",
    "booked_quantity",
    "booked_quote",
)
_SHOWN = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Slippage:
    """Realised slippage of filled orders in basis points, positive is worse.

    `cost` is quote units, what was paid beyond (or received short of) what was expected.
    `above_limit` counts the orders worse than the limit they were decided under.
    """

    strategy_id: str
    symbol: str
    role: str
    orders: int
    average_bps: Decimal
    median_bps: Decimal
    worst_bps: Decimal
    above_limit: int
    cost: Decimal


def by_strategy_and_symbol(
    *,
    account: str = "",
    strategy_id: str = "",
    symbol: str = "",
    role: str = "",
    since: datetime | None = None,
) -> list[Slippage]:
    """Return one line for each strategy, symbol and role that matches what is given."""
    rows: QuerySet[Order] = Order.objects.filter(slippage_bps__isnull=False)
    given = {"account__name": account, "strategy_id": strategy_id, "symbol": symbol, "role": role}
    rows = rows.filter(**{name: value for name, value in given.items() if value})
    if since:
        rows = rows.filter(closed_at__gte=since)
    told = rows.order_by().only(*_COLUMNS)
    groups: dict[tuple[str, str, str], list[Order]] = {}
    for order in told.iterator(chunk_size=BATCH):
        groups.setdefault((order.strategy_id, order.symbol, order.role), []).append(order)
    return [_summed(key, orders) for key, orders in sorted(groups.items())]


def _summed(key: tuple[str, str, str], orders: Iterable[Order]) -> Slippage:
    known = [(o, o.slippage_bps) for o in orders if o.slippage_bps is not None]
    figures = [bps for _, bps in known]
    return Slippage(
        *key,
        orders=len(known),
        average_bps=(sum(figures, ZERO) / len(figures)).quantize(_SHOWN),
        median_bps=Decimal(median(figures)).quantize(_SHOWN),
        worst_bps=max(figures),
        above_limit=sum(order.slipped for order, _ in known),
        cost=plain(sum((_cost(order) for order, _ in known), ZERO).quantize(_SHOWN)),
    )


def _cost(order: Order) -> Decimal:
    """Return what was booked beyond what was expected for as much; the other way for a sale."""
    expected = (order.expected_price or ZERO) * order.booked_quantity
    beyond = order.booked_quote - expected
    return beyond if order.side == Side.BUY else -beyond
