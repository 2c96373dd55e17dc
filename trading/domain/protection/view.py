"""What follows from a situation, worked out once: what is covered, bare, surplus, in doubt."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from exchanges.domain.instruments import Instrument
from trading.domain.figures import ZERO, plain
from trading.domain.protection.actions import (
    Action,
    Cancel,
    CancelList,
    CancelOrder,
    ExitAtMarket,
    Placement,
    PlaceOco,
    PlaceStop,
    PlaceTarget,
)
from trading.domain.protection.situation import ExitLeg, Parent, Situation


@dataclass(frozen=True, slots=True)
class Group:
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


class View:
    """What follows from a situation, worked out once."""

    def __init__(self, situation: Situation) -> None:
        self.s = situation

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """Return what is live at the venue, the smallest first."""
        found: dict[str, list[ExitLeg]] = {}
        for leg in self.s.legs:
            if leg.is_live:
                found.setdefault(leg.key, []).append(leg)
        groups = [Group(key, tuple(legs)) for key, legs in found.items()]
        return tuple(sorted(groups, key=lambda group: group.quantity))

    @cached_property
    def covering(self) -> tuple[Group, ...]:
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
    def held_in_doubt(self) -> Decimal:
        """Return what unknown placings hold by the word of the balance.

        On an account with other coins a second placing would be taken, and both could sell: the
        balance is the second witness.
        """
        locked = self.s.locked_unexplained
        return self.in_doubt if locked is not None and locked >= self.in_doubt else ZERO

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
        soon = {leg.key: leg for leg in self.s.legs if goes_live_soon(leg, self.s)}
        return sum((leg.parent_filled for leg in soon.values()), ZERO)

    @cached_property
    def uncovered(self) -> Decimal:
        """Return what is free and has no stop yet, on the lot grid.

        While a placing is in doubt and coins are missing, it may have sold them: what is free then
        may be somebody else's.
        """
        if self.in_doubt and self.there < self.ours:
            return ZERO
        bare = self.sellable - self.locked - self.arriving - self.held_in_doubt
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
            return at_market(s.instrument, quantity, self.passed)
        quantity = min(quantity, self.most or quantity)
        if s.stop is None:
            return PlaceTarget(quantity, s.target) if s.target is not None else None
        if s.target is None or not self.takes_pairs:
            return PlaceStop(quantity, s.stop)
        return PlaceOco(quantity, s.target, s.stop)

    def replace(self, *groups: Group, quantity: Decimal) -> tuple[Action, ...]:
        """Cancel groups and protect `quantity` of their coins anew, in one breath."""
        placed = self.placement(quantity)
        cancels = tuple(group.cancel for group in groups)
        return (*cancels, placed) if placed is not None else cancels

    def fits_one_order(self, quantity: Decimal) -> bool:
        return self.most is None or quantity <= self.most


def at_market(instrument: Instrument, quantity: Decimal, reason: str) -> ExitAtMarket:
    most = instrument.max_quantity(market=True)
    capped = min(quantity, most) if most else quantity
    return ExitAtMarket(instrument.floor_quantity(capped, market=True), reason)


def goes_live_soon(leg: ExitLeg, situation: Situation) -> bool:
    return _has_begun(leg) and not is_overdue(leg, situation)


def is_overdue(leg: ExitLeg, situation: Situation) -> bool:
    since = leg.parent_since
    return _has_begun(leg) and since is not None and situation.now - since >= situation.grace


def _has_begun(leg: ExitLeg) -> bool:
    return leg.is_pending and leg.parent in (Parent.PART_FILLED, Parent.FILLED)
