"""The backstop: what a crash, a lost reply or a deaf stream left open is asked for and closed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from exchanges import catalogue
from exchanges.domain import errors
from exchanges.domain.orders import ExecutionReport
from exchanges.models import VenueAccount
from exchanges.venues import registry
from foundation import locks, metrics
from foundation.statements import Select
from trading.domain import reconciliation
from trading.domain.order_states import OPEN_STATUSES, OrderStatus
from trading.models import Order, Position
from trading.selectors import venues_in_use
from trading.services.execution import dispatch
from trading.services.money import balances
from trading.services.orders import fills, lifecycle
from trading.services.risk import slots

log = structlog.get_logger(__name__)
ACTOR = "reconciliation"
BATCH = 200
TRY_AGAIN = timedelta(seconds=1)
LEAST_RESTING_INTERVAL = timedelta(seconds=2)
RESTING_INTERVAL_PER_SYMBOL = timedelta(seconds=0.3)
RESTING = (OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED, OrderStatus.PENDING)


def timing() -> reconciliation.Timing:
    """Read the waits from the settings."""
    every = timedelta(seconds=float(settings.RECONCILE_INTERVAL_SECONDS))
    return reconciliation.Timing(
        recv_window=timedelta(milliseconds=settings.BINANCE_RECV_WINDOW_MS),
        max_send_age=timedelta(seconds=settings.SIGNAL_MAX_AGE_SECONDS),
        open_interval=every,
        open_most=2 * every,
    )


def timing_of(order: Order) -> reconciliation.Timing:
    """Return the waits for one order: what leaves or protects has no time to lose."""
    if order.is_entry:
        return timing()
    window = order.recv_window_ms or settings.EXIT_RECV_WINDOW_MS
    urgent = reconciliation.urgent(timing(), timedelta(milliseconds=window))
    every = min(resting_interval(), urgent.open_interval)
    return replace(urgent, open_interval=every, open_most=every)


def resting_interval() -> timedelta:
    """Return how often what protects is looked at, whatever the user stream says.

    A list of one symbol costs 6 of the 6,000 a minute: with many symbols it is less often, so that
    the looks never take more than a fifth of that.
    """
    symbols = _symbols_held.rows()
    return max(LEAST_RESTING_INTERVAL, len(symbols) * RESTING_INTERVAL_PER_SYMBOL)


@Select
def _symbols_held() -> QuerySet[Position, Any]:
    rows = Position.objects.filter(is_open=True).order_by()
    return rows.values_list("account__venue_account", "symbol").distinct()


def look_at_resting() -> None:
    """Compare what protects and what sells at rest with the venue's list, where it is due."""
    now = timezone.now()
    due = Order.objects.filter(status__in=RESTING, next_check_at__lte=now)
    rows = due.exclude(role=Order.Role.ENTRY).select_related(
        "account", "venue_account", "order_list"
    )
    orders_due = list(rows.order_by("next_check_at", "pk")[:BATCH])
    if not orders_due:
        return
    unreachable: set[int] = set()
    resting = _resting_at_venues(now, unreachable)
    for order in orders_due:
        if order.venue_account_id not in unreachable:
            _step(order, now, resting.get(order.venue_account_id, {}))


def run() -> set[int]:
    """Take the next step of every order whose turn has come; return positions to look at.

    One run at a time: a second one returns at once. A venue that does not answer stops only its
    own orders, until the next run.
    """
    with locks.at("reconcile") as got_it:
        if not got_it:
            return set()
        now = timezone.now()
        touched: set[int] = set()
        unreachable: set[int] = set()
        resting = _resting_at_venues(now, unreachable)
        for order in _due(now):
            account = order.venue_account
            if account.pk in unreachable:
                continue
            try:
                touched |= _step(order, now, resting.get(account.pk, {}))
            except errors.VenueError as error:
                unreachable.add(account.pk)
                metrics.ERRORS.labels("reconciliation").inc()
                log.error("reconciliation_stopped", account=str(account), error=str(error))
        return touched | _positions_to_look_at()


def catch_up(venue_account: VenueAccount) -> set[int]:
    """After a gap in the user stream: balances and every unfinished order, now."""
    balances.refresh(venue_account)
    touched: set[int] = set()
    unfinished = Order.objects.filter(venue_account=venue_account, status__in=OPEN_STATUSES)
    for order in unfinished.select_related("account", "venue_account", "order_list"):
        touched |= _ask(order, timezone.now())
    return touched


def refresh_balances() -> None:
    """Read the balances of every venue account in use."""
    for venue_account in venues_in_use.venue_accounts():
        try:
            balances.refresh(venue_account)
        except errors.VenueError as error:
            metrics.ERRORS.labels("balances").inc()
            log.error("balances_not_refreshed", account=str(venue_account), error=str(error))


def refresh_instruments() -> None:
    """Read the instruments of every venue in use."""
    for venue in venues_in_use.venues():
        try:
            catalogue.refresh(venue)
        except errors.VenueError as error:
            metrics.ERRORS.labels("instruments").inc()
            log.error("instruments_not_refreshed", venue=str(venue), error=str(error))


def in_flight(now: datetime, *, is_entry: bool) -> list[Order]:
    """Return orders on their way whose turn has come, for the guard: it keeps the timers."""
    rows = Order.objects.filter(
        status__in=(OrderStatus.NEW, OrderStatus.SUBMITTING), next_check_at__lte=now
    )
    entries = (
        rows.filter(role=Order.Role.ENTRY) if is_entry else rows.exclude(role=Order.Role.ENTRY)
    )
    chosen = entries.select_related("account", "venue_account", "order_list")
    return list(chosen.order_by("next_check_at", "pk")[:BATCH])


def take_step(order: Order) -> set[int]:
    """Take the next step of one order now; return positions to look at. VenueError escapes."""
    return _step(order, timezone.now(), {})


def _due(now: datetime) -> list[Order]:
    left_unsent = Q(status=OrderStatus.NEW) & (
        Q(next_check_at__lte=now) | Q(next_check_at=None, created_at__lte=now - timing().send_grace)
    )
    due = Q(next_check_at__lte=now) & ~Q(status=OrderStatus.NEW)
    rows = Order.objects.filter(left_unsent | due | Q(fills_missing=True))
    rows = rows.select_related("account", "venue_account", "order_list")
    return list(rows.order_by("next_check_at", "pk")[:BATCH])


def _resting_at_venues(
    now: datetime, unreachable: set[int]
) -> dict[int, dict[str, ExecutionReport]]:
    """Ask once per account and symbol for all open orders: cheaper than asking for each that
    rests. Those found stand under the account's id."""
    found: dict[int, dict[str, ExecutionReport]] = {}
    due = Order.objects.filter(status__in=RESTING, next_check_at__lte=now)
    pairs = list(due.values_list("venue_account", "symbol").order_by().distinct())
    accounts = VenueAccount.objects.in_bulk({account_id for account_id, _ in pairs})
    for account_id, symbol in pairs:
        account = accounts[account_id]
        if account_id in unreachable:
            continue
        try:
            reports = registry.for_account(account).open_orders(symbol)
        except errors.VenueError as error:
            unreachable.add(account_id)
            log.error("open_orders_not_read", account=str(account), error=str(error))
            continue
        slots.note_foreign(account, symbol, reports)
        found.setdefault(account_id, {}).update({r.client_order_id: r for r in reports})
    return found


def _step(order: Order, now: datetime, resting: dict[str, ExecutionReport]) -> set[int]:
    step = reconciliation.next_step(facts_of(order), now=now, timing=timing_of(order))
    if isinstance(step, reconciliation.Send):
        sent = dispatch.send(lifecycle.load(order.pk), actor=ACTOR)
        if not sent.was_sent:  # it has its time already where the venue named one
            due = Q(next_check_at=None) | Q(next_check_at__lte=now)
            Order.objects.filter(due, pk=order.pk, status=OrderStatus.NEW).update(
                next_check_at=now + TRY_AGAIN
            )
        return set(sent.positions)
    if isinstance(step, reconciliation.MarkNotPlaced):
        return _mark_not_placed(order, step)
    if isinstance(step, reconciliation.FetchTrades):
        _count_look(order, now)
        return _touched(lifecycle.fetch_trades(order, actor=ACTOR))
    if isinstance(step, reconciliation.Query):
        report = resting.get(order.client_order_id)
        if report is not None and order.status in RESTING:
            _count_look(order, now)
            return _touched(fills.apply(report, account=order.venue_account, actor=ACTOR))
        return _ask(order, now)
    if isinstance(step, reconciliation.Wait):
        _look_again(order, step.until)
    return set()


def _mark_not_placed(order: Order, step: reconciliation.MarkNotPlaced) -> set[int]:
    end = lifecycle.call_off if order.status == OrderStatus.NEW else lifecycle.prove_absent
    end(order, reason=step.reason, actor=ACTOR)
    return _positions_of(order)


def facts_of(order: Order) -> reconciliation.OrderFacts:
    return reconciliation.OrderFacts(
        status=OrderStatus(order.status),
        created_at=order.created_at,
        submitted_at=order.submitted_at,
        executed_quantity=order.executed_quantity,
        booked_quantity=order.booked_quantity,
        queries=order.checks,
        last_query_at=order.last_check_at,
        not_found=order.not_found,
        last_not_found_at=order.last_not_found_at,
        goes_stale=order.is_entry,
        send_at=order.next_check_at if order.status == OrderStatus.NEW else None,
        lost_at=order.unknown_since,
    )


def _ask(order: Order, now: datetime) -> set[int]:
    _count_look(order, now)
    try:
        applied = lifecycle.ask_one(order, actor=ACTOR)
    except errors.OrderNotFound:
        order.not_found, order.last_not_found_at = order.not_found + 1, now
        Order.objects.filter(pk=order.pk).update(not_found=order.not_found, last_not_found_at=now)
        log.warning("order_not_found", client_order_id=order.client_order_id)
        # A proof of absence counts the moment it is there.
        step = reconciliation.next_step(facts_of(order), now=now, timing=timing_of(order))
        if isinstance(step, reconciliation.MarkNotPlaced):
            return _mark_not_placed(order, step)
        return set()
    return _touched(applied)


def _count_look(order: Order, now: datetime) -> None:
    order.checks += 1
    order.last_check_at = now
    step = reconciliation.next_step(facts_of(order), now=now, timing=timing_of(order))
    until = step.until if isinstance(step, reconciliation.Wait) else now + timedelta(seconds=1)
    Order.objects.filter(pk=order.pk).update(
        checks=order.checks, last_check_at=now, next_check_at=until
    )


def _look_again(order: Order, at: datetime) -> None:
    Order.objects.filter(pk=order.pk).update(next_check_at=at)


def _touched(applied: fills.Applied | None) -> set[int]:
    if applied is None or applied.position_id is None:
        return set()
    return {applied.position_id}


def _positions_of(order: Order) -> set[int]:
    rows = Position.objects.filter(account_id=order.account_id, symbol=order.symbol)
    return set(rows.values_list("pk", flat=True))


def _positions_to_look_at() -> set[int]:
    """Every open position, and flat ones that still have legs which could sell."""
    ids = set(Position.objects.filter(is_open=True).values_list("pk", flat=True))
    legs = Order.objects.filter(
        status__in=RESTING, role__in=(Order.Role.STOP_LOSS, Order.Role.TAKE_PROFIT)
    )
    for account_id, symbol in legs.values_list("account_id", "symbol").order_by().distinct():
        flat = Position.objects.filter(account_id=account_id, symbol=symbol)
        ids |= set(flat.values_list("pk", flat=True))
    return ids
