"""What a client asks of the venue, already split into typed figures (the door parses text)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from exchanges.matching.enums import OrderType, Side, TimeInForce


@dataclass(frozen=True, slots=True)
class NewOrder:
    """One order as sent. Which figures a type needs and forbids is checked by the engine.

    `time_in_force` is None when not sent (the engine stores GTC where the type has none).
    `trailing_delta` is in basis points. `self_trade_prevention` None means the symbol's default.
    """

    symbol: str
    side: Side
    type: OrderType
    quantity: Decimal | None = None
    quote_quantity: Decimal | None = None
    price: Decimal | None = None
    stop_price: Decimal | None = None
    trailing_delta: int | None = None
    time_in_force: TimeInForce | None = None
    client_order_id: str | None = None
    iceberg_quantity: Decimal | None = None
    self_trade_prevention: str | None = None
    strategy_id: int | None = None
    strategy_type: int | None = None


@dataclass(frozen=True, slots=True)
class NewOco:
    """One cancels the other. Both legs carry the same symbol, side and quantity."""

    above: NewOrder
    below: NewOrder
    list_client_order_id: str | None = None

    @property
    def symbol(self) -> str:
        return self.above.symbol


@dataclass(frozen=True, slots=True)
class NewOto:
    """One triggers the other: `pending` waits until `working` is completely filled.

    `pays` makes it an OPO: the pending leg has no quantity and sells what the working BUY got.
    """

    working: NewOrder
    pending: NewOrder
    list_client_order_id: str | None = None
    pays: bool = False

    @property
    def symbol(self) -> str:
        return self.working.symbol


@dataclass(frozen=True, slots=True)
class NewOtoco:
    """One triggers an OCO pair. `pays` makes it an OPOCO (see NewOto)."""

    working: NewOrder
    pending_above: NewOrder
    pending_below: NewOrder
    list_client_order_id: str | None = None
    pays: bool = False

    @property
    def symbol(self) -> str:
        return self.working.symbol


NewOrderList = NewOco | NewOto | NewOtoco
