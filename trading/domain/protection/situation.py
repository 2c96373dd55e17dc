"""What a position's protection is decided on: the position, its legs, and what the venue allows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from exchanges.domain.instruments import Instrument
from exchanges.domain.orders import STOP_TYPES, OrderType, Quote
from trading.domain.figures import ZERO
from trading.domain.order_states import OrderStatus


class Parent(StrEnum):
    """State of the working order a leg waits for."""

    NONE = "NONE"  # the leg stands by itself
    UNFILLED = "UNFILLED"
    PART_FILLED = "PART_FILLED"
    FILLED = "FILLED"  # the leg goes live, or has
    ENDED = "ENDED"  # ended short of its quantity: the venue expires the leg


@dataclass(frozen=True, slots=True)
class ExitLeg:
    """One protective order of ours that is not final. Quantities base units, prices quote units.

    `list_id` is the client id of its order list, empty for a lone order. `parent_since` is when
    the working order came into its present state, `parent_filled` what it has bought so far.
    `sent_at` is when it was put on the wire, `is_lost` that its answer was lost, `not_found` how
    often the venue has since said that it does not know it.
    """

    client_order_id: str
    list_id: str
    type: OrderType
    remaining_quantity: Decimal
    status: OrderStatus
    price: Decimal | None = None
    stop_price: Decimal | None = None
    parent: Parent = Parent.NONE
    parent_since: datetime | None = None
    parent_filled: Decimal = ZERO
    sent_at: datetime | None = None
    is_lost: bool = False
    not_found: int = 0

    @property
    def key(self) -> str:
        return self.list_id or self.client_order_id

    @property
    def is_stop(self) -> bool:
        return self.type in STOP_TYPES

    @property
    def is_unsent(self) -> bool:
        return self.status is OrderStatus.NEW

    @property
    def is_unknown(self) -> bool:
        """Say whether it may or may not be at the venue."""
        return self.status is OrderStatus.SUBMITTING

    @property
    def is_pending(self) -> bool:
        return self.status is OrderStatus.PENDING

    @property
    def is_live(self) -> bool:
        return not (self.is_unsent or self.is_unknown or self.is_pending)


@dataclass(frozen=True, slots=True)
class Situation:
    """One position and its legs.

    `quantity` is what the position holds after fees, `locked_elsewhere` what other sales of ours
    hold of it. `quote` is None unless fresh. `free_base` is what the venue has to sell beside our
    live legs, None unless it is newer than the last fill. `locked_unexplained` is what the venue
    has locked of it beyond all orders we know of, None while that was not asked. `oco_refused` and
    `stop_refused` say that the venue has just refused a list for its target, or a stop as already
    passed; `refused_until` that it refused a stop for another reason (`refused_for`, in the
    venue's words), and when to try again.
    `free_slots` is how many more conditional orders the venue takes in the symbol (None: no
    limit), `expendable` those of ours that may give up their place, least important first.
    `has_guard` says that a guard process watches stops for us.
    """

    now: datetime
    instrument: Instrument
    quantity: Decimal
    stop: Decimal | None
    target: Decimal | None
    legs: tuple[ExitLeg, ...] = ()
    quote: Quote | None = None
    free_base: Decimal | None = None
    locked_unexplained: Decimal | None = None
    locked_elsewhere: Decimal = ZERO
    grace: timedelta = timedelta(seconds=1.5)
    fallback_min_notional: Decimal = Decimal(10)
    stop_required: bool = True
    oco_refused: bool = False
    stop_refused: bool = False
    refused_until: datetime | None = None
    refused_for: str = ""
    last_fill_at: datetime | None = None
    quiet: timedelta = timedelta(seconds=1)
    free_slots: int | None = None
    expendable: tuple[str, ...] = ()
    has_guard: bool = False
    naked_since: datetime | None = None
    naked_exit_after: timedelta = timedelta(seconds=15)  # zero: alarm only

    @property
    def is_quiet(self) -> bool:
        return self.last_fill_at is None or self.now - self.last_fill_at >= self.quiet

    @property
    def has_room(self) -> bool:
        return self.free_slots is None or self.free_slots > 0

    @property
    def is_backing_off(self) -> bool:
        return self.refused_until is not None and self.now < self.refused_until


def locked(legs: tuple[ExitLeg, ...]) -> Decimal:
    """Add up what live legs lock: the two legs of one list lock the same coins once."""
    per_list: dict[str, Decimal] = {}
    for leg in legs:
        if leg.is_live:
            per_list[leg.key] = max(per_list.get(leg.key, ZERO), leg.remaining_quantity)
    return sum(per_list.values(), ZERO)
