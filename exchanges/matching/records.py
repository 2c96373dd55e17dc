"""What the venue remembers: orders, order lists, trades, balances."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from exchanges.matching.enums import (
    OPEN_STATUSES,
    ExpiryReason,
    ListOrderStatus,
    ListStatusType,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
)

ZERO = Decimal(0)
NO_LIST = -1
NOT_WORKING = -1


@dataclass(eq=False)
class Order:
    """One order's whole state. The engine hands out copies; changing one changes nothing.

    `client_order_id` is renamed by a cancel; the id it had before is then in
    `original_client_order_id` (empty otherwise). `price` is 0 and `stop_price` None where the type
    has none. `quote_quantity` is 0 unless the order was sized in quote. `is_working` is what GET
    order calls isWorking; `working_ms` is -1 until the order first reached the book.
    Times are integer epoch milliseconds.
    """

    # Not slotted: a copy of __dict__ is the cheapest snapshot, and every event carries one.
    order_id: int
    account_id: str
    symbol: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    client_order_id: str
    quantity: Decimal
    created_ms: int
    updated_ms: int
    price: Decimal = ZERO
    quote_quantity: Decimal = ZERO
    stop_price: Decimal | None = None
    trailing_delta: int | None = None
    iceberg_quantity: Decimal | None = None
    strategy_id: int | None = None
    strategy_type: int | None = None
    self_trade_prevention: str = "NONE"
    list_id: int = NO_LIST
    status: OrderStatus = OrderStatus.NEW
    executed_quantity: Decimal = ZERO
    executed_quote: Decimal = ZERO
    original_client_order_id: str = ""
    is_working: bool = True
    working_ms: int = NOT_WORKING
    trailing_ms: int | None = None  # when tracking began (trailingTime)
    trailing_extreme: Decimal | None = None
    expiry_reason: ExpiryReason | None = None
    amends: int = 0
    queue_ahead: Decimal = ZERO  # displayed size that must trade before this order
    lock_price: Decimal = ZERO  # quote held per unit while a BUY waits; 0 once it runs as MARKET
    reserved: Decimal = ZERO  # quote (BUY) or base (SELL) this order holds locked
    revision: int = 0

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_STATUSES

    @property
    def remaining(self) -> Decimal:
        return self.quantity - self.executed_quantity

    @property
    def average_price(self) -> Decimal:
        """Price per unit over all fills; zero before the first."""
        if not self.executed_quantity:
            return ZERO
        return self.executed_quote / self.executed_quantity

    def snapshot(self) -> Order:
        twin = object.__new__(Order)
        twin.__dict__.update(self.__dict__)
        return twin


@dataclass(eq=False)
class OrderList:
    """An OCO, OTO or OTOCO (which the venue also reports as OTO).

    `legs` are (order_id, client_order_id as placed) in the venue's order: OCO above, below; OTO
    working, pending; OTOCO working, pending above, pending below. `pending_active` turns true when
    the pending legs went live. `reserved` is what the list itself holds locked for its legs.
    """

    list_id: int
    account_id: str
    symbol: str
    contingency: str  # "OCO" | "OTO"
    client_order_id: str
    legs: tuple[tuple[int, str], ...]
    created_ms: int
    updated_ms: int
    status_type: ListStatusType = ListStatusType.EXEC_STARTED
    order_status: ListOrderStatus = ListOrderStatus.EXECUTING
    pending_active: bool = False
    pays: bool = False
    reserved: Decimal = ZERO
    revision: int = 0

    @property
    def order_ids(self) -> tuple[int, ...]:
        return tuple(order_id for order_id, _ in self.legs)

    @property
    def is_open(self) -> bool:
        return self.order_status is ListOrderStatus.EXECUTING

    def snapshot(self) -> OrderList:
        twin = object.__new__(OrderList)
        twin.__dict__.update(self.__dict__)
        return twin


@dataclass(frozen=True, slots=True)
class Trade:
    """One fill of one order. `trade_id` counts per symbol and is shared with the public tape."""

    trade_id: int
    account_id: str
    symbol: str
    order_id: int
    list_id: int
    price: Decimal
    quantity: Decimal
    quote_quantity: Decimal
    commission: Decimal
    commission_asset: str
    at_ms: int
    is_buyer: bool
    is_maker: bool


@dataclass(slots=True)
class Balance:
    free: Decimal = ZERO
    locked: Decimal = ZERO
