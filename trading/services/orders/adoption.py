"""Orders of ours that the books do not know: found, and taken into the books.

A row is written and committed before its order is sent. An order at the venue under an id of ours
without a row means that the books are behind: a commit was lost, an older backup was put back, a
standby took over that had not heard of it, or another installation trades with the same keys.
What it bought is ours all the same, so it is booked and protected; entries of that venue stop
until a person has looked.

    sightings.note    whoever hears of one (fills.apply) or finds one (venue_sweep) leaves a note
    run               settles the notes: looks again, asks the venue, adopts
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import structlog
from django.db import IntegrityError, transaction
from django.utils import timezone

from audit import trail
from exchanges.domain import errors
from exchanges.domain.orders import (
    STOP_TYPES,
    ExecutionReport,
    OrderListReport,
    OrderType,
    Side,
)
from exchanges.models import VenueAccount
from exchanges.venues import registry
from exchanges.venues.base import ExchangeGateway
from foundation import locks, metrics
from trading.domain import client_ids
from trading.domain.levels import Distance
from trading.domain.order_states import OrderStatus
from trading.domain.risk.types import TradingMode
from trading.models import (
    Order,
    OrderList,
    Position,
    TradingState,
    UnknownOrder,
    VirtualAccount,
)
from trading.services.control import kill_switch, limits
from trading.services.orders import lifecycle, sightings, venue_sweep
from trading.services.orders.order_factory import entry, order_facts

log = structlog.get_logger(__name__)
ACTOR = "adoption"
# A standby that has just taken over may be about to hear of the row: look again after this long.
SECOND_LOOK_AFTER = timedelta(seconds=2)
# The venue's reads may lag behind its engine: 'not found' is believed after this long.
NOT_FOUND_AFTER = timedelta(minutes=1)
BATCH = 100
MOST_GENERATIONS = 200
ROLES = {
    "e": Order.Role.ENTRY,
    "x": Order.Role.EXIT,
    "m": Order.Role.EXIT,
    "s": Order.Role.STOP_LOSS,
    "t": Order.Role.TAKE_PROFIT,
}
IN_ORDER = ("e", "x", "m", "s", "t")  # what was bought is booked before what sold it


@dataclass(frozen=True, slots=True)
class _Found:
    """One order of ours as the venue tells of it, with the list it belongs to."""

    report: ExecutionReport
    order_list: OrderListReport | None = None

    @property
    def kind(self) -> str:
        return client_ids.kind_of(self.report.client_order_id)

    @property
    def side(self) -> Side:
        if self.report.side is not None:
            return self.report.side
        return Side.BUY if self.kind == "e" else Side.SELL

    @property
    def role(self) -> Order.Role:
        by_side = Order.Role.ENTRY if self.side is Side.BUY else Order.Role.EXIT
        return ROLES.get(self.kind, by_side)

    @property
    def matters(self) -> bool:
        """Say whether it traded or still may: an order that ended without a trade left nothing."""
        status = self.report.status
        return bool(self.report.executed_quantity) or status is None or not status.is_final

    def __str__(self) -> str:
        report = self.report
        quantity = format(report.quantity or Decimal(0), "f")
        status = report.status.value if report.status else "status unknown"
        return f"{self.side} {quantity} {report.symbol} {status} ({report.client_order_id})"


# ---- settling --------------------------------------------------------------------------------


def run(*, now: datetime | None = None) -> set[int]:
    """Settle the notes that have waited for their second look; return positions to look at.

    Run twice or at the same time, each order is adopted once: its id is unique in the books.
    """
    now = now or timezone.now()
    due = UnknownOrder.objects.filter(settled_at=None, seen_at__lte=now - SECOND_LOOK_AFTER)
    if not due.exists():
        return set()
    touched: set[int] = set()
    with locks.at("adopting") as got_it:
        if not got_it:
            return touched
        groups: dict[tuple[int, str], list[UnknownOrder]] = {}
        for note in due.select_related("venue_account").order_by("pk")[:BATCH]:
            groups.setdefault((note.venue_account_id, note.symbol), []).append(note)
        for notes in groups.values():
            try:
                touched |= _settle_symbol(notes, now)
            except (errors.VenueError, IntegrityError) as error:
                metrics.ERRORS.labels("adoption").inc()
                log.error("orders_not_adopted", symbol=notes[0].symbol, error=str(error))
    return touched


def _settle_symbol(notes: list[UnknownOrder], now: datetime) -> set[int]:
    """Adopt what is unknown in one symbol together: an entry and the stop that rests for it.

    A stop whose entry is not in the books yet would look like one of a position that is gone.
    """
    venue_account, symbol = notes[0].venue_account, notes[0].symbol
    gateway = registry.for_account(venue_account)
    touched = venue_sweep.compare_trades(venue_account, gateway, symbol)
    found: dict[str, _Found] = {}
    for note in _unsettled(venue_account, symbol):
        try:
            report = gateway.query_order(symbol, note.client_order_id)
        except errors.OrderNotFound:
            if now - note.seen_at > NOT_FOUND_AFTER:
                _settle(note, "the venue does not know it")
            continue
        found[note.client_order_id] = _Found(report)
    for report in gateway.open_orders(symbol):
        name = report.client_order_id
        if client_ids.is_ours(name) and not sightings.known([name]):
            found.setdefault(name, _Found(report))
    found = _with_their_lists(gateway, found)
    in_books = _rows_of(found)
    for name, order in in_books.items():
        touched |= _set_right(order, found[name].report)
    left = [one for name, one in found.items() if name not in in_books]
    for order in _adopt(venue_account, symbol, left):
        touched |= _book(order)
    return touched


def _unsettled(venue_account: VenueAccount, symbol: str) -> list[UnknownOrder]:
    rows = UnknownOrder.objects.filter(venue_account=venue_account, symbol=symbol, settled_at=None)
    return list(rows.order_by("pk"))


def _rows_of(names: Iterable[str]) -> dict[str, Order]:
    rows = Order.objects.filter(client_order_id__in=list(names))
    return {o.client_order_id: o for o in rows.select_related("account", "venue_account")}


def _with_their_lists(gateway: ExchangeGateway, found: dict[str, _Found]) -> dict[str, _Found]:
    """Add the other legs of the lists: legs that cancel each other are one thing in the books."""
    complete = dict(found)
    asked: set[str] = set()
    for one in found.values():
        list_id = one.report.venue_list_id
        if list_id is None or list_id in asked:
            continue
        asked.add(list_id)
        told = gateway.find_order_list(list_id)
        for leg in told.reports:
            if client_ids.is_ours(leg.client_order_id):
                complete[leg.client_order_id] = _Found(leg, told)
    return complete


def _set_right(order: Order, report: ExecutionReport) -> set[int]:
    """Ask for an order that has a row by now: news of it was lost while it had none.

    A row that was refused for using an id again says what we wanted, not what is there: it takes
    the figures of the order that has the id.
    """
    with transaction.atomic():
        refused = Order.objects.filter(pk=order.pk, status__in=sightings.NEVER_THERE)
        taken_over = refused.update(
            quantity=report.quantity or order.quantity,
            price=report.price,
            stop_price=report.stop_price,
            type=report.type or order.type,
            adopted_at=timezone.now(),
        )
        if taken_over:
            order.refresh_from_db()
            trail.record(entry(order, "order.adopted", ACTOR, _facts(order, report)))
        UnknownOrder.objects.filter(
            venue_account=order.venue_account,
            client_order_id=order.client_order_id,
            settled_at=None,
        ).update(settled_at=timezone.now(), outcome="in the books at the second look", order=order)
    return _book(order)


def _settle(note: UnknownOrder, outcome: str) -> None:
    UnknownOrder.objects.filter(pk=note.pk, settled_at=None).update(
        settled_at=timezone.now(), outcome=outcome
    )


def _book(order: Order) -> set[int]:
    """Ask the venue for an adopted order and book it by the one door, its trades included."""
    applied = lifecycle.ask_one(order, actor=ACTOR)
    return {applied.position_id} if applied and applied.position_id is not None else set()


# ---- adopting --------------------------------------------------------------------------------


def _adopt(venue_account: VenueAccount, symbol: str, found: list[_Found]) -> list[Order]:
    """Write the rows, the trail, the alarm and the stop of new entries, in one transaction.

    What became of the orders is booked afterwards. A crash in between loses nothing: the rows are
    orders of unknown outcome then, which reconciliation asks the venue about.
    """
    found.sort(key=lambda one: IN_ORDER.index(one.kind) if one.kind in IN_ORDER else len(IN_ORDER))
    with transaction.atomic():
        if not any(one.matters for one in found):
            _settle_all(venue_account, found, {}, "it ended without a trade")
            return []
        whose = [(one, _account_of(venue_account, one.report)) for one in found]
        rows = [_row(one, account, found) for one, account in whose]
        trail.record(
            *(
                entry(row, "order.adopted", ACTOR, _facts(row, one.report))
                for row, one in zip(rows, found, strict=True)
            )
        )
        by_name = {row.client_order_id: row for row in rows}
        _settle_all(venue_account, found, by_name, "adopted")
        _ring(rows)
        kill_switch.engage(
            actor=ACTOR,
            reason=_reason(venue_account, rows, found),
            mode=TradingMode.HALTED,
            scope=TradingState.Scope.VENUE,
            key=str(venue_account.venue),
        )
    metrics.ERRORS.labels("adopted").inc(len(rows))
    log.error("orders_adopted", symbol=symbol, orders=[str(one) for one in found])
    return rows


def _row(one: _Found, account: VirtualAccount, found: Sequence[_Found]) -> Order:
    """Write one order as sent with unknown outcome, so that the venue is asked about it."""
    report, now = one.report, timezone.now()
    order = Order(
        account=account,
        venue_account=account.venue_account,
        order_list=_list_row(one, account, now),
        role=one.role,
        symbol=report.symbol,
        side=one.side,
        type=report.type or (OrderType.LIMIT if report.price else OrderType.MARKET),
        quantity=report.quantity or report.executed_quantity or Decimal(0),
        price=report.price,
        stop_price=report.stop_price,
        client_order_id=report.client_order_id,
        venue_order_id=report.venue_order_id,
        status=OrderStatus.SUBMITTING,
        created_at=now,
        submitted_at=now,
        adopted_at=now,
        next_check_at=now,
    )
    if order.role == Order.Role.ENTRY:
        _set_levels(order, found)
    elif one.kind in ("s", "t", "m"):
        _skip_used_ids(account, report)
    order.save(force_insert=True)
    return order


def _set_levels(order: Order, found: Sequence[_Found]) -> None:
    """Give an adopted entry the levels that rest at the venue for it, else the default stop.

    A position that has a stop keeps it: the entry asks for none then.
    """
    resting = [
        one.report
        for one in found
        if one.kind in ("s", "t") and one.report.status and not one.report.status.is_final
    ]
    stops = [r.stop_price for r in resting if r.type in STOP_TYPES and r.stop_price]
    targets = [r.price for r in resting if r.type not in STOP_TYPES and r.price]
    order.stop_loss = max(stops, default=None)
    order.take_profit = min(targets, default=None)
    held = Position.objects.filter(
        account=order.account, symbol=order.symbol, is_open=True, is_dust=False
    ).first()
    if order.stop_loss is None and (held is None or held.stop_price is None):
        percent = Decimal(str(limits.value_of(order.account, "stop_loss_pct", symbol=order.symbol)))
        order.stop_distance = str(Distance(percent, is_percent=True))


def _list_row(one: _Found, account: VirtualAccount, now: datetime) -> OrderList | None:
    told = one.order_list
    if told is None:
        return None
    is_bracket = any(client_ids.kind_of(r.client_order_id) == "e" for r in told.reports)
    row, _ = OrderList.objects.get_or_create(
        list_client_order_id=told.list_client_order_id,
        defaults={
            "account": account,
            "symbol": told.symbol,
            "kind": OrderList.Kind.OTOCO if is_bracket else OrderList.Kind.OCO,
            "venue_list_id": told.venue_list_id,
            "created_at": now,
        },
    )
    return row


def _account_of(venue_account: VenueAccount, report: ExecutionReport) -> VirtualAccount:
    """Return whose order it is, as far as can be told.

    A protective id is made from the account's name and its position, so it proves whose it is.
    An entry's id proves nothing: the only account there is, the only one that holds the symbol,
    the only one made for it, else the default one, else the first.
    """
    rows = VirtualAccount.objects.filter(venue_account=venue_account)
    accounts = list(rows.select_related("venue_account").order_by("-enabled", "-is_default", "pk"))
    proven = [a for a in accounts if _generation(a, report) is not None]
    holders = set(
        Position.objects.filter(
            account__in=accounts, symbol=report.symbol, is_open=True
        ).values_list("account_id", flat=True)
    )
    enabled = [a for a in accounts if a.enabled]
    for likely in (
        proven,
        enabled,
        [a for a in accounts if a.pk in holders],
        [a for a in enabled if report.symbol in a.allowed_symbols],
    ):
        if len(likely) == 1:
            return likely[0]
    return accounts[0]


def _generation(account: VirtualAccount, report: ExecutionReport) -> int | None:
    """Return which generation of an open position's protection an id belongs to, if any."""
    if client_ids.kind_of(report.client_order_id) not in ("s", "t", "m"):
        return None
    position = Position.objects.filter(account=account, symbol=report.symbol).first()
    if position is None:
        return None
    key = client_ids.position_key(account.name, position.symbol, position.opened_at)
    for number in range(1, position.protection_sequence + MOST_GENERATIONS):
        ids = client_ids.protection_ids(key, number)
        if report.client_order_id in (ids.stop_id, ids.target_id, ids.market_exit_id):
            return number
    return None


def _skip_used_ids(account: VirtualAccount, report: ExecutionReport) -> None:
    """Have the next protection take an unused id: a backup counts from further back."""
    number = _generation(account, report)
    if number is not None:
        Position.objects.filter(
            account=account, symbol=report.symbol, protection_sequence__lt=number
        ).update(protection_sequence=number)


def _settle_all(
    venue_account: VenueAccount, found: Iterable[_Found], rows: dict[str, Order], outcome: str
) -> None:
    for one in found:
        name = one.report.client_order_id
        UnknownOrder.objects.update_or_create(
            venue_account=venue_account,
            client_order_id=name,
            defaults={
                "settled_at": timezone.now(),
                "outcome": outcome,
                "order": rows.get(name),
            },
            create_defaults={
                "symbol": one.report.symbol,
                "seen_by": ACTOR,
                "seen_at": timezone.now(),
                "settled_at": timezone.now(),
                "outcome": outcome,
                "order": rows.get(name),
            },
        )


def _facts(row: Order, report: ExecutionReport) -> dict[str, object]:
    return order_facts(row) | {
        "venue_order_id": report.venue_order_id,
        "at_venue": report.status.value if report.status else "",
        "executed_quantity": format(report.executed_quantity or Decimal(0), "f"),
    }


def _ring(rows: list[Order]) -> None:
    """Alarm the positions the orders belong to; one that is new is alarmed as it is opened."""
    for account_id, account in {row.account_id: row.account for row in rows}.items():
        symbol = rows[0].symbol
        reason = f"orders at the venue were not in the books: {len(rows)} adopted in {symbol}"
        position, _ = Position.objects.get_or_create(
            account_id=account_id, symbol=symbol, defaults={"updated_at": timezone.now()}
        )
        Position.objects.filter(pk=position.pk).update(alarm=reason)
        trail.record(
            trail.Entry(
                kind="position.alarm",
                actor=ACTOR,
                subject_type="position",
                subject_id=str(position.pk),
                environment=account.venue_account.environment,
                data={"symbol": symbol, "account": account.name, "reason": reason},
            )
        )


def _reason(venue_account: VenueAccount, rows: list[Order], found: list[_Found]) -> str:
    names = ", ".join(sorted({row.account.name for row in rows}))
    count = f"{len(rows)} order{'s' if len(rows) > 1 else ''} of ours"
    why = (
        f"{count} at {venue_account.venue} not in the books, adopted into {names}. A commit"
        " was lost, an older backup was put back, or another installation trades with these keys."
        " Look at the adopted orders, run manage.py tie_out, then release. "
    )
    return (why + "; ".join(str(one) for one in found))[:500]
