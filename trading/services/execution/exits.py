"""Selling: make way for an exit, send it, and carry it on until it is done.

Protection is taken away and the coins are sold in one breath, under the right to the position:
when the sale fails, the stop is back before anybody else can look.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from audit import trail
from exchanges import catalogue, quotes
from exchanges.domain import errors
from exchanges.domain.orders import OrderType
from exchanges.models import Balance
from foundation import locks, metrics
from trading.domain import client_ids, exit_follow_up
from trading.domain import protection as decider
from trading.domain.intents import IntentKind
from trading.domain.order_states import OrderStatus
from trading.models import Order, Position
from trading.services.orders import lifecycle, order_factory
from trading.services.orders.lifecycle import Sent
from trading.services.protection import keeper, situations

log = structlog.get_logger(__name__)
RESTING = (OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED)
MOST_IN_ONE_BREATH = 3
RINGS_AFTER = 3  # attempts
LEFT_UNSENT_AFTER = timedelta(seconds=0.3)  # shorter than any pause
WAIT_FOR_THE_RIGHT = 2.0  # seconds; an exit goes on without it
TRY_AGAIN = timedelta(seconds=0.5)
RELEASE_PAUSES = (0.0, 0.05, 0.2, 0.4)  # a venue may not let go of what it has just taken
COINS_GONE_MOST = timedelta(seconds=15)


class MustWait(Exception):
    """The venue does not let go of what protects the position; `until` is when to try again."""

    def __init__(self, error: errors.VenueError) -> None:
        wait = TRY_AGAIN
        if isinstance(error, errors.RateLimited):
            wait = timedelta(seconds=error.retry_after)
        self.until = timezone.now() + wait
        super().__init__(str(error))


def send(rows: list[Order], *, actor: str) -> Sent:
    """Sell: the order first, then the legs of its list. Carry on at once where that helps."""
    order = rows[0]
    position = Position.objects.filter(account_id=order.account_id, symbol=order.symbol).first()
    if position is None:
        return lifecycle.submit(rows, actor=actor)
    right = keeper.locked_as(position.pk)
    with locks.at(right, wait=WAIT_FOR_THE_RIGHT):
        order.refresh_from_db(fields=["status"])
        if order.status != OrderStatus.NEW:
            return Sent(order.pk, was_sent=False)  # another sent it while we waited
        sent = _sell(rows, position, actor)
        if Position.objects.filter(pk=position.pk, is_open=True).exists():
            keeper.bring_in_line(position.pk, actor=actor)
    return replace(sent, positions=sent.positions | {position.pk})


def _sell(rows: list[Order], position: Position, actor: str) -> Sent:
    total: Sent | None = None
    for _ in range(MOST_IN_ONE_BREATH):
        order = rows[0]
        try:
            if not _make_way(order, position, actor):
                return total or Sent(order.pk, was_sent=False)
            for row in rows:
                row.quantity = order.quantity
        except MustWait as wait:
            _put_off(order, wait, actor)
            return total or Sent(order.pk, was_sent=False)
        total = _together(total, lifecycle.submit(rows, actor=actor))
        order.refresh_from_db()
        if order.status == OrderStatus.SUBMITTING:
            _ask(order, actor)
        successor = carry_on_with(order, actor=actor)
        if successor is None or _is_paused(successor):
            break
        rows = [successor]
    assert total is not None
    return total


def _together(before: Sent | None, sent: Sent) -> Sent:
    if before is None:
        return sent
    return Sent(
        sent.order_id,
        was_sent=before.was_sent or sent.was_sent,
        positions=before.positions | sent.positions,
        fills=before.fills + sent.fills,
    )


def _ask(order: Order, actor: str) -> None:
    """Ask at once about a sale whose answer was lost: most often it did execute."""
    try:
        lifecycle.ask_one(order, actor=actor)
    except errors.OrderNotFound:
        lifecycle.note_not_found(order)
    except errors.VenueError as error:
        log.info("exit_not_asked_for", order=order.pk, error=str(error))
    order.refresh_from_db()


def _put_off(order: Order, wait: MustWait, actor: str) -> None:
    log.warning("exit_waits_for_protection_to_yield", order=order.pk, error=str(wait))
    with transaction.atomic():
        moved = Order.objects.filter(pk=order.pk, status=OrderStatus.NEW).update(
            next_check_at=wait.until
        )
        if moved:
            data: dict[str, object] = {"reason": str(wait), "until": wait.until.isoformat()}
            trail.record(order_factory.entry(order, "order.put_off", actor, data))


# ---- making way ------------------------------------------------------------------------------


def _make_way(order: Order, position: Position, actor: str) -> bool:
    """Free the coins an exit wants to sell, and no more; False when nothing is left to sell.

    Legs whose placing is unknown are looked at first; one that the venue does not know is not in
    the way. Raises MustWait when the venue does not let go.
    """
    legs = situations.protective_orders(position)
    for leg in keeper.one_per_list([o for o in legs if o.status not in RESTING]):
        _release(leg, actor)
    position.refresh_from_db()  # a refusal before may have noted what is missing
    live = [o for o in situations.protective_orders(position) if o.status in RESTING]
    for leg in _in_the_way(order, position, live):
        _release(leg, actor)
    for exit_order in _resting_exits_before(order, position):
        _release(exit_order, actor)
    position.refresh_from_db()
    Position.objects.filter(pk=position.pk, naked_since=None, is_open=True).update(
        naked_since=timezone.now()
    )
    return _fit(order, position, actor)


def _release(leg: Order, actor: str) -> None:
    """Cancel what locks coins. What the venue does not know locks none."""
    trouble: errors.VenueError = errors.NotSent("the venue says it is not open, and shows it open")
    for pause in RELEASE_PAUSES:
        time.sleep(pause)
        try:
            lifecycle.cancel(leg, actor=actor)
        except errors.OrderNotFound:
            lifecycle.note_not_found(leg)
            return
        except errors.OutcomeUnknown as error:
            trouble = error
        except errors.VenueError as error:
            raise MustWait(error) from error
        leg.refresh_from_db(fields=["status"])
        if leg.status not in RESTING:
            return
    raise MustWait(trouble)


def _in_the_way(order: Order, position: Position, live: list[Order]) -> Iterator[Order]:
    """Choose which lists to cancel: all for a close, else as little as frees enough.

    The smallest list that frees enough by itself goes; where none does, they go from the largest
    on, so that few are taken away.
    """
    lists: dict[str, list[Order]] = {}
    for leg in live:
        key = f"list {leg.order_list_id}" if leg.order_list_id else f"order {leg.pk}"
        lists.setdefault(key, []).append(leg)
    sized = sorted(
        ((max(_left(leg) for leg in legs), legs[0]) for legs in lists.values()),
        key=lambda one: one[0],
    )
    locked = sum((quantity for quantity, _ in sized), Decimal(0))
    elsewhere = situations.locked_in_exits(position)  # other exits that rest hold their own part
    there = position.quantity - position.shortfall - elsewhere
    needed = order.quantity - max(there - locked, Decimal(0))
    if _is_close(order):
        needed = locked
    enough = next((one for one in sized if one[0] >= needed), None)
    chosen = [enough] if enough is not None and not _is_close(order) else list(reversed(sized))
    for quantity, leg in chosen:
        if needed <= 0:
            return
        needed -= quantity
        yield leg


def _left(order: Order) -> Decimal:
    return order.quantity - order.booked_quantity


def _is_close(order: Order) -> bool:
    return order.decision is not None and order.decision.kind == IntentKind.CLOSE


def _resting_exits_before(order: Order, position: Position) -> list[Order]:
    """Return the exits a close takes the place of; a reduce leaves them their part."""
    if not _is_close(order):
        return []
    found = [o for o in situations.exits_of(position) if o.pk != order.pk and o.status in RESTING]
    return keeper.one_per_list(found)


def _fit(order: Order, position: Position, actor: str) -> bool:
    """Hold an exit to what is held and there by now; call it off when that is nothing."""
    there = position.quantity - position.shortfall
    if there >= order.quantity:
        return True
    instrument = catalogue.get(order.venue_account.venue, order.symbol)
    is_market = order.type == OrderType.MARKET
    fits = instrument.floor_quantity(there, market=is_market) if instrument else there
    if fits <= 0:
        reason = f"nothing is left to sell: {position.quantity:f} in the books"
        if position.shortfall:
            reason += f", {position.shortfall:f} of it missing at the venue: settle the shortfall"
        lifecycle.call_off(order, reason=reason, actor=actor)
        return False
    lifecycle.resize(order, fits, reason=f"{there:f} are there to sell", actor=actor)
    # What is missing went before this sale: it is no sign that the sale executed.
    order.base_before = _at_venue(order)
    Order.objects.filter(pk=order.pk).update(base_before=order.base_before)
    return True


# ---- carrying on -----------------------------------------------------------------------------


def due(now: datetime) -> list[Order]:
    """Return exits that ended short and are to go on now."""
    rows = Order.objects.filter(follow_up_at__lte=now).order_by("follow_up_at")
    return list(rows.select_related("account", "venue_account", "decision", "order_list")[:200])


def follow_up(order: Order, *, actor: str) -> Sent | None:
    """Carry on an exit that ended short, and send what follows from it."""
    successor = carry_on_with(order, actor=actor)
    if successor is None or _is_paused(successor):
        return None
    return send([successor], actor=actor)


def carry_on_with(order: Order, *, actor: str) -> Order | None:
    """Write the order that sells what this one left; None when there is none, or it goes on.

    Where it has to pause, its `next_check_at` says so. Only one caller writes it.
    """
    order.refresh_from_db(fields=["status", "follow_up_at", "booked_quantity", "reason_code"])
    if order.follow_up_at is None or order.fills_missing:
        return None
    try:
        step = _next(order)
    except errors.VenueError as error:
        log.warning("exit_not_carried_on_yet", order=order.pk, error=str(error))
        wait = error.retry_after if isinstance(error, errors.RateLimited) else 0.5
        Order.objects.filter(pk=order.pk, follow_up_at__isnull=False).update(
            follow_up_at=timezone.now() + timedelta(seconds=wait)
        )
        return None
    with transaction.atomic():
        if not Order.objects.filter(pk=order.pk, follow_up_at__isnull=False).update(
            follow_up_at=None
        ):
            return None  # another carries it on
        if isinstance(step, exit_follow_up.Over):
            data: dict[str, object] = {"reason": step.reason}
            trail.record(order_factory.entry(order, "exit.over", actor, data))
            return None
        successor = _write_successor(order, step, actor)
    position = _position_of(order)
    if successor.attempt >= RINGS_AFTER and position is not None:
        said = order.reason or order.status.lower()
        keeper.alarm(position, f"an exit is tried again and again: {said}", actor)
    metrics.ERRORS.labels("exit_carried_on").inc()
    return successor


def _next(order: Order) -> exit_follow_up.SellOn | exit_follow_up.Over:
    if order.reason_code == "FILTER_FAILED":
        catalogue.refresh(order.venue_account.venue)  # the venue has changed its rules
    if order.status == OrderStatus.NOT_PLACED and _its_coins_have_gone(order):
        raise errors.NotSent("the venue does not know it, but its coins have gone")
    step = exit_follow_up.after(_facts(order, None))
    if isinstance(step, exit_follow_up.LookAtFunds):
        position = _position_of(order)
        if position is not None and _is_a_placing_in_doubt(position):
            raise errors.NotSent("a placing whose outcome is unknown may hold the coins")
        instrument = catalogue.get(order.venue_account.venue, order.symbol)
        assert position is not None
        assert instrument is not None
        there = _what_is_there(position, instrument.base_asset)
        step = exit_follow_up.after(_facts(order, there))
    assert not isinstance(step, exit_follow_up.LookAtFunds)
    return step


def _is_a_placing_in_doubt(position: Position) -> bool:
    legs = situations.protective_orders(position)
    return any(leg.status == OrderStatus.SUBMITTING for leg in legs)


def _its_coins_have_gone(order: Order) -> bool:
    """Say whether a sale that the venue does not know seems to have executed all the same.

    A question may lag behind. The balance is a second witness: while it says that the coins have
    gone, nothing is sold again, for a while; on an account with other coins it would sell those.
    """
    position = _position_of(order)
    instrument = catalogue.get(order.venue_account.venue, order.symbol)
    since = timezone.now() - (order.closed_at or timezone.now())
    if position is None or instrument is None or since > COINS_GONE_MOST:
        return False
    keeper.free_base(position, instrument.base_asset)
    there = _at_venue(order) or Decimal(0)
    before = max(order.base_before or Decimal(0), position.quantity - position.shortfall)
    return there + order.quantity / 2 < before


def _at_venue(order: Order) -> Decimal | None:
    """Return what the venue account had of the base asset when it last told, locked or not."""
    instrument = catalogue.get(order.venue_account.venue, order.symbol)
    asset = instrument.base_asset if instrument is not None else ""
    row = Balance.objects.filter(venue_account=order.venue_account, asset=asset).first()
    return row.free + row.locked if row is not None else None


def _what_is_there(position: Position, asset: str) -> Decimal:
    """Ask the venue what there is to sell, our protection out of the way; note what is missing.

    The note has the next attempt free the coins it needs, instead of counting on those that are
    gone. Protection looks again right after, and has the last word.
    """
    free = keeper.free_base(position, asset)
    legs = situations.protective_orders(position)
    now = timezone.now()
    there = free + decider.locked(tuple(situations.as_leg(o, position, now) for o in legs))
    missing = position.quantity - situations.locked_in_exits(position) - there
    if missing > 0 and not any(o.status == OrderStatus.SUBMITTING for o in legs):
        rows = Position.objects.filter(pk=position.pk, updated_at=position.updated_at)
        rows.update(shortfall=missing)
    return there


def _position_of(order: Order) -> Position | None:
    rows = Position.objects.filter(account_id=order.account_id, symbol=order.symbol)
    return rows.select_related("account__venue_account").first()


def _facts(order: Order, free: Decimal | None) -> exit_follow_up.Ended:
    venue = order.venue_account.venue
    instrument = catalogue.get(venue, order.symbol)
    if instrument is None:
        raise errors.NotSent(f"the venue does not list {order.symbol}")
    position = _position_of(order)
    quote = quotes.get(venue, order.symbol, max_age=Decimal(60))
    before = order.continues
    return exit_follow_up.Ended(
        type=OrderType(order.type),
        status=OrderStatus(order.status),
        wanted=order.quantity,
        filled=order.booked_quantity,
        held=position.quantity if position is not None else Decimal(0),
        instrument=instrument,
        now=timezone.now(),
        reason_code=order.reason_code,
        attempt=order.attempt,
        refused_before=bool(
            order.reason_code and before is not None and before.reason_code == order.reason_code
        ),
        free=free,
        reference=quote.bid if quote is not None else None,
    )


def _write_successor(order: Order, step: exit_follow_up.SellOn, actor: str) -> Order:
    now = timezone.now()
    attempt = order.attempt + 1
    origin = order.decision.intent_uid if order.decision is not None else order.client_order_id
    successor = Order(
        account=order.account,
        venue_account=order.venue_account,
        decision=order.decision,
        role=Order.Role.EXIT,
        strategy_id=order.strategy_id,
        signal_uid=order.signal_uid,
        correlation_id=order.correlation_id,
        symbol=order.symbol,
        side=order.side,
        type=step.type,
        quantity=step.quantity,
        reference_price=order.reference_price,
        max_slippage_bps=order.max_slippage_bps,
        client_order_id=client_ids.exit_id(f"{origin}:{attempt}"),
        created_at=now,
        continues=order,
        attempt=attempt,
        base_before=_at_venue(order),
        next_check_at=max(step.at, now + LEFT_UNSENT_AFTER),
        reason=step.reason[:300],
    )
    if step.type != OrderType.MARKET:
        successor.price, successor.stop_price = order.price, order.stop_price
        successor.time_in_force = order.time_in_force
    successor.save(force_insert=True)
    data: dict[str, object] = {"continues": order.client_order_id, "why": step.reason}
    trail.record(
        *order_factory.written_entries(successor, actor),
        order_factory.entry(successor, "exit.carried_on", actor, data),
    )
    return successor


def _is_paused(successor: Order) -> bool:
    """Say whether it waits on purpose. One that is to follow at once has a time too: where nobody
    comes to send it, the guard does."""
    looked_at = successor.next_check_at
    return looked_at is None or looked_at - successor.created_at > LEFT_UNSENT_AFTER


def give_up(order: Order, *, actor: str) -> bool:
    """Have an exit not go on: a person says no. False when there was nothing to stop."""
    reason = f"given up by {actor}"
    with transaction.atomic():
        stopped = Order.objects.filter(pk=order.pk, follow_up_at__isnull=False).update(
            follow_up_at=None, reason=f"{reason}; {order.reason}".removesuffix("; ")[:300]
        )
        if stopped:
            left = f"{_left(order):f}"
            data: dict[str, object] = {"reason": reason, "left": left}
            trail.record(order_factory.entry(order, "exit.given_up", actor, data))
            # What it was to sell stays: it needs its stop back.
            rows = Position.objects.filter(account_id=order.account_id, symbol=order.symbol)
            rows.update(next_look_at=timezone.now())
    return bool(stopped)


def carried_on_by(order: Order) -> Order | None:
    """Return the order that sells what this one left, None when none does."""
    return order.continued_by.order_by("-pk").first()


def last_of(order: Order) -> Order:
    """Return the order that an exit has come to: itself, or the last that carried it on."""
    if order.role != Order.Role.EXIT or order.decision_id is None:
        return order
    chain = Order.objects.filter(
        Q(pk=order.pk) | Q(decision_id=order.decision_id, role=Order.Role.EXIT, attempt__gt=0)
    )
    return chain.select_related("account", "venue_account").order_by("-attempt")[0]


def under_way(position: Position) -> Order | None:
    """Return the exit that is selling a position or is about to go on, None when none is."""
    place = {"account_id": position.account_id, "symbol": position.symbol}
    moving = Q(status__in=(OrderStatus.NEW, OrderStatus.SUBMITTING)) | Q(follow_up_at__isnull=False)
    return Order.objects.filter(moving, **place, role=Order.Role.EXIT).first()
