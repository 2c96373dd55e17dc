"""What somebody wants to do, in trading's own words. It knows nothing of signals or venues.

Prices are quote units per base unit, all money `Decimal`, times aware UTC.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from exchanges.domain.orders import OrderType, TimeInForce

STRATEGY_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._:/@+-]{0,99}")


class IntentKind(StrEnum):
    OPEN_LONG = "open_long"
    REDUCE = "reduce"  # sell part of what is held
    CLOSE = "close"  # sell all that is held


class SizeMode(StrEnum):
    BASE_QUANTITY = "base_quantity"
    QUOTE_AMOUNT = "quote_amount"
    DEFAULT = "default"  # the account's own sizing model


@dataclass(frozen=True, slots=True)
class SizingIntent:
    """How much was asked for: `amount` in base or quote units by `mode`, None for DEFAULT."""

    mode: SizeMode = SizeMode.DEFAULT
    amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class TradeIntent:
    """One wish to trade. `intent_uid` is unique for ever: it is the key of 'never twice'.

    `price` is the limit price, `stop_price` the trigger. `stop_loss`/`take_profit` are protective
    levels asked for by the sender. `sender_price` is the sender's own mark, evidence only.
    `atr` is the average true range in quote units when the sender gave one.
    `emitted_at` is the sender's clock. `notes` are marks that belong in the decision record.
    """

    intent_uid: str
    kind: IntentKind
    strategy_id: str
    symbol: str
    confidence: Decimal
    emitted_at: datetime
    order_type: OrderType | None = None  # None: the account's default
    time_in_force: TimeInForce | None = None
    price: Decimal | None = None
    stop_price: Decimal | None = None
    sizing: SizingIntent = SizingIntent()
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    use_default_stop_loss: bool | None = None
    use_default_take_profit: bool | None = None
    atr: Decimal | None = None
    sender_price: Decimal | None = None
    simulate: bool = False  # true forces the simulator; false asks for nothing
    correlation_id: str = ""
    actor: str = ""
    notes: tuple[str, ...] = ()

    @property
    def is_entry(self) -> bool:
        return self.kind is IntentKind.OPEN_LONG
