"""What we ask a venue for and what it answers, in our own words.

Vendor words (STOP_LOSS_LIMIT, orderListId, cummulativeQuoteQty) stop at the gateway.
Quantities are base units, prices and notionals quote units, all `Decimal`; times are aware UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class Side(StrEnum):
    BUY = "BUY"
    SELL = "SELL"

    @property
    def opposite(self) -> Side:
        return Side.SELL if self is Side.BUY else Side.BUY


class Purpose(StrEnum):
    """What a request is for. What leaves or protects goes before what enters, in every budget."""

    ENTRY = "ENTRY"
    EXIT = "EXIT"
    PROTECTION = "PROTECTION"

    @property
    def is_urgent(self) -> bool:
        return self is not Purpose.ENTRY


class OrderType(StrEnum):
    MARKET = "MARKET"
    LIMIT = "LIMIT"
    STOP = "STOP"
    STOP_LIMIT = "STOP_LIMIT"
    TAKE_PROFIT = "TAKE_PROFIT"
    TAKE_PROFIT_LIMIT = "TAKE_PROFIT_LIMIT"
    LIMIT_MAKER = "LIMIT_MAKER"

    @property
    def has_limit_price(self) -> bool:
        return self in LIMIT_TYPES

    @property
    def has_trigger(self) -> bool:
        return self in TRIGGER_TYPES


LIMIT_TYPES = frozenset(
    {
        OrderType.LIMIT,
        OrderType.LIMIT_MAKER,
        OrderType.STOP_LIMIT,
        OrderType.TAKE_PROFIT_LIMIT,
    }
)
TRIGGER_TYPES = frozenset(
    {
        OrderType.STOP,
        OrderType.STOP_LIMIT,
        OrderType.TAKE_PROFIT,
        OrderType.TAKE_PROFIT_LIMIT,
    }
)
STOP_TYPES = frozenset({OrderType.STOP, OrderType.STOP_LIMIT})


class TimeInForce(StrEnum):
    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"


class VenueStatus(StrEnum):
    """The state a venue reports for an order."""

    PENDING = "PENDING"  # waiting leg of an order list (Binance PENDING_NEW)
    OPEN = "OPEN"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"  # includes EXPIRED_IN_MATCH; may carry fills
    REJECTED = "REJECTED"

    @property
    def is_final(self) -> bool:
        return self in FINAL_STATUSES


FINAL_STATUSES = frozenset(
    {
        VenueStatus.FILLED,
        VenueStatus.CANCELED,
        VenueStatus.EXPIRED,
        VenueStatus.REJECTED,
    }
)


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """One order to place. Exactly one of `quantity` and `quote_quantity` is set.

    Without a `purpose` it is held to the tightest limits: those of an entry.
    """

    client_order_id: str
    symbol: str
    side: Side
    type: OrderType
    quantity: Decimal | None = None
    quote_quantity: Decimal | None = None
    price: Decimal | None = None
    stop_price: Decimal | None = None
    time_in_force: TimeInForce | None = None
    purpose: Purpose = Purpose.ENTRY


@dataclass(frozen=True, slots=True)
class OrderListRequest:
    """Linked orders: an OCO pair, or a working order with a pending OCO pair (OTOCO).

    `target` and `stop` cancel each other. With `working` set they rest as PENDING until it has
    filled completely; without it they go live at once.
    """

    list_client_order_id: str
    symbol: str
    target: OrderRequest
    stop: OrderRequest
    working: OrderRequest | None = None
    purpose: Purpose = Purpose.ENTRY


@dataclass(frozen=True, slots=True)
class VenueFill:
    """One trade at the venue. `trade_id` is unique per venue account and symbol.

    `venue_order_id` is told with a list of trades only; elsewhere the message around it tells.
    """

    trade_id: str
    price: Decimal
    quantity: Decimal
    commission: Decimal
    commission_asset: str
    is_maker: bool
    traded_at: datetime
    venue_order_id: str = field(default="", compare=False)

    @property
    def quote_quantity(self) -> Decimal:
        return self.price * self.quantity


@dataclass(frozen=True, slots=True)
class ExecutionReport:
    """What a venue says about one order, whatever road it came by.

    `client_order_id` is always the id the order was placed under (a Binance cancel renames the
    order; the gateway maps it back). `status` is None when the reply does not carry one (ACK).
    `fills` are the fills this message carries, never the whole history by promise;
    `executed_quantity`/`executed_quote` are the venue's cumulative figures, None when not told.
    """

    symbol: str
    client_order_id: str
    venue_order_id: str
    status: VenueStatus | None
    reported_at: datetime
    side: Side | None = None
    type: OrderType | None = None
    quantity: Decimal | None = None
    price: Decimal | None = None
    stop_price: Decimal | None = None
    executed_quantity: Decimal | None = None
    executed_quote: Decimal | None = None
    venue_list_id: str | None = None
    reason: str = ""  # venue's words: expiry or reject reason
    fills: tuple[VenueFill, ...] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class OrderListReport:
    symbol: str
    list_client_order_id: str
    venue_list_id: str
    is_done: bool
    reported_at: datetime
    reports: tuple[ExecutionReport, ...] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class AssetBalance:
    asset: str
    free: Decimal
    locked: Decimal


@dataclass(frozen=True, slots=True)
class AccountReport:
    """Balances and rates of the venue account. Rates are fractions (0.001 is 10 bps)."""

    can_trade: bool
    maker_rate: Decimal
    taker_rate: Decimal
    balances: tuple[AssetBalance, ...]
    reported_at: datetime


@dataclass(frozen=True, slots=True)
class Quote:
    """Best bid and ask. `received_at` is our clock, `venue_at` the venue's when it tells."""

    symbol: str
    bid: Decimal
    bid_quantity: Decimal
    ask: Decimal
    ask_quantity: Decimal
    received_at: datetime
    venue_at: datetime | None = None

    @property
    def mid(self) -> Decimal:
        return (self.bid + self.ask) / 2

    def taker_price(self, side: Side) -> Decimal:
        return self.ask if side is Side.BUY else self.bid
