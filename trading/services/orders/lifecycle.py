"""Sending and cancelling: claim the row, commit, then speak to the venue, then book its answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from audit import trail
from exchanges.domain import errors
from exchanges.domain.orders import ExecutionReport, OrderListReport
from exchanges.venues import registry
from exchanges.venues.base import ExchangeGateway
from foundation import metrics
from foundation.statements import update
from trading.domain.order_states import OrderStatus
from trading.domain.risk.types import TradingMode
from trading.models import Fill, Order, Position
from trading.services.control import kill_switch
from trading.services.money import accounts
from trading.services.orders import fills, order_factory, sightings
from trading.services.orders.order_factory import entry

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of an attempt. `positions` are those whose protection must be looked at."""

    order_id: int
    was_sent: bool
    positions: frozenset[int] = frozenset()
    fills: tuple[Fill, ...] = ()


def load(order_id: int) -> list[Order]:
    """Return an order with the legs of its list, itself first, ready to submit."""
    order = Order.objects.select_related("account", "venue_account", "order_list").get(pk=order_id)
    return [order, *(o for o in with_list(order) if o.pk != order.pk)]


def submit(rows: list[Order], *, actor: str, claimed: bool = False) -> Sent:
    """Send one NEW order (with its list) once. A second caller, or a later one, sends nothing.

    `claimed` is for the one who wrote the rows as SUBMITTING, in a transaction that committed:
    nobody else may send them. The last look at the kill switch is here, whoever claimed them.
    `rows` is the order first, then the legs of its list; they are kept up to date. Venue refusals
    end as order states; nothing is raised for them. When the outcome cannot be known the order
    stays SUBMITTING and reconciliation asks the venue; it is never sent again.
    """
    order = rows[0]
    gateway = registry.for_account(order.venue_account)
    _get_ready(gateway)
    is_ours = _still_wanted(rows, actor) if claimed else _claim(rows, actor)
    if not is_ours:
        return Sent(order.pk, was_sent=False)
    try:
        try:
            applied = _place(gateway, rows, actor)
        except errors.ClockRefused:
            if not _still_wanted(rows, actor):
                return Sent(order.pk, was_sent=False)
            applied = _place(gateway, rows, actor)
    except errors.OutcomeUnknown as error:
        _note_unknown(rows, error, actor)
        return Sent(order.pk, was_sent=True)
    except errors.NotSent as error:
        _put_back(rows, error, actor)
        return Sent(order.pk, was_sent=False)
    except errors.CredentialsRefused as error:
        _refuse(rows, error, actor)
        _halt_venue(order, error)
        return Sent(order.pk, was_sent=True)
    except errors.VenueError as error:
        _refuse(rows, error, actor)
        return Sent(order.pk, was_sent=True)
    applied = [_with_trades(a, rows, actor) for a in applied]
    touched = frozenset(a.position_id for a in applied if a.position_id is not None)
    booked = tuple(f for a in applied for f in a.fills)
    return Sent(order.pk, was_sent=True, positions=touched, fills=booked)


def _place(gateway: ExchangeGateway, rows: list[Order], actor: str) -> list[fills.Applied]:
    """Put the order, or its whole list, on the wire and book what the venue answers."""
    order = rows[0]
    if order.order_list is not None:
        report = gateway.place_order_list(order_factory.list_request_of(order.order_list, rows))
        return fills.apply_list(report, account=order.venue_account, actor=actor)
    answer = gateway.place_order(order_factory.request_of(order))
    one = fills.apply(answer, account=order.venue_account, actor=actor, claimed=order)
    return [one] if one else []


def _get_ready(gateway: ExchangeGateway) -> None:
    """Wait for the venue's clock before the last look, not between it and the socket."""
    try:
        gateway.get_ready()
    except errors.VenueError as error:  # sending meets it again, and books what it means
        log.info("gateway_not_ready", error=str(error))


def _with_trades(applied: fills.Applied, rows: list[Order], actor: str) -> fills.Applied:
    """Fetch what a reply left out: that of an order list tells of a fill, not of its fee.

    It was placed, so trouble here is no failure of the order: reconciliation asks again.
    """
    order = next((row for row in rows if row.pk == applied.order_id), None)
    if order is None or not applied.fills_missing:
        return applied
    try:
        fetched = fetch_trades(order, actor=actor)
    except errors.VenueError as error:
        log.info("trades_not_fetched", client_order_id=order.client_order_id, error=str(error))
        return applied
    if fetched is None:
        return applied
    return replace(fetched, position_id=fetched.position_id or applied.position_id)


def _still_wanted(rows: list[Order], actor: str) -> bool:
    """Look once more, right before the socket.

    A sender that was held up so long sends nothing: reconciliation reckons from `submitted_at`
    when it proves an order absent, so a late one could follow its own replacement.
    """
    claimed_at = rows[0].submitted_at
    waited = timezone.now() - claimed_at if claimed_at else timedelta.max
    objection = _objection(rows[0])
    window = settings.BINANCE_RECV_WINDOW_MS if rows[0].is_entry else settings.EXIT_RECV_WINDOW_MS
    if waited > timedelta(milliseconds=window):
        objection = f"held up for {waited.total_seconds():.1f} s before it could be sent"
    if objection:
        _end_unplaced(rows[0], OrderStatus.SUBMITTING, objection, actor)
        for row in rows:
            row.refresh_from_db()
    return not objection


def _claim(rows: list[Order], actor: str) -> bool:
    """Move the order and its list to SUBMITTING, unless something objects by now."""
    order = rows[0]
    with transaction.atomic():
        now = timezone.now()
        objection = _objection(order)
        values: dict[str, object]
        if objection:
            values = {"status": OrderStatus.NOT_PLACED, "reason": objection[:300], "closed_at": now}
        else:
            values = {
                "status": OrderStatus.SUBMITTING,
                "submitted_at": now,
                "next_check_at": now + order_factory.FIRST_LOOK_AFTER,
            }
        ids = [o.pk for o in rows]
        moved = update(Order, where={"pk": ids, "status": OrderStatus.NEW}, values=values)
        if moved == 0:
            return False  # somebody else claimed it
        if moved != len(ids):
            raise RuntimeError(f"order list {order.order_list_id} is only partly NEW")
        _remember(rows, **values)
        kind = "order.not_placed" if objection else "order.submitting"
        trail.record(
            *(
                entry(row, kind, actor, {"status": str(row.status), "reason": objection})
                for row in rows
            )
        )
    return not objection


def _objection(order: Order) -> str:
    """Say why an order that was approved must not leave any more; empty when it may."""
    venue = order.venue_account.venue
    if not accounts.ceiling_allows(venue.environment):
        return f"the configuration does not allow {venue.environment}"
    if not order.is_entry:
        return ""
    now = timezone.now()
    age = (now - _emitted_at(order)).total_seconds()
    if age > settings.SIGNAL_MAX_AGE_SECONDS:
        return (
            f"ORDER_STALE: limit={settings.SIGNAL_MAX_AGE_SECONDS} actual={age:.0f} (seconds since "
            "the signal was emitted; send a new one if it still holds)"
        )
    standing = kill_switch.standing(
        venue=venue,
        account=order.account.name,
        strategy_id=order.strategy_id,
        symbol=order.symbol,
        now=now,
    )
    if standing.mode is not TradingMode.ACTIVE:
        return f"TRADING_{standing.mode}: {standing.reason}"
    return ""


def _emitted_at(order: Order) -> datetime:
    """Return when the signal behind an order was emitted: the price it was made on is as old."""
    said = order.decision.intent.get("emitted_at") if order.decision is not None else None
    emitted = parse_datetime(said) if isinstance(said, str) else None
    return min(emitted, order.created_at) if emitted else order.created_at


def _note_unknown(rows: list[Order], error: errors.OutcomeUnknown, actor: str) -> None:
    now = timezone.now()
    metrics.ERRORS.labels("outcome_unknown").inc()
    values: dict[str, object] = {
        "unknown_since": now,
        "next_check_at": now,
        "recv_window_ms": error.recv_window_ms,
    }
    if error.sent_at is not None:  # it went on the wire later than it was claimed
        values["submitted_at"] = error.sent_at
    with transaction.atomic():
        _still_submitting(rows).filter(unknown_since=None).update(**values)
        _remember(rows, **values)
        trail.record(*(entry(o, "order.unknown", actor, _words(error)) for o in rows))


def _put_back(rows: list[Order], error: errors.NotSent, actor: str) -> None:
    """Proven not executed: it may be sent later while it is still fresh."""
    wait = error.retry_after if isinstance(error, errors.RateLimited) else 1.0
    metrics.ERRORS.labels("not_sent").inc()
    with transaction.atomic():
        values = {
            "status": OrderStatus.NEW,
            "submitted_at": None,
            "reason": error.text[:300],
            "next_check_at": timezone.now() + timedelta(seconds=wait),
        }
        if _still_submitting(rows).update(**values):
            _remember(rows, **values)
            trail.record(*(entry(o, "order.not_sent", actor, _words(error)) for o in rows))


def _refuse(rows: list[Order], error: errors.VenueError, actor: str) -> None:
    now = timezone.now()
    metrics.ERRORS.labels("venue_rejected").inc()
    with transaction.atomic():
        values = {
            "status": OrderStatus.REJECTED,
            "reason": error.text[:300],
            "reason_code": error.reason_code,
            "closed_at": now,
            "next_check_at": None,
        }
        if _still_submitting(rows).update(**values):
            _remember(rows, **values)
            _have_it_go_on(rows, now)
            for row in rows:
                metrics.TRADES.labels("rejected", row.type.lower()).inc()
            data = _words(error) | {"status": OrderStatus.REJECTED.value}
            trail.record(*(entry(o, "order.rejected", actor, data) for o in rows))
    if "duplicate order" in error.text.lower():
        _note_duplicates(rows, actor)


def _note_duplicates(rows: list[Order], actor: str) -> None:
    """Have it looked at that orders of these ids are open at the venue, unknown to the books."""
    for row in rows:
        sightings.note(
            account=row.venue_account,
            symbol=row.symbol,
            client_order_id=row.client_order_id,
            actor=actor,
        )


def _still_submitting(rows: list[Order]) -> QuerySet[Order]:
    return Order.objects.filter(pk__in=[o.pk for o in rows], status=OrderStatus.SUBMITTING)


def _remember(rows: list[Order], **values: object) -> None:
    for row in rows:
        for name, value in values.items():
            setattr(row, name, value)


def _halt_venue(order: Order, error: errors.VenueError) -> None:
    kill_switch.engage(
        actor="petrosa",
        reason=f"the venue refused our credentials: {str(error)[:250]}. Check BINANCE_API_KEY, its "
        "permission to trade and its allowed addresses at the venue, then release this stop.",
        scope="venue",
        key=str(order.venue_account.venue),
    )


def _words(error: errors.VenueError) -> dict[str, object]:
    return {"code": error.code, "reason": error.text}


def cancel(order: Order, *, actor: str) -> list[fills.Applied]:
    """Cancel an order at the venue, with its list when it is a leg of one, and book the answer.

    An order that was never sent is called off here. A venue that says it is gone already is asked
    what became of it. Raises VenueError when the venue cannot be reached or refuses otherwise.
    """
    may_be_unsent = order.status in (OrderStatus.NEW, OrderStatus.SUBMITTING)
    reason = f"cancelled by {actor} before it was sent"
    if may_be_unsent and call_off(order, reason=reason, actor=actor):
        return []
    _mark_cancelling(order, actor)
    gateway = registry.for_account(order.venue_account)
    try:
        if order.order_list is not None:
            report: OrderListReport = gateway.cancel_order_list(
                order.symbol, order.order_list.list_client_order_id
            )
            return fills.apply_list(report, account=order.venue_account, actor=actor)
        answer = gateway.cancel_order(order.symbol, order.client_order_id)
        one = fills.apply(answer, account=order.venue_account, actor=actor)
    except errors.OutcomeUnknown:
        _look_soon(order)
        raise
    except errors.Rejected:
        # -2011: it is closed already. What it became is the venue's to say.
        return ask(order, actor=actor)
    return [one] if one else []


def note_not_found(order: Order) -> None:
    """Count an answer of the venue that it does not know an order."""
    now = timezone.now()
    Order.objects.filter(pk=order.pk).update(
        not_found=F("not_found") + 1,
        last_not_found_at=now,
        checks=F("checks") + 1,
        last_check_at=now,
    )
    log.warning("order_not_found", client_order_id=order.client_order_id)


def open_orders(order: Order) -> Sequence[ExecutionReport]:
    """Ask the venue for everything open in the symbol of `order`, whoever placed it."""
    return registry.for_account(order.venue_account).open_orders(order.symbol)


def ask(order: Order, *, actor: str) -> list[fills.Applied]:
    """Query the venue for an order and the legs of its list, and book what it says."""
    applied = [ask_one(row, actor=actor) for row in with_list(order)]
    return [a for a in applied if a is not None]


def ask_one(order: Order, *, actor: str) -> fills.Applied | None:
    """Query the venue for one order; fetch its trades when it tells of more than we have booked."""
    report = registry.for_account(order.venue_account).query_order(
        order.symbol, order.client_order_id
    )
    applied = fills.apply(report, account=order.venue_account, actor=actor)
    if applied is not None and applied.fills_missing:
        return fetch_trades(order, actor=actor) or applied
    return applied


def fetch_trades(order: Order, *, actor: str) -> fills.Applied | None:
    """Ask the venue for an order's trades and book those we have not seen."""
    order.refresh_from_db(fields=["venue_order_id", "symbol", "client_order_id"])
    gateway = registry.for_account(order.venue_account)
    trades = gateway.trades(order.symbol, venue_order_id=order.venue_order_id)
    report = fills.trades_report(order, trades)
    return fills.apply(report, account=order.venue_account, actor=actor)


def call_off(order: Order, *, reason: str, actor: str) -> bool:
    """End an order (and its list) that was never sent; False when it was sent after all."""
    return _end_unplaced(order, OrderStatus.NEW, reason, actor)


def resize(order: Order, quantity: Decimal, *, reason: str, actor: str) -> None:
    """Hold an order that was never sent, with the legs of its list, to `quantity`."""
    rows = with_list(order)
    with transaction.atomic():
        ids = [o.pk for o in rows]
        moved = Order.objects.filter(pk__in=ids, status=OrderStatus.NEW).update(quantity=quantity)
        if moved:
            data: dict[str, object] = {
                "quantity": f"{quantity:f}",
                "was": f"{order.quantity:f}",
                "reason": reason,
            }
            trail.record(entry(order, "order.resized", actor, data))
    order.quantity = quantity


def prove_absent(order: Order, *, reason: str, actor: str) -> bool:
    """End an order (and its list) that the venue has been shown not to have."""
    return _end_unplaced(order, OrderStatus.SUBMITTING, reason, actor)


def _end_unplaced(order: Order, was: OrderStatus, reason: str, actor: str) -> bool:
    rows = with_list(order)
    with transaction.atomic():
        moved = Order.objects.filter(pk__in=[o.pk for o in rows], status=was).update(
            status=OrderStatus.NOT_PLACED,
            reason=reason[:300],
            closed_at=timezone.now(),
            next_check_at=None,
        )
        if moved:
            data = {"status": OrderStatus.NOT_PLACED.value, "reason": reason}
            trail.record(*(entry(o, "order.not_placed", actor, dict(data)) for o in rows))
            if was is OrderStatus.SUBMITTING:
                _have_it_go_on(rows, timezone.now())
            _have_positions_looked_at(rows)
    return bool(moved)


def _have_it_go_on(rows: list[Order], now: datetime) -> None:
    """Have an exit that was decided followed up: it ended without having sold all it was to sell.

    One that protection decided needs none: the position itself is looked at again.
    """
    ids = [o.pk for o in rows if o.role == Order.Role.EXIT and o.decision_id is not None]
    if ids:
        Order.objects.filter(pk__in=ids).update(follow_up_at=now + fills.FOLLOW_UP_AFTER)


def _have_positions_looked_at(rows: list[Order]) -> None:
    """What protected, or was to sell, is gone: have the position looked at again."""
    for account_id, symbol in {(o.account_id, o.symbol) for o in rows if not o.is_entry}:
        Position.objects.filter(account_id=account_id, symbol=symbol, is_open=True).update(
            next_look_at=timezone.now()
        )


def with_list(order: Order) -> list[Order]:
    if order.order_list_id is None:
        return [order]
    rows = Order.objects.filter(order_list_id=order.order_list_id)
    return list(rows.select_related("account", "venue_account", "order_list"))


def _mark_cancelling(order: Order, actor: str) -> None:
    with transaction.atomic():
        Order.objects.filter(pk=order.pk).update(cancel_requested_at=timezone.now())
        trail.record(entry(order, "order.cancelling", actor, {}))


def _look_soon(order: Order) -> None:
    Order.objects.filter(pk=order.pk).update(next_check_at=timezone.now())
