"""What follows when an exit has ended before it sold all it was to sell. Pure.

What has to leave, leaves: the rest is sold under a new id, sized by what is there, until nothing
is left or a person says no. It follows at once where something has changed since the refusal (its
size, its type), or where it never reached the venue; else after a pause that grows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from exchanges.domain.instruments import Instrument
from exchanges.domain.orders import OrderType
from trading.domain.figures import ZERO, plain
from trading.domain.order_states import OrderStatus

AT_ONCE = 3  # attempts that may follow without a pause
REMEDIED = ("INSUFFICIENT_BALANCE", "WOULD_TRIGGER")
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=0.5), timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Ended:
    """An exit that has ended. Quantities are base units.

    `wanted` is what it was to sell, `filled` what it sold, `attempt` how many went before it.
    `reason_code` names why it was refused, `refused_before` says that the attempt before it was
    refused for the same reason. `held` is what the position holds by now, `free` what the venue
    has free of it with our protection out of the way; None while that was not asked.
    """

    type: OrderType
    status: OrderStatus
    wanted: Decimal
    filled: Decimal
    held: Decimal
    instrument: Instrument
    now: datetime
    reason_code: str = ""
    attempt: int = 0
    refused_before: bool = False
    free: Decimal | None = None
    reference: Decimal | None = None  # a price, to value what is left


@dataclass(frozen=True, slots=True)
class SellOn:
    """Sell `quantity` more by an order of `type`, not before `at`."""

    quantity: Decimal
    type: OrderType
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class LookAtFunds:
    """Ask the venue what is there first."""


@dataclass(frozen=True, slots=True)
class Over:
    """Nothing is left that could be sold."""

    reason: str


Next = SellOn | LookAtFunds | Over


def after(ended: Ended) -> Next:
    """Say how an exit goes on."""
    rest = ended.wanted - ended.filled
    if rest <= 0:
        return Over("all of it is sold")
    if ended.held <= 0:
        return Over("nothing is held any more")
    if ended.reason_code == "INSUFFICIENT_BALANCE" and ended.free is None:
        return LookAtFunds()
    there = ended.held if ended.free is None else min(ended.held, ended.free)
    kind = OrderType.MARKET if ended.reason_code == "WOULD_TRIGGER" else ended.type
    quantity = _sellable(ended, min(rest, there), is_market=kind is OrderType.MARKET)
    if small := _too_small(ended, quantity):
        missing = min(rest, ended.held) - there
        if missing > 0:
            small = f"the venue has {plain(there)} of {plain(min(rest, ended.held))}: {small}"
        return Over(small)
    reason = f"{plain(rest)} of {plain(ended.wanted)} are left to sell"
    if quantity < ended.instrument.floor_quantity(min(rest, ended.held)):
        reason += f", {plain(quantity)} of it can be sold now"
    return SellOn(quantity, kind, ended.now + _pause(ended), reason)


def _pause(ended: Ended) -> timedelta:
    is_refused = ended.status is OrderStatus.REJECTED
    is_remedied = ended.reason_code in REMEDIED and not ended.refused_before
    if ended.attempt < AT_ONCE and (is_remedied or not is_refused):
        return timedelta(0)
    return min(FIRST_PAUSE * (1 << min(ended.attempt, 10)), LONGEST_PAUSE)


def _sellable(ended: Ended, quantity: Decimal, *, is_market: bool) -> Decimal:
    instrument = ended.instrument
    most = instrument.max_quantity(market=is_market)
    capped = min(quantity, most) if most else quantity
    return max(instrument.floor_quantity(capped, market=is_market), ZERO)


def _too_small(ended: Ended, quantity: Decimal) -> str:
    instrument = ended.instrument
    if quantity <= 0 or quantity < instrument.lot.minimum:
        least = plain(instrument.lot.minimum)
        return f"{plain(quantity)} are left, the venue asks {least} at least"
    if ended.reference is None or not instrument.min_notional_applies_to_market:
        return ""
    worth = quantity * ended.reference
    if worth >= instrument.min_notional:
        return ""
    return f"{plain(worth)} are left, the venue asks {plain(instrument.min_notional)} at least"
