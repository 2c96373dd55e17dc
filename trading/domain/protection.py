"""What a position's protection at the venue must become. Pure: a situation in, actions out.

The rule: every coin that can be sold stands under a live stop at the wanted level. Each part that
was bought gets an order list of its own at once; lists are moved and joined one at a time, when
the position is quiet, so that a live stop is never taken away while nothing else stands.

* An unknown placing is no wall. The venue is asked; once it has answered that it does not know the
  order, the coins are protected again under new ids. If the first placing did execute after all,
  the coins are locked and the second is refused; where other free coins let both stand, the
  surplus is cancelled as soon as it shows.
* Flat: nothing may be left that could sell.
* Pending legs of an entry's own list are future protection. They protect nothing while the entry
  fills in part; after a grace period its list is cancelled and what has arrived is protected.
* A stop the market has passed cannot rest: sell at market. So does a target it has reached, since
  the bid then pays at least what was asked.
* The venue takes few conditional orders per symbol. Without room, a less important one of ours
  gives up its place; else our own guard process holds the stop; else, after a while, it is sold.
* Less than the venue's smallest order is dust, or rides along with the next change: no live stop
  is taken away for its sake.

docs/reliability.md has the whole as a table; a property test walks it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cached_property

from exchanges.domain.instruments import Instrument
from exchanges.domain.orders import STOP_TYPES, OrderType, Quote
from trading.domain.figures import ZERO, plain
from trading.domain.order_states import OrderStatus

MOST_LISTS = 3  # of one position; more parts join the smallest list
KEPT_LISTS = 2  # left standing when the position is quiet
NOT_YET_ANSWERED = timedelta(seconds=0.5)  # a sender may still be waiting for the venue
ASK_AGAIN = timedelta(seconds=0.25)
SLOT_LOOK = timedelta(seconds=2)
ALARM_LOOK = timedelta(seconds=1)


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
    live legs, None unless it is newer than the last fill. `oco_refused` and `stop_refused` say
    that the venue has just refused a list for its target, or a stop as already passed;
    `refused_until` that it refused a stop for another reason, and when to try again.
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
    locked_elsewhere: Decimal = ZERO
    grace: timedelta = timedelta(seconds=1.5)
    fallback_min_notional: Decimal = Decimal(10)
    stop_required: bool = True
    oco_refused: bool = False
    stop_refused: bool = False
    refused_until: datetime | None = None
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


@dataclass(frozen=True, slots=True)
class KeepAll:
    reason: str


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask the venue what became of a placing whose answer was lost."""

    client_order_id: str


@dataclass(frozen=True, slots=True)
class CallOff:
    """End a placing of ours that was never sent: a fresh one fits better."""

    client_order_id: str


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
class Guard:
    """Have our guard process hold the stop of `quantity`: the venue has no room for it now."""

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
Cancel = CancelList | CancelOrder
Action = KeepAll | Ask | CallOff | Cancel | Placement | Guard | Dust | Alarm


@dataclass(frozen=True, slots=True)
class ProtectionPlan:
    """Actions in the order to take them; figures and reason are for the record.

    Take them one by one and stop at the first that fails or whose outcome is unknown, then look
    again: a cancel may find that the leg has just filled. `guarded` is the quantity whose stop our
    guard must hold, `shortfall` what the books hold and the venue does not. `is_safe` says that
    nothing is missing; `look_again` when this plan may change without any news.
    """

    actions: tuple[Action, ...]
    sellable: Decimal
    covered: Decimal
    reason: str
    guarded: Decimal = ZERO
    shortfall: Decimal = ZERO
    is_safe: bool = True
    look_again: timedelta | None = None

    @property
    def changes_nothing(self) -> bool:
        return all(isinstance(action, KeepAll | Guard | Dust | Alarm) for action in self.actions)


@dataclass(frozen=True, slots=True)
class _Group:
    """The live legs of one order list, or one lone order."""

    key: str
    legs: tuple[ExitLeg, ...]

    @property
    def quantity(self) -> Decimal:
        """Return what it locks: the two legs of a list lock the same coins once."""
        return max(leg.remaining_quantity for leg in self.legs)

    @property
    def covered(self) -> Decimal:
        return sum((leg.remaining_quantity for leg in self.legs if leg.is_stop), ZERO)

    @property
    def stops(self) -> set[Decimal | None]:
        return {leg.stop_price for leg in self.legs if leg.is_stop}

    @property
    def cancel(self) -> Cancel:
        is_list = any(leg.list_id for leg in self.legs)
        return CancelList(self.key) if is_list else CancelOrder(self.key)

    def has_target(self, price: Decimal) -> bool:
        return any(
            not leg.is_stop
            and price in (leg.price, leg.stop_price)
            and leg.remaining_quantity == self.quantity
            for leg in self.legs
        )


class _View:
    """What follows from a situation, worked out once."""

    def __init__(self, situation: Situation) -> None:
        self.s = situation

    @cached_property
    def groups(self) -> tuple[_Group, ...]:
        """Return what is live at the venue, the smallest first."""
        found: dict[str, list[ExitLeg]] = {}
        for leg in self.s.legs:
            if leg.is_live:
                found.setdefault(leg.key, []).append(leg)
        groups = [_Group(key, tuple(legs)) for key, legs in found.items()]
        return tuple(sorted(groups, key=lambda group: group.quantity))

    @cached_property
    def covering(self) -> tuple[_Group, ...]:
        return tuple(group for group in self.groups if group.covered > 0)

    @cached_property
    def covered(self) -> Decimal:
        return sum((group.covered for group in self.groups), ZERO)

    @cached_property
    def locked(self) -> Decimal:
        return sum((group.quantity for group in self.groups), ZERO)

    @cached_property
    def in_doubt(self) -> Decimal:
        """Return what unknown placings lock if they did execute."""
        per_list: dict[str, Decimal] = {}
        for leg in self.s.legs:
            if leg.is_unknown:
                per_list[leg.key] = max(per_list.get(leg.key, ZERO), leg.remaining_quantity)
        return sum(per_list.values(), ZERO)

    @cached_property
    def ours(self) -> Decimal:
        return self.s.quantity - self.s.locked_elsewhere

    @cached_property
    def there(self) -> Decimal:
        """Return what the venue has of it for us to sell, as far as is known."""
        free = self.s.free_base
        return self.ours if free is None else min(self.ours, free + self.locked)

    @cached_property
    def sellable(self) -> Decimal:
        return max(self.s.instrument.floor_quantity(self.there), ZERO)

    @cached_property
    def shortfall(self) -> Decimal:
        """Return what the books hold and the venue does not; coins in doubt are not missing."""
        missing = self.ours - self.there - self.in_doubt
        return missing if self.s.instrument.floor_quantity(missing) > 0 else ZERO

    @cached_property
    def arriving(self) -> Decimal:
        """Return what pending legs will protect by themselves within the grace period."""
        soon = {leg.key: leg for leg in self.s.legs if _goes_live_soon(leg, self.s)}
        return sum((leg.parent_filled for leg in soon.values()), ZERO)

    @cached_property
    def uncovered(self) -> Decimal:
        """Return what is free and has no stop yet, on the lot grid."""
        bare = self.sellable - self.locked - self.arriving
        return max(self.s.instrument.floor_quantity(bare), ZERO)

    @cached_property
    def most(self) -> Decimal | None:
        """Return the largest quantity one order may have; None when the venue sets no limit."""
        return self.s.instrument.max_quantity() or None

    @cached_property
    def passed(self) -> str:
        """Name the level the market has passed, if any."""
        s = self.s
        if s.stop_refused:
            return "the venue says the stop has been passed"
        if s.quote is None:
            return ""
        bid = s.quote.bid
        if s.stop is not None and bid <= s.stop:
            return f"bid {plain(bid)} is at or below the stop {plain(s.stop)}"
        if self.target_is_reached:
            return f"bid {plain(bid)} has reached the target {plain(s.target or ZERO)}"
        return ""

    @property
    def target_is_reached(self) -> bool:
        s = self.s
        return s.quote is not None and s.target is not None and s.quote.bid >= s.target

    @property
    def takes_pairs(self) -> bool:
        s = self.s
        return s.target is not None and s.instrument.oco_allowed and not s.oco_refused

    def too_small(self, quantity: Decimal) -> str:
        """Name the venue's least that one order for `quantity` would miss, if any."""
        s, instrument = self.s, self.s.instrument
        least_quantity = instrument.lot.minimum
        if quantity <= 0 or quantity < least_quantity:
            return f"{plain(quantity)} to sell, the venue asks {plain(least_quantity)} at least"
        price = s.stop if s.stop is not None else s.target
        least = instrument.min_notional or s.fallback_min_notional
        if self.passed:
            price = s.quote.bid if s.quote else price
            least = least if instrument.min_notional_applies_to_market else ZERO
        if price is None or quantity * price >= least:
            return ""
        return f"worth {plain(quantity * price)} at {plain(price)}, the venue asks {plain(least)}"

    def placement(self, quantity: Decimal) -> Placement | None:
        """Say what protects `quantity`; None when no level is wanted or it is too small."""
        s = self.s
        if self.too_small(quantity):
            return None
        if self.passed:
            return _at_market(s.instrument, quantity, self.passed)
        quantity = min(quantity, self.most or quantity)
        if s.stop is None:
            return PlaceTarget(quantity, s.target) if s.target is not None else None
        if s.target is None or not self.takes_pairs:
            return PlaceStop(quantity, s.stop)
        return PlaceOco(quantity, s.target, s.stop)

    def replace(self, *groups: _Group, quantity: Decimal) -> tuple[Action, ...]:
        """Cancel groups and protect `quantity` of their coins anew, in one breath."""
        placed = self.placement(quantity)
        cancels = tuple(group.cancel for group in groups)
        return (*cancels, placed) if placed is not None else cancels

    def fits_one_order(self, quantity: Decimal) -> bool:
        return self.most is None or quantity <= self.most


Step = Callable[[_View], "_Found | None"]


@dataclass(frozen=True, slots=True)
class _Found:
    """What one step wants done, and why."""

    actions: tuple[Action, ...]
    reason: str
    look_again: timedelta | None = None
    is_safe: bool = False
    guarded: Decimal = ZERO


def plan(situation: Situation) -> ProtectionPlan:
    """Plan the next actions for one position. Planning again after they succeed comes to rest."""
    view = _View(situation)
    if situation.quantity <= 0:
        return _flat(view)
    for step in STEPS:
        found = step(view)
        if found is not None:
            break
    else:
        found = _rest(view)
    return ProtectionPlan(
        actions=(*found.actions, *_alarms(view)),
        sellable=view.sellable,
        covered=view.covered,
        reason=found.reason,
        guarded=found.guarded,
        shortfall=view.shortfall,
        is_safe=found.is_safe,
        look_again=found.look_again,
    )


def locked(legs: tuple[ExitLeg, ...]) -> Decimal:
    """Add up what live legs lock: the two legs of one list lock the same coins once."""
    per_list: dict[str, Decimal] = {}
    for leg in legs:
        if leg.is_live:
            per_list[leg.key] = max(per_list.get(leg.key, ZERO), leg.remaining_quantity)
    return sum(per_list.values(), ZERO)


# ---- the steps, in the order they are tried ----------------------------------------------------


def _unsent(view: _View) -> _Found | None:
    """A placing that was put back or never left: plan afresh instead of sending an old one."""
    ids = {leg.key: leg.client_order_id for leg in view.s.legs if leg.is_unsent}
    if not ids:
        return None
    return _Found(tuple(map(CallOff, ids.values())), "a placing was never sent")


def _unanswered(view: _View) -> _Found | None:
    """Ask about each placing whose answer was lost; give one that has just left a moment."""
    unknown = {leg.key: leg for leg in view.s.legs if leg.is_unknown}
    just_left = [
        leg
        for leg in unknown.values()
        if not leg.is_lost and leg.sent_at and view.s.now - leg.sent_at < NOT_YET_ANSWERED
    ]
    if just_left:
        keep = KeepAll("a placing is on its way")
        return _Found((keep,), keep.reason, look_again=ASK_AGAIN)
    asks = tuple(Ask(leg.client_order_id) for leg in unknown.values() if not leg.not_found)
    return _Found(asks, "the answer to a placing was lost") if asks else None


def _overdue_entries(view: _View) -> _Found | None:
    """Cut off an entry that fills in parts, or whose legs do not go live, past its grace."""
    overdue = [leg for leg in view.s.legs if _is_overdue(leg, view.s)]
    if not overdue or view.too_small(view.sellable):  # dust: the entry may outgrow it
        return None
    return _Found(_cancels(tuple(overdue)), "an entry has filled in part, or its legs sleep")


def _surplus(view: _View) -> _Found | None:
    """More is locked than can be sold: what has gone, or two placings that both stand."""
    excess = view.locked - view.sellable
    if not view.groups or excess <= 0:
        return None
    exact = [group for group in view.groups if group.quantity == excess]
    enough = [group for group in view.groups if group.quantity > excess]
    chosen = (exact or enough or list(view.groups))[0]
    left = chosen.quantity - excess
    reason = f"locked {plain(view.locked)}, sellable {plain(view.sellable)}"
    if left > 0 and view.sellable > 0 and view.too_small(left) and len(view.groups) == 1:
        return _Found((chosen.cancel, _dust(view, view.too_small(left))), reason)
    return _Found(view.replace(chosen, quantity=max(left, ZERO)), reason)


def _stopless(view: _View) -> _Found | None:
    """A list whose stop has gone while its target still rests locks coins that nothing guards."""
    if view.s.stop is None:
        return None
    for group in view.groups:
        if group.covered == 0 and not view.too_small(group.quantity):
            actions = view.replace(group, quantity=group.quantity + view.uncovered)
            return _Found(actions, f"{plain(group.quantity)} rest without a stop")
    return None


def _bare(view: _View) -> _Found | None:
    """Free coins without a stop: sell them when the level has been passed, else protect them."""
    s, bare = view.s, view.uncovered
    if bare <= 0:
        return None
    if view.too_small(bare):
        return _crumb(view, bare)
    reason = f"covered {plain(view.covered)}, sellable {plain(view.sellable)}"
    placed = view.placement(bare)
    if placed is None:
        return None  # no level is wanted: the alarm says so
    if isinstance(placed, ExitAtMarket | PlaceTarget):
        return _Found((placed,), reason)
    if s.is_backing_off:
        return _without_the_venue(view, bare, "the venue refuses its stop")
    count = len(view.covering)
    if s.has_room and (count == 0 or (count < MOST_LISTS and s.free_slots not in (0, 1))):
        return _Found((placed,), reason)
    if count > 1 or (count == 1 and (s.is_quiet or not s.has_guard)):
        smallest = view.covering[0]
        joined = smallest.quantity + bare
        if view.fits_one_order(joined):
            return _Found(view.replace(smallest, quantity=joined), f"{reason}: joined")
        if s.has_room:
            return _Found((placed,), reason)
    if count == 0 and s.expendable:
        freed = CancelOrder(s.expendable[0])
        return _Found((freed, placed), f"{reason}: a conditional order gives up its place")
    return _without_the_venue(view, bare, "the venue takes no more conditional orders")


def _crumb(view: _View, bare: Decimal) -> _Found | None:
    """Less than the venue's smallest order joins the smallest list when it is quiet."""
    s = view.s
    if not view.covering or s.stop is None or s.is_backing_off:
        return None
    smallest = view.covering[0]
    joined = smallest.quantity + bare
    if view.too_small(joined) or not view.fits_one_order(joined):
        return None
    if not s.is_quiet:
        keep = KeepAll(f"{plain(bare)} joins a list when fills have paused")
        return _Found((keep,), keep.reason, look_again=_until_quiet(s), is_safe=True)
    return _Found(view.replace(smallest, quantity=joined), f"{plain(bare)} joins a list")


def _without_the_venue(view: _View, bare: Decimal, why: str) -> _Found:
    """Hold the stop ourselves; without a guard, sell after a while."""
    s = view.s
    again = s.refused_until - s.now if s.is_backing_off and s.refused_until else SLOT_LOOK
    if s.has_guard and s.stop is not None:
        guard = Guard(bare, f"{why}: our guard holds the stop of {plain(bare)}")
        return _Found((guard,), guard.reason, look_again=again, is_safe=True, guarded=bare)
    waited = s.now - s.naked_since if s.naked_since else timedelta()
    if s.naked_exit_after and waited >= s.naked_exit_after and not view.covering:
        seconds = f"{waited.total_seconds():.0f}"
        sold = _at_market(s.instrument, bare, f"without a stop for {seconds} s: {why}")
        return _Found((sold,), sold.reason)
    keep = KeepAll(f"{why}, and no guard process is running")
    return _Found((keep, Alarm(keep.reason)), keep.reason, look_again=min(again, ALARM_LOOK))


def _misplaced(view: _View) -> _Found | None:
    """Move one list to the wanted levels: at once while another stands, else when it is quiet.

    A stop that rests where it should is left to fire by itself, wherever the quote stands: the
    venue triggers on trades, and we would race it for the same coins.
    """
    s = view.s
    if s.stop is None or s.is_backing_off:
        return None
    wrong_stop = [g for g in view.covering if g.stops != {s.stop}]
    wrong_target = [g for g in view.covering if g.stops == {s.stop} and _lacks_target(view, g)]
    if view.passed and not view.target_is_reached:
        wrong_target = []
    for group in (*wrong_stop, *wrong_target):
        is_urgent = bool(view.passed) or (group in wrong_stop and len(view.covering) > 1)
        if not is_urgent and not s.is_quiet:
            keep = KeepAll("levels are moved when fills have paused")
            return _Found((keep,), keep.reason, look_again=_until_quiet(s), is_safe=True)
        if not view.too_small(group.quantity):
            return _Found(view.replace(group, quantity=group.quantity), "levels have moved")
    return None


def _lacks_target(view: _View, group: _Group) -> bool:
    target, quote = view.s.target, view.s.quote
    if target is None or quote is None or group.has_target(target):
        return False
    return view.target_is_reached or (view.takes_pairs and target > quote.ask)


def _crowded(view: _View) -> _Found | None:
    """Join the two smallest lists when it is quiet: more than two, or others need the place."""
    s, lists = view.s, view.covering
    is_scarce = s.free_slots is not None and s.free_slots <= 0
    if len(lists) <= (1 if is_scarce else KEPT_LISTS) or view.passed or s.is_backing_off:
        return None
    joined = lists[0].quantity + lists[1].quantity
    if not view.fits_one_order(joined):
        return None
    if not s.is_quiet:
        keep = KeepAll("lists are joined when fills have paused")
        return _Found((keep,), keep.reason, look_again=_until_quiet(s), is_safe=True)
    return _Found(view.replace(lists[0], lists[1], quantity=joined), "lists are joined")


STEPS: tuple[Step, ...] = (
    _unsent,
    _unanswered,
    _overdue_entries,
    _surplus,
    _stopless,
    _bare,
    _misplaced,
    _crowded,
)


# ---- at rest ---------------------------------------------------------------------------------


def _rest(view: _View) -> _Found:
    s = view.s
    small = view.too_small(view.sellable)
    is_covered = bool(view.covering) and view.covered >= view.sellable
    if small and not (is_covered or view.in_doubt or view.arriving):
        return _Found((_dust(view, small),), small, is_safe=True)
    if view.in_doubt and view.covered < s.instrument.floor_quantity(view.ours):
        keep = KeepAll("an unknown placing may hold the coins")
        return _Found((keep,), keep.reason, look_again=ASK_AGAIN)
    if view.arriving:
        keep = KeepAll("an entry is filling, or its legs are going live")
        return _Found((keep,), keep.reason, look_again=s.grace / 3)
    keep = KeepAll("what rests is what should")
    has_level = s.stop is not None or not s.stop_required
    is_covered = view.uncovered <= 0 or bool(view.too_small(view.uncovered))
    return _Found((keep,), keep.reason, is_safe=has_level and is_covered)


def _dust(view: _View, reason: str) -> Dust:
    return Dust(view.s.quantity, reason, is_all=view.s.locked_elsewhere <= 0)


def _flat(view: _View) -> ProtectionPlan:
    """Cancel whatever could still sell; an entry that has not filled keeps its pending legs."""
    doomed = [leg for leg in view.s.legs if leg.is_live or _waits_for_nothing(leg)]
    cancels = _cancels(tuple(doomed))
    unsent = {leg.key: leg.client_order_id for leg in view.s.legs if leg.is_unsent}
    actions: tuple[Action, ...] = (*map(CallOff, unsent.values()), *cancels)
    again = ASK_AGAIN if view.in_doubt else None
    return ProtectionPlan(
        actions or (KeepAll("flat"),), ZERO, view.covered, "flat", look_again=again
    )


def _waits_for_nothing(leg: ExitLeg) -> bool:
    return leg.is_pending and leg.parent is Parent.FILLED


def _cancels(legs: tuple[ExitLeg, ...]) -> tuple[Cancel, ...]:
    doomed = {
        leg.key: CancelList(leg.list_id) if leg.list_id else CancelOrder(leg.key) for leg in legs
    }
    return tuple(doomed.values())


def _goes_live_soon(leg: ExitLeg, situation: Situation) -> bool:
    return _has_begun(leg) and not _is_overdue(leg, situation)


def _is_overdue(leg: ExitLeg, situation: Situation) -> bool:
    since = leg.parent_since
    return _has_begun(leg) and since is not None and situation.now - since >= situation.grace


def _has_begun(leg: ExitLeg) -> bool:
    return leg.is_pending and leg.parent in (Parent.PART_FILLED, Parent.FILLED)


def _until_quiet(situation: Situation) -> timedelta:
    since = situation.last_fill_at or situation.now
    return max(situation.quiet - (situation.now - since), timedelta(milliseconds=50))


def _at_market(instrument: Instrument, quantity: Decimal, reason: str) -> ExitAtMarket:
    most = instrument.max_quantity(market=True)
    capped = min(quantity, most) if most else quantity
    return ExitAtMarket(instrument.floor_quantity(capped, market=True), reason)


def _alarms(view: _View) -> tuple[Alarm, ...]:
    """Ring for what no placement can mend."""
    s = view.s
    reasons = []
    if view.shortfall:
        there = plain(view.there)
        reasons.append(f"the venue holds {there} to sell, the books say {plain(view.ours)}")
    if s.stop is None and s.stop_required:
        reasons.append("the position has no stop level")
    if any(_is_overdue(leg, s) and leg.parent is Parent.FILLED for leg in s.legs):
        reasons.append("pending legs did not go live after their entry had filled")
    return tuple(Alarm(reason) for reason in reasons)
