"""An order in the words of the older engines: lower case, and JSON numbers.

This is the one place where money becomes a float: the legacy answer carries JSON numbers, and
its readers parse them as such. `/api/v1/` gives the same figures as exact text.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from exchanges.domain.venues import Environment
from trading.models import Fill, Order


def number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def of_order(
    order: Order, *, environment: str = "", fills: Iterable[Fill] | None = None
) -> dict[str, Any]:
    """Describe an order with what it filled.

    `environment` and `fills` save a query each when the caller has them; `fills` that are not all
    (the user stream was faster) are read anew.
    `amount` and `quantity` are the base units ordered, `total_value` and `fees` quote units;
    `fees` is null while a fee paid in a third asset has no price, and while trades of the order are
    still to be fetched; `fees_by_asset` tells what is known so far, null when that is nothing.
    """
    fees, by_asset = _fees(order, fills)
    environment = environment or order.venue_account.environment
    return {
        "success": True,
        "order_id": order.venue_order_id or order.client_order_id,
        "client_order_id": order.client_order_id,
        "status": "unknown" if order.unknown_since else order.status.lower(),
        "symbol": order.symbol,
        "side": order.side.lower(),
        "type": order.type.lower(),
        "time_in_force": order.time_in_force or None,
        "amount": number(order.quantity),
        "quantity": number(order.quantity),
        "filled_quantity": number(order.executed_quantity),
        "price": number(order.price),
        "stop_price": number(order.stop_price),
        "fill_price": number(order.average_price),
        "total_value": number(max(order.booked_quote, order.executed_quote)),
        "fees": number(fees),
        "fees_by_asset": None
        if by_asset is None
        else {asset: number(paid) for asset, paid in by_asset.items()},
        "stop_loss": number(order.stop_loss),
        "take_profit": number(order.take_profit),
        "simulated": environment == Environment.SIMULATOR,
        "environment": environment,
        "message": order.reason,
    }


def _fees(
    order: Order, fills: Iterable[Fill] | None
) -> tuple[Decimal | None, dict[str, Decimal] | None]:
    is_complete = order.booked_quantity >= order.executed_quantity
    if not order.booked_quantity:
        return (Decimal(0), {}) if is_complete else (None, None)
    fills = () if fills is None else tuple(fills)
    if sum(fill.quantity for fill in fills) != order.booked_quantity:
        fills = tuple(order.fills.order_by())
    total: Decimal | None = Decimal(0) if is_complete else None
    by_asset: dict[str, Decimal] = {}
    for fill in fills:
        paid, asset, value = fill.commission, fill.commission_asset, fill.commission_quote
        by_asset[asset] = by_asset.get(asset, Decimal(0)) + paid
        total = None if total is None or (value is None and paid) else total + (value or 0)
    return total, by_asset
