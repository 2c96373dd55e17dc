"""What a position's protection at the venue must become. Pure: a situation in, actions out.

The rule: the quantity under live stop legs equals what can be sold, on the lot grid, at the
wanted levels. When it does not, every protective list of ours is cancelled and one fresh list
placed for the whole, for a venue allows few resting stops per symbol and lists must not pile up.

* Flat: nothing may be left that could sell.
* Pending legs of an entry's own list are future protection. They protect nothing while the entry
  fills in part; after a grace period its list is cancelled and what has arrived is protected.
* Any leg whose placing is in flight stops everything: two lists must never sell the same coins.
* A stop the market has passed cannot rest: sell at market. So does a target it has reached, since
  the bid then pays at least what was asked.
* Too small for the venue: dust, recorded, since no order is possible.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from exchanges.domain.instruments import Instrument
from exchanges.domain.orders import STOP_TYPES, OrderType, Quote
from trading.domain.figures import ZERO, plain
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

    @property
    def is_stop(self) -> bool:
        return self.type in STOP_TYPES

    @property
    def is_in_flight(self) -> bool:
        """Say whether nobody knows yet if the venue has it."""
        return self.status in (OrderStatus.NEW, OrderStatus.SUBMITTING)

    @property
    def is_pending(self) -> bool:
        return self.status is OrderStatus.PENDING

    @property
    def is_live(self) -> bool:
        return not (self.is_in_flight or self.is_pending)


@dataclass(frozen=True, slots=True)
class Situation:
    """One position and its legs.

    `quantity` is what the position holds after fees, `locked_elsewhere` what other resting sales
    hold of it. `quote` is None unless fresh. `free_base` is the venue's free balance, None unless
    it is newer than the last fill. `oco_refused` and `stop_refused` say that the venue has just
    refused a list for its target, or a stop as already passed.
    """

    now: datetime
    instrument: Instrument
    quantity: Decimal
    stop: Decimal | None
    target: Decimal | None
    legs: tuple[ExitLeg, ...] = ()
    quote: Quote | None = None
    free_base: Decimal | None = None
    locked_elsewhere: Decimal = ZERO
    grace: timedelta = timedelta(seconds=3)
    fallback_min_notional: Decimal = Decimal(10)
    stop_required: bool = True
    oco_refused: bool = False
    stop_refused: bool = False


@dataclass(frozen=True, slots=True)
class KeepAll:
    reason: str


@dataclass(frozen=True, slots=True)
class CancelList:
    list_id: str


@dataclass(frozen=True, slots=True)
class CancelOrder:
    client_order_id: str


@dataclass(frozen=True, slots=True)
class PlaceOco:
    quantity: Decimal
    target: Decimal
    stop: Decimal


@dataclass(frozen=True, slots=True)
class PlaceStop:
    quantity: Decimal
    stop: Decimal


@dataclass(frozen=True, slots=True)
class PlaceTarget:
    """Only where the account allows positions without a stop."""

    quantity: Decimal
    target: Decimal


@dataclass(frozen=True, slots=True)
class ExitAtMarket:
    quantity: Decimal
    reason: str


@dataclass(frozen=True, slots=True)
class Dust:
    """No order is possible. `is_all`: for the whole position, not for what an exit leaves of it."""

    quantity: Decimal
    reason: str
    is_all: bool = True


@dataclass(frozen=True, slots=True)
class Alarm:
    reason: str


Placement = PlaceOco | PlaceStop | PlaceTarget | ExitAtMarket
Action = KeepAll | CancelList | CancelOrder | Placement | Dust | Alarm


@dataclass(frozen=True, slots=True)
class ProtectionPlan:
    """Actions in the order to take them; figures and reason are for the record.

    Take them one by one and stop at the first that fails or whose outcome is unknown, then look
    again: a cancel may find that the leg has just filled.
    """

    actions: tuple[Action, ...]
    sellable: Decimal
    covered: Decimal
    reason: str

    @property
    def changes_nothing(self) -> bool:
        return all(isinstance(action, KeepAll | Dust | Alarm) for action in self.actions)


def plan(situation: Situation) -> ProtectionPlan:
    """Plan the next actions for one position. Planning again after they succeed keeps all."""
    if situation.quantity <= 0:
        return _flat(situation)
    sellable, shortfall = _sellable(situation)
    covered = _covered(situation.legs)
    alarms = _alarms(situation, shortfall)
    wanted = _wanted(situation, sellable)
    keep = _reason_to_keep(situation, sellable, covered, wanted)
    if keep:
        return ProtectionPlan((KeepAll(keep), *alarms), sellable, covered, keep)
    placing = () if wanted is None else (wanted,)
    if isinstance(wanted, Dust) and locked(situation.legs) <= sellable:
        # Whatever still rests may sell the dust; what is still filling may outgrow it.
        return ProtectionPlan((*placing, *alarms), sellable, covered, wanted.reason)
    reason = f"covered {plain(covered)}, sellable {plain(sellable)}"
    actions = (*_cancels(situation.legs), *placing, *alarms)
    return ProtectionPlan(actions, sellable, covered, reason)


def _reason_to_keep(
    situation: Situation, sellable: Decimal, covered: Decimal, wanted: Placement | Dust | None
) -> str:
    if any(leg.is_in_flight for leg in situation.legs):
        return "a placing is in flight"
    if _is_in_place(situation, _one_order(situation, sellable), covered, wanted):
        return "what rests is what should"
    return _worth_waiting(situation, sellable, covered)


def _flat(situation: Situation) -> ProtectionPlan:
    """Cancel whatever could still sell; an entry that has not filled keeps its pending legs."""
    doomed = tuple(leg for leg in situation.legs if leg.is_live or leg.parent is Parent.FILLED)
    cancels = _cancels(tuple(leg for leg in doomed if not leg.is_in_flight))
    actions: tuple[Action, ...] = cancels or (KeepAll("flat"),)
    return ProtectionPlan(actions, ZERO, _covered(situation.legs), "flat")


def _sellable(situation: Situation) -> tuple[Decimal, str]:
    """Floor what can be sold to the lot grid; a word of alarm when the venue holds less."""
    ours = situation.quantity - situation.locked_elsewhere
    if situation.free_base is None:
        return max(situation.instrument.floor_quantity(ours), ZERO), ""
    there = situation.free_base + locked(situation.legs)
    sellable = max(situation.instrument.floor_quantity(min(ours, there)), ZERO)
    if there >= situation.instrument.floor_quantity(ours):
        return sellable, ""
    return sellable, f"the venue holds {plain(there)} to sell, the books say {plain(ours)}"


def _covered(legs: tuple[ExitLeg, ...]) -> Decimal:
    return sum((leg.remaining_quantity for leg in legs if leg.is_live and leg.is_stop), ZERO)


def locked(legs: tuple[ExitLeg, ...]) -> Decimal:
    """Add up what live legs lock: the two legs of one list lock the same coins once."""
    per_list: dict[str, Decimal] = {}
    for leg in legs:
        if leg.is_live:
            key = leg.list_id or leg.client_order_id
            per_list[key] = max(per_list.get(key, ZERO), leg.remaining_quantity)
    return sum(per_list.values(), ZERO)


def _one_order(situation: Situation, sellable: Decimal) -> Decimal:
    return min(sellable, situation.instrument.max_quantity() or sellable)


def _wanted(situation: Situation, sellable: Decimal) -> Placement | Dust | None:
    """Say what should rest at the venue; None when no level is wanted."""
    instrument, stop, target = situation.instrument, situation.stop, situation.target
    quantity = _one_order(situation, sellable)
    passed = _passed(situation)
    small = _too_small(situation, quantity, at_market=bool(passed))
    if small:
        return Dust(situation.quantity, small, is_all=situation.locked_elsewhere <= 0)
    if passed:
        return _at_market(instrument, quantity, passed)
    if stop is None:
        return PlaceTarget(quantity, target) if target is not None else None
    if target is None or situation.oco_refused or not instrument.oco_allowed:
        return PlaceStop(quantity, stop)
    return PlaceOco(quantity, target, stop)


def _too_small(situation: Situation, quantity: Decimal, *, at_market: bool) -> str:
    """Name the venue's least that one order for `quantity` would miss, if any."""
    instrument = situation.instrument
    least_quantity = instrument.lot.minimum
    if quantity <= 0 or quantity < least_quantity:
        return f"{plain(quantity)} to sell, the venue asks {plain(least_quantity)} at least"
    price = situation.stop if situation.stop is not None else situation.target
    least = instrument.min_notional or situation.fallback_min_notional
    if at_market:
        price = situation.quote.bid if situation.quote else price
        least = least if instrument.min_notional_applies_to_market else ZERO
    if price is None or quantity * price >= least:
        return ""
    return f"worth {plain(quantity * price)} at {plain(price)}, the venue asks {plain(least)}"


def _passed(situation: Situation) -> str:
    if situation.stop_refused:
        return "the venue says the stop has been passed"
    if situation.quote is None:
        return ""
    bid = situation.quote.bid
    if situation.stop is not None and bid <= situation.stop:
        return f"bid {plain(bid)} is at or below the stop {plain(situation.stop)}"
    if situation.target is not None and bid >= situation.target:
        return f"bid {plain(bid)} has reached the target {plain(situation.target)}"
    return ""


def _at_market(instrument: Instrument, quantity: Decimal, reason: str) -> ExitAtMarket:
    most = instrument.max_quantity(market=True)
    capped = min(quantity, most) if most else quantity
    return ExitAtMarket(instrument.floor_quantity(capped, market=True), reason)


def _is_in_place(
    situation: Situation, quantity: Decimal, covered: Decimal, wanted: Placement | Dust | None
) -> bool:
    """Compare what rests with what should.

    A stop that rests is left to fire by itself, wherever the quote stands: the venue triggers on
    trades, and we would race it for the same coins.
    """
    live = tuple(leg for leg in situation.legs if leg.is_live)
    if situation.stop is None and covered == 0:
        if situation.target is None:
            return True
        return quantity > 0 and _targets_at(live, situation.target) == quantity
    levels = {leg.stop_price for leg in live if leg.is_stop and leg.stop_price is not None}
    if covered == 0 or covered != quantity or levels - {situation.stop}:
        return False
    if situation.target is None or not _needs_target(situation, wanted):
        return True
    return _targets_at(live, situation.target) == quantity


def _needs_target(situation: Situation, wanted: Placement | Dust | None) -> bool:
    """Say whether a lone stop is not enough: the target can rest, or has been reached."""
    if isinstance(wanted, PlaceOco):
        return True
    reached = situation.quote is not None and situation.quote.bid >= (situation.target or ZERO)
    return isinstance(wanted, ExitAtMarket) and reached


def _targets_at(live: tuple[ExitLeg, ...], price: Decimal) -> Decimal:
    quantities = (
        leg.remaining_quantity
        for leg in live
        if not leg.is_stop and price in (leg.price, leg.stop_price)
    )
    return sum(quantities, ZERO)


def _worth_waiting(situation: Situation, sellable: Decimal, covered: Decimal) -> str:
    """Name what will protect the uncovered rest by itself within the grace period, if anything."""
    soon = {
        leg.list_id or leg.client_order_id: leg
        for leg in situation.legs
        if leg.is_pending
        and leg.parent in (Parent.PART_FILLED, Parent.FILLED)
        and leg.parent_since is not None
        and situation.now - leg.parent_since < situation.grace
    }
    if not soon:
        return ""
    arriving = sum((leg.parent_filled for leg in soon.values()), ZERO)
    without = situation.instrument.floor_quantity(max(sellable - arriving, ZERO))
    if covered < without:
        return ""  # part of the bare quantity has nothing to do with these entries
    return "an entry is filling, or its legs are going live"


def _cancels(legs: tuple[ExitLeg, ...]) -> tuple[CancelList | CancelOrder, ...]:
    """Cancel each list once. Entries that have not begun to fill keep theirs."""
    doomed: dict[str, CancelList | CancelOrder] = {}
    for leg in legs:
        untouched = leg.is_pending and leg.parent in (Parent.UNFILLED, Parent.ENDED)
        if untouched or leg.is_in_flight:
            continue
        key = leg.list_id or leg.client_order_id
        doomed[key] = CancelList(leg.list_id) if leg.list_id else CancelOrder(key)
    return tuple(doomed.values())


def _alarms(situation: Situation, shortfall: str) -> tuple[Alarm, ...]:
    """Ring for what no placement can mend."""
    reasons = [shortfall] if shortfall else []
    if situation.stop is None and situation.stop_required:
        reasons.append("the position has no stop level")
    most = situation.instrument.max_quantity()
    if most and situation.quantity > most:
        reasons.append(f"one order covers {plain(most)} at most")
    if any(_is_overdue(leg, situation) for leg in situation.legs):
        reasons.append("pending legs did not go live after their entry had filled")
    return tuple(Alarm(reason) for reason in reasons)


def _is_overdue(leg: ExitLeg, situation: Situation) -> bool:
    if not leg.is_pending or leg.parent is not Parent.FILLED or leg.parent_since is None:
        return False
    return situation.now - leg.parent_since >= situation.grace
