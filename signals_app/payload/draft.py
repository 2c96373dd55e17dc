"""A signal after normalisation: one shape for every source and payload generation."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any


class Action(StrEnum):
    BUY = "buy"
    SELL = "sell"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class SignalDraft:
    """What a strategy said. Prices in quote units, `quantity` base units, times aware UTC."""

    strategy_id: str
    symbol: str  # venue spelling, BTCUSDT
    action: Action
    confidence: Decimal
    emitted_at: datetime
    schema: str  # "v1" (options in meta) or "v2" (options at top level)
    uid: str = ""  # sender's own unique id; empty when it gave none
    price: Decimal | None = None
    current_price: Decimal | None = None
    order_type: str | None = None  # market, limit, stop, stop_limit, take_profit, take_profit_limit
    time_in_force: str | None = None  # GTC, IOC, FOK
    stop_price: Decimal | None = None
    quantity: Decimal | None = None
    quote_quantity: Decimal | None = None
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    use_default_stop_loss: bool | None = None
    use_default_take_profit: bool | None = None
    atr: Decimal | None = None
    timeframe: str = ""
    simulate: bool | None = None
    environment: str = ""  # whose prices it was made of; empty when it did not say
    rationale: str = ""
    description: str = ""
    indicators: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)  # everything else, kept as sent
    notes: tuple[str, ...] = ()


class PayloadError(ValueError):
    """A payload that cannot become a draft. `field` is a path such as 'meta.stop_loss'."""

    def __init__(self, field: str, code: str, message: str) -> None:
        self.field = field
        self.code = code
        self.message = message
        super().__init__(f"{field}: {message}" if field else message)
