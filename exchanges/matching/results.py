"""What an engine call hands back: the reply's material, and every event it caused."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from exchanges.matching.events import Event
from exchanges.matching.records import Order, OrderList, Trade
from exchanges.matching.refusals import VenueRefusal


@dataclass(frozen=True, slots=True)
class Placed:
    """`order` and `fills` as the placement reply shows them."""

    order: Order
    fills: tuple[Trade, ...]
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class ListPlaced:
    """Legs as the reply shows them: pending legs are PENDING_NEW even when already activated."""

    order_list: OrderList
    orders: tuple[Order, ...]
    fills: tuple[Trade, ...]
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Canceled:
    """A cancelled order; when it was a leg, `order_list` and all its `orders` went with it."""

    order: Order
    order_list: OrderList | None
    orders: tuple[Order, ...]
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class AllCanceled:
    """Every open order of a symbol: lone orders, and whole lists with their legs."""

    orders: tuple[Order, ...]
    lists: tuple[tuple[OrderList, tuple[Order, ...]], ...]
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class CancelReplaced:
    """Both halves of a cancel-replace. A half is its result, its refusal, or None (not tried).

    `code` is None when both worked, else -2022 (neither) or -2021 (one of two); `http_status` is
    200, 400 or 409 accordingly.
    """

    canceled: Canceled | VenueRefusal | None
    placed: Placed | VenueRefusal | None
    events: tuple[Event, ...]

    @property
    def cancel_result(self) -> str:
        return _word(self.canceled)

    @property
    def new_order_result(self) -> str:
        return _word(self.placed)

    @property
    def code(self) -> int | None:
        successes = (self.cancel_result, self.new_order_result).count("SUCCESS")
        return {2: None, 1: -2021, 0: -2022}[successes]

    @property
    def msg(self) -> str:
        return {
            None: "",
            -2021: "Order cancel-replace partially failed.",
            -2022: "Order cancel-replace failed.",
        }[self.code]

    @property
    def http_status(self) -> int:
        return {None: 200, -2021: 409, -2022: 400}[self.code]


@dataclass(frozen=True, slots=True)
class Amended:
    order: Order
    order_list: OrderList | None
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class BookView:
    """Depth as (price, quantity) rows, best first. `update_id` grows with every change."""

    update_id: int
    bids: tuple[tuple[Decimal, Decimal], ...]
    asks: tuple[tuple[Decimal, Decimal], ...]


@dataclass(frozen=True, slots=True)
class OrderCount:
    """Unfilled orders of an account in one clock-aligned window (`X-MBX-ORDER-COUNT-*`)."""

    interval: str  # SECOND | MINUTE | DAY
    interval_num: int
    limit: int
    count: int

    @property
    def header_suffix(self) -> str:
        return f"{self.interval_num}{self.interval[0]}"


@dataclass(frozen=True, slots=True)
class AccountView:
    account_id: str
    maker_rate: Decimal
    taker_rate: Decimal
    can_trade: bool
    bnb_burn: bool
    updated_ms: int
    balances: tuple[tuple[str, Decimal, Decimal], ...]  # (asset, free, locked), sorted


def _word(half: object) -> str:
    if half is None:
        return "NOT_ATTEMPTED"
    return "FAILURE" if isinstance(half, VenueRefusal) else "SUCCESS"
