"""Keeping every open position protected at the venue: look, plan, act, look again."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from decimal import Decimal

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from audit import trail
from exchanges.domain import errors
from foundation import locks, metrics
from foundation.statements import Select
from trading.domain import protection
from trading.domain.order_states import OrderStatus
from trading.domain.protection import ProtectionPlan, Situation
from trading.models import Order, Position
from trading.services.control import leases
from trading.services.orders import lifecycle
from trading.services.orders.fills import LOOK_AT_PART_AFTER
from trading.services.protection import protective_orders, situations
from trading.services.protection.situations import UNFINISHED, Learned
from trading.services.risk import slots

log = structlog.get_logger(__name__)
ZERO = Decimal(0)
MOST_ROUNDS = 12
TRY_AGAIN = timedelta(seconds=0.5)
FIRST_BACK_OFF, LONGEST_BACK_OFF = timedelta(seconds=0.5), timedelta(seconds=30)


@Select
def _position(position_id: int) -> QuerySet[Position]:
    return Position.objects.filter(pk=position_id).select_related("account__venue_account")


def ensure(position_id: int, *, actor: str, lease: leases.Held | None = None) -> bool:
    """Bring a position's protective orders in line with what is held.

    Returns False when another look is wanted: somebody else is at it, the venue could not be
    reached, or something is still missing. The next look is noted on the position: the guard takes
    it when it is due. Venue failures are alarmed, not raised. `lease`: what is written is written
    only while the guard that asks still holds it.
    """
    with locks.at(locked_as(position_id)) as got_it:
        return bring_in_line(position_id, actor=actor, lease=lease) if got_it else False


def locked_as(position_id: int) -> str:
    """Name the right to change what protects a position."""
    return f"protecting:{position_id}"


def bring_in_line(position_id: int, *, actor: str, lease: leases.Held | None = None) -> bool:
    """Do what `ensure` does, for one who has the right to the position already."""
    learned = Learned()
    for _ in range(MOST_ROUNDS):
        [position] = _position.rows(position_id=position_id)
        try:
            situation = situations.look(position, learned, actor)
        except errors.VenueError as error:
            alarm(position, f"the venue could not be asked: {error}", actor)
            _look_again(position, _after(error))
            return False
        if situation is None:
            alarm(position, f"the venue does not list {position.symbol}", actor)
            return True
        plan = protection.plan(situation)
        if plan.changes_nothing:
            return _settle(position, plan, actor)
        try:
            wait = _carry_out(_Run(position, situation, plan, learned, actor, lease))
        except errors.VenueError as error:
            alarm(position, f"protection could not be changed: {error}", actor)
            wait = _after(error)
        if wait is not None:
            _look_again(position, wait)
            return False
    alarm(position, "protection does not come to rest", actor)
    _look_again(position, timedelta(seconds=1))
    return False


def _after(error: errors.VenueError) -> timedelta:
    if isinstance(error, errors.RateLimited):
        return timedelta(seconds=error.retry_after)
    return TRY_AGAIN


def due(now: datetime) -> list[int]:
    """Return positions whose protection is to be looked at, without any news of them."""
    rows = Position.objects.filter(next_look_at__lte=now).order_by("next_look_at")
    return list(rows.values_list("pk", flat=True)[:200])


def guarded() -> list[Position]:
    """Return positions whose stop our guard holds for now."""
    rows = Position.objects.filter(guarded_quantity__gt=0, is_open=True)
    return list(rows.select_related("account__venue_account"))


def ring_for_naked(*, now: datetime) -> list[int]:
    """Alarm open positions that lack full protection beyond the grace period; return them all."""
    limit = now - timedelta(seconds=float(settings.PROTECTION_GRACE_SECONDS))
    rows = Position.objects.filter(is_open=True, naked_since__lt=limit)
    naked = list(rows.select_related("account__venue_account"))
    for position in naked:
        if not position.alarm:
            alarm(position, "the position is not fully protected at the venue", "watch")
    return [position.pk for position in naked]


# ---- acting ----------------------------------------------------------------------------------


class _Run:
    """One plan being carried out. `cancelled_at` is when coins lost their stop for another."""

    def __init__(
        self,
        position: Position,
        situation: Situation,
        plan: ProtectionPlan,
        learned: Learned,
        actor: str,
        lease: leases.Held | None,
    ) -> None:
        self.position = position
        self.situation = situation
        self.plan = plan
        self.learned = learned
        self.actor = actor
        self.lease = lease
        self.cancelled_at: float | None = None


def _carry_out(run: _Run) -> timedelta | None:
    """Take the actions in order; return how long to wait where the venue wants us to."""
    for action in run.plan.actions:
        match action:
            case protection.Ask(client_order_id):
                _ask(client_order_id, run.actor)
            case protection.CallOff(client_order_id):
                order = _order(client_order_id)
                lifecycle.call_off(order, reason="planned afresh", actor=run.actor)
            case protection.CancelList() | protection.CancelOrder():
                lifecycle.cancel(_order_of(action), actor=run.actor)
                run.learned.forget_funds()
                run.cancelled_at = run.cancelled_at or time.monotonic()
            case protection.Alarm(reason):
                alarm(run.position, reason, run.actor)
            case (
                protection.PlaceOco()
                | protection.PlaceStop()
                | protection.PlaceTarget()
                | protection.ExitAtMarket()
            ):
                return _place(run, action)
            case _:
                pass
    return None


def _ask(client_order_id: str, actor: str) -> None:
    """Ask what became of a placing, leg by leg; 'not found' is counted, it is an answer too."""
    order = _order(client_order_id)
    for leg in lifecycle.with_list(order):
        if leg.status != OrderStatus.SUBMITTING:
            continue
        try:
            lifecycle.ask_one(leg, actor=actor)
        except errors.OrderNotFound:
            lifecycle.note_not_found(leg)


@Select
def _by_id(client_order_id: str) -> QuerySet[Order]:
    rows = Order.objects.select_related("account", "venue_account", "order_list")
    return rows.filter(client_order_id=client_order_id).order_by()


@Select
def _legs_of(list_id: str) -> QuerySet[Order]:
    rows = Order.objects.select_related("account", "venue_account", "order_list")
    in_list = rows.filter(order_list__list_client_order_id=list_id, status__in=UNFINISHED)
    return in_list.exclude(role=Order.Role.ENTRY)


def _order(client_order_id: str) -> Order:
    [row] = _by_id.rows(client_order_id=client_order_id)
    return row


def _order_of(action: protection.Cancel) -> Order:
    if isinstance(action, protection.CancelOrder):
        return _order(action.client_order_id)
    return _legs_of.rows(list_id=action.list_id)[0]


def _place(run: _Run, action: protection.Placement) -> timedelta | None:
    """Place one protection and learn from a refusal; return how long the venue wants us to wait."""
    rows = protective_orders.write(
        run.position, action, reason=run.plan.reason, actor=run.actor, lease=run.lease
    )
    if not rows:
        return None  # a cancelled leg had filled, or another has placed: plan again on what is now
    lifecycle.submit(rows, actor=run.actor, claimed=True)
    run.learned.forget_funds()
    first = rows[0]
    first.refresh_from_db()
    if first.status == OrderStatus.NEW:
        until = first.next_check_at or timezone.now() + TRY_AGAIN
        lifecycle.call_off(
            first, reason=f"put off, to be planned afresh: {first.reason}", actor=run.actor
        )
        return max(until - timezone.now(), timedelta(milliseconds=50))
    if first.status == OrderStatus.REJECTED:
        _learn(run, first, action)
    elif first.status != OrderStatus.SUBMITTING:
        _note_gap(run)
    return None


def _note_gap(run: _Run) -> None:
    """Measure how long coins had no stop because the venue wants a cancel before a placing."""
    if run.cancelled_at is None:
        return
    gap = time.monotonic() - run.cancelled_at
    metrics.PROTECTION_GAP.observe(gap)
    ms = round(gap * 1000)
    if run.position.gap_ms is None or ms > run.position.gap_ms:
        Position.objects.filter(pk=run.position.pk).update(gap_ms=ms)


def _learn(run: _Run, order: Order, action: protection.Placement) -> None:
    """Turn a refusal into knowledge for the next plan; back off when nothing is left to try."""
    learned, position = run.learned, run.position
    code = order.reason_code
    if code == "INSUFFICIENT_BALANCE" and not learned.asked_for_funds:
        learned.asked_for_funds = True
        learned.ask_for_funds(position, run.situation.instrument.base_asset)
    elif code == "TOO_MANY_CONDITIONAL":
        learned.no_slot = True
        look_at_slots(order)
    elif isinstance(action, protection.PlaceOco) and not learned.oco_refused:
        learned.oco_refused = True
    elif isinstance(action, protection.PlaceStop) and code == "WOULD_TRIGGER":
        learned.stop_refused = True
    else:
        _back_off(position, order, run.actor)


def free_base(position: Position, asset: str) -> Decimal:
    """Ask the venue how much of the base asset is free right now. VenueError escapes."""
    row = situations.funds_of(position, asset)
    return row.free if row is not None else ZERO


def look_at_slots(order: Order) -> None:
    """Count the conditional orders of others in a symbol, for the venue has no room for ours."""
    reports = lifecycle.open_orders(order)
    slots.note_foreign(order.venue_account, order.symbol, reports)


def _back_off(position: Position, order: Order, actor: str) -> None:
    """Wait longer after each refusal in a row, and ring once."""
    count = position.refused_count + 1
    wait = min(FIRST_BACK_OFF * 2 ** min(count - 1, 10), LONGEST_BACK_OFF)
    Position.objects.filter(pk=position.pk).update(
        refused_count=count, refused_until=timezone.now() + wait
    )
    alarm(position, f"the venue refuses its stop: {order.reason}", actor)


def one_per_list(rows: list[Order]) -> list[Order]:
    """Cancelling one leg cancels its list; an unfilled entry keeps its pending legs."""
    chosen: dict[str, Order] = {}
    for order in rows:
        if order.status == OrderStatus.PENDING:
            continue
        key = f"list {order.order_list_id}" if order.order_list_id else f"order {order.pk}"
        chosen.setdefault(key, order)
    return list(chosen.values())


# ---- noting ----------------------------------------------------------------------------------


def _look_again(position: Position, wait: timedelta) -> None:
    Position.objects.filter(pk=position.pk).update(next_look_at=timezone.now() + wait)


def _settle(position: Position, plan: ProtectionPlan, actor: str) -> bool:
    """Note what the plan found; False when something is missing or the position moved."""
    reason = next((a.reason for a in plan.actions if isinstance(a, protection.Alarm)), "")
    dust = next((a for a in plan.actions if isinstance(a, protection.Dust)), None)
    is_dust = dust is not None and dust.is_all and position.is_open
    is_safe = plan.is_safe or not position.is_open
    if reason:
        alarm(position, reason, actor)
    wait = plan.look_again or (None if is_safe else TRY_AGAIN)
    values: dict[str, object] = {
        "guarded_quantity": plan.guarded if position.is_open else ZERO,
        "shortfall": plan.shortfall if position.is_open else ZERO,
        "next_look_at": timezone.now() + wait if wait else None,
    }
    if is_safe:
        values |= {"naked_since": None, "is_dust": is_dust, "alarm": reason[:300]}
        if not plan.guarded:
            values |= {"refused_count": 0, "refused_until": None}
    elif position.naked_since is None:
        # It had a stop until now: one that was cancelled by hand, or held by a guard that is gone.
        values["naked_since"] = timezone.now()
    changed = {name: v for name, v in values.items() if getattr(position, name) != v}
    if not changed:
        return is_safe
    with transaction.atomic():
        # Every fill moves `updated_at`: a position that moved since our look is looked at again.
        settled = Position.objects.filter(pk=position.pk, updated_at=position.updated_at).update(
            **changed
        )
        if settled:
            trail.record(*_lines(position, plan, changed, actor))
        elif is_safe and position.naked_since is not None:
            # What was held at our look is covered: only what has come since is not.
            now = timezone.now()
            Position.objects.filter(pk=position.pk, naked_since=position.naked_since).update(
                naked_since=now, next_look_at=now + LOOK_AT_PART_AFTER
            )
    return bool(settled) and is_safe


def _lines(
    position: Position, plan: ProtectionPlan, changed: dict[str, object], actor: str
) -> list[trail.Entry]:
    """Write what changed for the one who reads it later; a later look is no news."""
    figures: dict[str, object] = {
        "covered": f"{plan.covered:f}",
        "sellable": f"{plan.sellable:f}",
    }
    lines = []
    if changed.get("naked_since") is not None:
        lines.append(position_entry(position, "position.naked", actor, figures))
    elif "naked_since" in changed or "is_dust" in changed:
        kind = "position.dust" if changed.get("is_dust") else "position.protected"
        lines.append(position_entry(position, kind, actor, figures))
    if "guarded_quantity" in changed:
        kind = "position.guarded" if plan.guarded else "position.unguarded"
        data = {**figures, "guarded": f"{plan.guarded:f}", "why": plan.reason}
        lines.append(position_entry(position, kind, actor, data))
    if "shortfall" in changed:
        data = {**figures, "shortfall": f"{plan.shortfall:f}"}
        lines.append(position_entry(position, "position.shortfall", actor, data))
    return lines


def alarm(position: Position, reason: str, actor: str) -> None:
    """Ring once per reason; the page and the metrics show it until it is settled."""
    changed = Position.objects.filter(pk=position.pk).exclude(alarm=reason[:300])
    with transaction.atomic():
        if changed.update(alarm=reason[:300]):
            metrics.ERRORS.labels("protection").inc()
            log.error("protection_alarm", position=position.pk, reason=reason)
            trail.record(position_entry(position, "position.alarm", actor, {"reason": reason}))


def position_entry(
    position: Position, kind: str, actor: str, data: dict[str, object]
) -> trail.Entry:
    """Make a trail line about a position."""
    return trail.Entry(
        kind=kind,
        actor=actor,
        subject_type="position",
        subject_id=str(position.pk),
        environment=position.account.venue_account.environment,
        data={"symbol": position.symbol, "account": position.account.name, **data},
    )
