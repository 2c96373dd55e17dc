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
from datetime import timedelta
from decimal import Decimal

from trading.domain.figures import ZERO, plain
from trading.domain.protection.actions import (
    Action,
    Alarm,
    Ask,
    CallOff,
    Cancel,
    CancelList,
    CancelOrder,
    Dust,
    ExitAtMarket,
    Guard,
    KeepAll,
    PlaceTarget,
    ProtectionPlan,
)
from trading.domain.protection.situation import ExitLeg, Parent, Situation
from trading.domain.protection.view import Group, View, at_market, is_overdue

MOST_LISTS = 3  # of one position; more parts join the smallest list
KEPT_LISTS = 2  # left standing when the position is quiet
NOT_YET_ANSWERED = timedelta(seconds=0.5)  # a sender may still be waiting for the venue
ASK_AGAIN = timedelta(seconds=0.25)
SLOT_LOOK = timedelta(seconds=2)
ALARM_LOOK = timedelta(seconds=1)

Step = Callable[[View], "_Found | None"]


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
    view = View(situation)
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


# ---- the steps, in the order they are tried ----------------------------------------------------


def _unsent(view: View) -> _Found | None:
    """A placing that was put back or never left: plan afresh instead of sending an old one."""
    ids = {leg.key: leg.client_order_id for leg in view.s.legs if leg.is_unsent}
    if not ids:
        return None
    return _Found(tuple(map(CallOff, ids.values())), "a placing was never sent")


def _unanswered(view: View) -> _Found | None:
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


def _overdue_entries(view: View) -> _Found | None:
    """Cut off an entry that fills in parts, or whose legs do not go live, past its grace."""
    overdue = [leg for leg in view.s.legs if is_overdue(leg, view.s)]
    if not overdue or view.too_small(view.sellable):  # dust: the entry may outgrow it
        return None
    return _Found(_cancels(tuple(overdue)), "an entry has filled in part, or its legs sleep")


def _surplus(view: View) -> _Found | None:
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


def _stopless(view: View) -> _Found | None:
    """A list whose stop has gone while its target still rests locks coins that nothing guards."""
    if view.s.stop is None:
        return None
    for group in view.groups:
        if group.covered == 0 and not view.too_small(group.quantity):
            actions = view.replace(group, quantity=group.quantity + view.uncovered)
            return _Found(actions, f"{plain(group.quantity)} rest without a stop")
    return None


def _bare(view: View) -> _Found | None:
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
        said = f" ({s.refused_for})" if s.refused_for else ""
        return _without_the_venue(view, bare, f"the venue refuses its stop{said}")
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


def _crumb(view: View, bare: Decimal) -> _Found | None:
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


def _without_the_venue(view: View, bare: Decimal, why: str) -> _Found:
    """Hold the stop ourselves; without a guard, sell after a while."""
    s = view.s
    again = s.refused_until - s.now if s.is_backing_off and s.refused_until else SLOT_LOOK
    if s.has_guard and s.stop is not None:
        guard = Guard(bare, f"{why}: our guard holds the stop of {plain(bare)}")
        return _Found((guard,), guard.reason, look_again=again, is_safe=True, guarded=bare)
    waited = s.now - s.naked_since if s.naked_since else timedelta()
    if s.naked_exit_after and waited >= s.naked_exit_after and not view.covering:
        seconds = f"{waited.total_seconds():.0f}"
        sold = at_market(s.instrument, bare, f"without a stop for {seconds} s: {why}")
        return _Found((sold,), sold.reason)
    keep = KeepAll(f"{why}, and no guard process is running")
    return _Found((keep, Alarm(keep.reason)), keep.reason, look_again=min(again, ALARM_LOOK))


def _misplaced(view: View) -> _Found | None:
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


def _lacks_target(view: View, group: Group) -> bool:
    target, quote = view.s.target, view.s.quote
    if target is None or quote is None or group.has_target(target):
        return False
    return view.target_is_reached or (view.takes_pairs and target > quote.ask)


def _crowded(view: View) -> _Found | None:
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


def _rest(view: View) -> _Found:
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


def _dust(view: View, reason: str) -> Dust:
    return Dust(view.s.quantity, reason, is_all=view.s.locked_elsewhere <= 0)


def _flat(view: View) -> ProtectionPlan:
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


def _until_quiet(situation: Situation) -> timedelta:
    since = situation.last_fill_at or situation.now
    return max(situation.quiet - (situation.now - since), timedelta(milliseconds=50))


def _alarms(view: View) -> tuple[Alarm, ...]:
    """Ring for what no placement can mend."""
    s = view.s
    reasons = []
    if view.shortfall:
        there = plain(view.there)
        reasons.append(f"the venue holds {there} to sell, the books say {plain(view.ours)}")
    if s.stop is None and s.stop_required:
        reasons.append("the position has no stop level")
    if any(is_overdue(leg, s) and leg.parent is Parent.FILLED for leg in s.legs):
        reasons.append("pending legs did not go live after their entry had filled")
    return tuple(Alarm(reason) for reason in reasons)
