"""What happened, in order: the server turns these into stream messages.

One engine call returns all its events in venue order: execution and list events as they happened,
then one `BalancesChanged` per touched account (the venue sends outboundAccountPosition last).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from exchanges.matching.enums import ExecutionType
from exchanges.matching.records import ZERO, Order, OrderList


@dataclass(frozen=True, slots=True)
class OrderChanged:
    """Becomes an executionReport. `order` is the state right after the change.

    `trade_id` is -1 and `commission_asset` None without a trade. `on_book` is the `w` flag.
    `order.original_client_order_id` is the `C` field, `order.expiry_reason` the `eR` field.
    """

    account_id: str
    at_ms: int
    execution_id: int
    execution_type: ExecutionType
    order: Order
    on_book: bool
    last_quantity: Decimal = ZERO
    last_price: Decimal = ZERO
    last_quote: Decimal = ZERO
    commission: Decimal = ZERO
    commission_asset: str | None = None
    trade_id: int = -1
    is_maker: bool = False
    reject_reason: str = "NONE"


@dataclass(frozen=True, slots=True)
class ListChanged:
    """Becomes a listStatus. `order_list.legs` are its (order_id, client_order_id) rows."""

    account_id: str
    at_ms: int
    order_list: OrderList
    reject_reason: str = "NONE"


@dataclass(frozen=True, slots=True)
class BalancesChanged:
    """Becomes an outboundAccountPosition. Rows are (asset, free, locked), touched assets only."""

    account_id: str
    at_ms: int
    balances: tuple[tuple[str, Decimal, Decimal], ...]


@dataclass(frozen=True, slots=True)
class BalanceAdjusted:
    """Becomes a balanceUpdate: money came in or went out by other ways than trading."""

    account_id: str
    at_ms: int
    asset: str
    delta: Decimal


@dataclass(frozen=True, slots=True)
class MarketTraded:
    """A trade on the public tape: an outside print, or a fill of one of our orders."""

    symbol: str
    trade_id: int
    price: Decimal
    quantity: Decimal
    at_ms: int
    buyer_is_maker: bool
    is_ours: bool = False


Event = OrderChanged | ListChanged | BalancesChanged | BalanceAdjusted | MarketTraded
