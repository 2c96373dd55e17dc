"""Keeping every open position protected at the venue: look, plan, act, look again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from audit import metrics, trail
from audit.statements import Select, insert
from exchanges import catalogue, quotes
from exchanges.domain import errors
from exchanges.domain.instruments import Instrument
from exchanges.domain.orders import OrderType, Side, TimeInForce
from exchanges.models import Balance
from trading.domain import client_ids, protection
from trading.domain.intents import IntentKind
from trading.domain.order_states import OPEN_STATUSES, OrderStatus
from trading.domain.protection import ExitLeg, Parent, ProtectionPlan, Situation
from trading.models import Order, OrderList, Position
from trading.services import alone, balances, limits, orders, placing

log = structlog.get_logger(__name__)
ZERO = Decimal(0)
UNFINISHED = (*sorted(OPEN_STATUSES), OrderStatus.NEW)
PROTECTIVE = (Order.Role.STOP_LOSS, Order.Role.TAKE_PROFIT)
WORKING = (OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED)
MOST_ROUNDS = 4
CLOCKS_DIFFER = timedelta(seconds=1)  # the venue's and ours


@dataclass(slots=True)
class _Refusals:
    """What the venue refused while we were at it, for the next plan."""

    oco: bool = False
    stop: bool = False
    funds: bool = False


@Select
def _position(position_id: int) -> QuerySet[Position]:
    return Position.objects.filter(pk=position_id).select_related("account__venue_account")


@Select
def _unfinished(account_id: int, symbol: str) -> QuerySet[Order]:
    rows = Order.objects.filter(account=account_id, symbol=symbol, status__in=UNFINISHED)
    exits = rows.filter(role__in=(*PROTECTIVE, Order.Role.EXIT))
    return exits.select_related("account", "venue_account", "order_list")


def ensure(position_id: int, *, actor: str) -> bool:
    """Bring a position's protective orders in line with what is held.

    Returns False when another look is wanted: somebody else is at it, the venue could not be
    reached, or the position moved meanwhile. Venue failures are alarmed, not raised.
    """
    with alone.at(f"protecting:{position_id}") as got_it:
        if not got_it:
            return False
        refused = _Refusals()
        for _ in range(MOST_ROUNDS):
            [position] = _position.rows(position_id=position_id)
            try:
                situation = _look(position, refused, actor)
            except errors.VenueError as error:
                _alarm(position, f"the venue could not be asked: {error}", actor)
                return False
            if situation is None:
                return True
            plan = protection.plan(situation)
            if plan.changes_nothing:
                return _settle(position, plan, actor)
            if not _carry_out(position, plan, refused, actor):
                return False
        _alarm(position, "protection does not come to rest", actor)
        return False


def make_way(order: Order, *, actor: str) -> bool:
    """Cancel the protection that locks what an exit wants to sell; False when the exit must wait.

    The exit is called off when the position has gone or shrunk below it in the meantime.
    """
    position = Position.objects.filter(account_id=order.account_id, symbol=order.symbol).first()
    if position is None:
        return True
    with alone.at(f"protecting:{position.pk}", wait=2.0):
        try:
            in_the_way = [*_protective_orders(position), *_resting_exits_before(order, position)]
            for leg in _one_per_list(in_the_way):
                orders.cancel(leg, actor=actor)
        except errors.VenueError as error:
            log.warning("exit_waits_for_protection_to_yield", order=order.pk, error=str(error))
            return False
    position.refresh_from_db()
    if position.quantity >= order.quantity:
        Position.objects.filter(pk=position.pk, naked_since=None, is_open=True).update(
            naked_since=timezone.now()
        )
        return True
    orders.call_off(
        order,
        reason=f"the position holds {position.quantity:f}, the exit wanted {order.quantity:f}",
        actor=actor,
    )
    return False


def _resting_exits_before(order: Order, position: Position) -> list[Order]:
    """Return the exits a close takes the place of; a reduce leaves them their part."""
    decision = order.decision
    if decision is None or decision.kind != IntentKind.CLOSE:
        return []
    resting = (OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED)
    return [o for o in _exits(position) if o.pk != order.pk and o.status in resting]


def ring_for_naked(*, now: datetime) -> list[int]:
    """Alarm open positions that lack full protection beyond the grace period; return them all."""
    limit = now - timedelta(seconds=float(settings.PROTECTION_GRACE_SECONDS))
    rows = Position.objects.filter(is_open=True, naked_since__lt=limit)
    naked = list(rows.select_related("account__venue_account"))
    for position in naked:
        if not position.alarm:
            _alarm(position, "the position is not fully protected at the venue", "watch")
    return [position.pk for position in naked]


# ---- looking ---------------------------------------------------------------------------------


def _look(position: Position, refused: _Refusals, actor: str) -> Situation | None:
    account = position.account
    environment = account.venue_account.environment
    instrument = catalogue.get(environment, position.symbol)
    if instrument is None:
        _alarm(position, f"the venue does not list {position.symbol}", actor)
        return None
    legs = _protective_orders(position)
    legs = _wake_pending(legs, actor) or legs
    quote = None
    if position.is_open:
        quote = quotes.get(environment, position.symbol, max_age=settings.QUOTE_MAX_AGE_SECONDS)
    now = timezone.now()
    seen = tuple(_as_leg(order, position, now) for order in legs)
    locked_elsewhere = _locked_in_exits(position)
    return Situation(
        now=now,
        instrument=instrument,
        quantity=position.quantity,
        stop=position.stop_price,
        target=position.target_price,
        legs=seen,
        quote=quote,
        free_base=_free_base(position, instrument, legs, seen, locked_elsewhere),
        locked_elsewhere=locked_elsewhere,
        grace=timedelta(seconds=float(settings.PROTECTION_GRACE_SECONDS)),
        stop_required=_stop_required(position),
        oco_refused=refused.oco,
        stop_refused=refused.stop,
    )


def _stop_required(position: Position) -> bool:
    return bool(limits.value_of(position.account, "require_stop", symbol=position.symbol))


def _protective_orders(position: Position) -> list[Order]:
    """Return unfinished protective orders; the stop that travels with an exit belongs to it."""
    rows = _unfinished.rows(account_id=position.account_id, symbol=position.symbol)
    with_exit = {o.order_list_id for o in rows if o.role == Order.Role.EXIT and o.order_list_id}
    return [o for o in rows if o.role in PROTECTIVE and o.order_list_id not in with_exit]


def _wake_pending(legs: list[Order], actor: str) -> list[Order]:
    """Ask about pending legs whose entry has filled: the venue tells of them late or not at all."""
    pending = [o for o in legs if o.status == OrderStatus.PENDING and o.order_list is not None]
    if not pending:
        return []
    entries = {
        o.order_list_id: o
        for o in Order.objects.filter(
            order_list__in=[p.order_list_id for p in pending],
            role=Order.Role.ENTRY,
            status=OrderStatus.FILLED,
        )
    }
    if not entries:
        return []
    for leg in pending:
        if leg.order_list_id in entries:
            orders.ask_one(leg, actor=actor)
    for leg in legs:
        leg.refresh_from_db()
    return [o for o in legs if o.status in UNFINISHED]


def _as_leg(order: Order, position: Position, now: datetime) -> ExitLeg:
    parent, since, filled = Parent.NONE, None, ZERO
    if order.order_list is not None and order.order_list.kind == OrderList.Kind.OTOCO:
        entry = order.order_list.orders.get(role=Order.Role.ENTRY)
        parent = _parent_of(entry)
        since = entry.closed_at or position.naked_since or now
        filled = entry.booked_quantity
    return ExitLeg(
        client_order_id=order.client_order_id,
        list_id=order.order_list.list_client_order_id if order.order_list else "",
        type=OrderType(order.type),
        remaining_quantity=order.quantity - order.booked_quantity,
        status=OrderStatus(order.status),
        price=order.price,
        stop_price=order.stop_price,
        parent=parent,
        parent_since=since,
        parent_filled=filled,
    )


def _parent_of(entry: Order) -> Parent:
    if entry.status == OrderStatus.FILLED:
        return Parent.FILLED
    if entry.closed_at is not None:
        return Parent.ENDED
    return Parent.PART_FILLED if entry.booked_quantity else Parent.UNFILLED


def _free_base(
    position: Position,
    instrument: Instrument,
    rows: list[Order],
    legs: tuple[ExitLeg, ...],
    locked_elsewhere: Decimal,
) -> Decimal | None:
    """Return what the venue has to sell beside our orders; None when its word is not newer than
    the last fill.

    Placing and cancelling move coins between free and locked, so their sum is what counts.
    """
    balance = Balance.objects.filter(
        venue_account_id=position.account.venue_account_id, asset=instrument.base_asset
    ).first()
    if balance is None or balance.updated_at <= position.updated_at + CLOCKS_DIFFER:
        return None
    there = balance.free + balance.locked - locked_elsewhere
    if there < position.quantity - locked_elsewhere and _fills_were_missed(position, rows):
        return None
    return there - protection.locked(legs)


def _fills_were_missed(position: Position, rows: list[Order]) -> bool:
    """Ask the venue about our orders that sell: a fill nobody told us of looks like a loss."""
    for order in [*rows, *_exits(position)]:
        if order.status == OrderStatus.SUBMITTING:
            return True  # it may have filled
        if order.status in WORKING:
            orders.ask_one(order, actor="protection")
    return Position.objects.get(pk=position.pk).updated_at != position.updated_at


def _locked_in_exits(position: Position) -> Decimal:
    return sum((o.quantity - o.booked_quantity for o in _exits(position)), ZERO)


def _exits(position: Position) -> list[Order]:
    rows = _unfinished.rows(account_id=position.account_id, symbol=position.symbol)
    return [o for o in rows if o.role == Order.Role.EXIT]


# ---- acting ----------------------------------------------------------------------------------


def _carry_out(position: Position, plan: ProtectionPlan, refused: _Refusals, actor: str) -> bool:
    """Take the actions in order; False when one failed and the venue needs time."""
    for action in plan.actions:
        try:
            if isinstance(action, protection.CancelList | protection.CancelOrder):
                orders.cancel(_order_of(action), actor=actor)
            elif isinstance(action, protection.Alarm):
                _alarm(position, action.reason, actor)
            elif isinstance(
                action,
                protection.PlaceOco
                | protection.PlaceStop
                | protection.PlaceTarget
                | protection.ExitAtMarket,
            ) and not _place(position, action, plan, refused, actor):
                return False
        except errors.VenueError as error:
            _alarm(position, f"{type(action).__name__} failed: {error}", actor)
            return False
    return True


def _order_of(action: protection.CancelList | protection.CancelOrder) -> Order:
    rows = Order.objects.select_related("account", "venue_account", "order_list")
    if isinstance(action, protection.CancelOrder):
        return rows.get(client_order_id=action.client_order_id)
    in_list = rows.filter(order_list__list_client_order_id=action.list_id, status__in=UNFINISHED)
    return in_list.exclude(role=Order.Role.ENTRY)[0]


def _place(
    position: Position,
    action: protection.Placement,
    plan: ProtectionPlan,
    refused: _Refusals,
    actor: str,
) -> bool:
    """Place one protection; False when its outcome is not known or the venue wants us to wait."""
    fresh = Position.objects.get(pk=position.pk)
    if fresh.quantity != position.quantity:
        return True  # a cancelled leg had filled: plan again on what is left
    rows = _write(position, action, plan, actor)
    if not rows:
        return True  # another placed something since our look: plan again on what rests now
    sent = orders.submit(rows, actor=actor, claimed=True)
    first = rows[0]
    first.refresh_from_db()
    if first.status == OrderStatus.REJECTED:
        return _learn(position, first, action, refused, actor)
    return sent.was_sent and first.status != OrderStatus.SUBMITTING


def _learn(
    position: Position,
    order: Order,
    action: protection.Placement,
    refused: _Refusals,
    actor: str,
) -> bool:
    """Turn a refusal into knowledge for the next plan; alarm when nothing is left to try."""
    words = order.reason.lower()
    if "insufficient balance" in words and not refused.funds:
        refused.funds = True
        balances.refresh(position.account.venue_account)  # it holds less than we think
        return True
    if isinstance(action, protection.PlaceOco) and not refused.oco:
        refused.oco = True
        return True
    if isinstance(action, protection.PlaceStop) and "trigger immediately" in words:
        refused.stop = True
        return True
    _alarm(position, f"the venue refused protection: {order.reason}", actor)
    return False


def _write(
    position: Position, action: protection.Placement, plan: ProtectionPlan, actor: str
) -> list[Order]:
    """Store the orders of one placement under the next generation of ids.

    Returns none when another has done so since `position` was read: two who looked at the same
    time must not both place.
    """
    with transaction.atomic():
        locked = Position.objects.select_for_update(of=("self",), no_key=True).get(pk=position.pk)
        if locked.protection_sequence != position.protection_sequence:
            return []
        locked.protection_sequence += 1
        locked.save(update_fields=["protection_sequence"])
        now = timezone.now()
        opened = locked.opened_at.isoformat() if locked.opened_at else ""
        key = f"{position.account.name}:{position.symbol}:{opened}"
        ids = client_ids.protection_ids(key, locked.protection_sequence)
        order_list = None
        if isinstance(action, protection.PlaceOco):
            order_list = OrderList.objects.create(
                account=position.account,
                symbol=position.symbol,
                kind=OrderList.Kind.OCO,
                list_client_order_id=ids.list_id,
                created_at=now,
            )
        origin = _origin_of(position)
        rows = [_blank(position, origin, order_list, now) for _ in range(2 if order_list else 1)]
        _shape(rows, action, ids)
        placing.claim(rows, now)
        insert(rows)
        trail.record(
            trail.Entry(
                kind="position.protecting",
                actor=actor,
                subject_type="position",
                subject_id=str(position.pk),
                signal_uid=rows[0].signal_uid,
                correlation_id=rows[0].correlation_id,
                environment=position.account.venue_account.environment,
                data={"action": type(action).__name__, "why": plan.reason},
            ),
            *(line for row in rows for line in placing.written_entries(row, actor)),
        )
    return rows


def _origin_of(position: Position) -> Order | None:
    """Return the latest entry: whoever follows its signal finds the protection."""
    entries = Order.objects.filter(
        account_id=position.account_id, symbol=position.symbol, role=Order.Role.ENTRY
    )
    return entries.only("strategy_id", "signal_uid", "correlation_id").first()


def _blank(
    position: Position, origin: Order | None, order_list: OrderList | None, now: datetime
) -> Order:
    return Order(
        account=position.account,
        venue_account=position.account.venue_account,
        order_list=order_list,
        strategy_id=origin.strategy_id if origin else "",
        signal_uid=origin.signal_uid if origin else "",
        correlation_id=origin.correlation_id if origin else "",
        symbol=position.symbol,
        side=Side.SELL,
        created_at=now,
    )


def _shape(rows: list[Order], action: protection.Placement, ids: client_ids.ProtectionIds) -> None:
    first = rows[0]
    first.quantity = action.quantity
    if isinstance(action, protection.ExitAtMarket):
        first.role, first.type = Order.Role.EXIT, OrderType.MARKET
        first.client_order_id = ids.market_exit_id
        first.reason = action.reason[:300]
        return
    if isinstance(action, protection.PlaceTarget):
        first.role, first.type = Order.Role.TAKE_PROFIT, OrderType.LIMIT
        first.price, first.time_in_force = action.target, TimeInForce.GTC
        first.client_order_id = ids.target_id
        return
    first.role, first.type = Order.Role.STOP_LOSS, OrderType.STOP
    first.stop_price = action.stop
    first.client_order_id = ids.stop_id
    if isinstance(action, protection.PlaceOco):
        target = rows[1]
        target.quantity = action.quantity
        target.role, target.type = Order.Role.TAKE_PROFIT, OrderType.LIMIT_MAKER
        target.price = action.target
        target.client_order_id = ids.target_id


def _one_per_list(rows: list[Order]) -> list[Order]:
    """Cancelling one leg cancels its list; an unfilled entry keeps its pending legs."""
    chosen: dict[str, Order] = {}
    for order in rows:
        if order.status == OrderStatus.PENDING:
            continue
        key = f"list {order.order_list_id}" if order.order_list_id else f"order {order.pk}"
        chosen.setdefault(key, order)
    return list(chosen.values())


# ---- noting ----------------------------------------------------------------------------------


def _settle(position: Position, plan: ProtectionPlan, actor: str) -> bool:
    """Note what the plan found; False when legs are in flight or the position moved meanwhile."""
    alarm = next((a.reason for a in plan.actions if isinstance(a, protection.Alarm)), "")
    dust = next((a for a in plan.actions if isinstance(a, protection.Dust)), None)
    is_dust = dust is not None and dust.is_all
    is_safe = (
        not position.is_open
        or dust is not None
        or plan.covered >= plan.sellable
        or (position.stop_price is None and not _stop_required(position))
    )
    if alarm:
        _alarm(position, alarm, actor)
    if not is_safe:
        return False
    is_news = position.naked_since is not None or position.is_dust != is_dust
    if not is_news and (not position.alarm or alarm):
        return True
    with transaction.atomic():
        # Every fill moves `updated_at`: a position that moved since our look is looked at again.
        settled = Position.objects.filter(pk=position.pk, updated_at=position.updated_at).update(
            naked_since=None, is_dust=is_dust and position.is_open, alarm=alarm[:300]
        )
        if settled:
            trail.record(
                _position_entry(
                    position,
                    "position.dust" if is_dust else "position.protected",
                    actor,
                    {"covered": f"{plan.covered:f}", "sellable": f"{plan.sellable:f}"},
                )
            )
    return bool(settled)


def _alarm(position: Position, reason: str, actor: str) -> None:
    """Ring once per reason; the page and the metrics show it until it is settled."""
    changed = Position.objects.filter(pk=position.pk).exclude(alarm=reason[:300])
    with transaction.atomic():
        if changed.update(alarm=reason[:300]):
            metrics.ERRORS.labels("protection").inc()
            log.error("protection_alarm", position=position.pk, reason=reason)
            trail.record(_position_entry(position, "position.alarm", actor, {"reason": reason}))


def _position_entry(
    position: Position, kind: str, actor: str, data: dict[str, object]
) -> trail.Entry:
    return trail.Entry(
        kind=kind,
        actor=actor,
        subject_type="position",
        subject_id=str(position.pk),
        environment=position.account.venue_account.environment,
        data={"symbol": position.symbol, "account": position.account.name, **data},
    )
