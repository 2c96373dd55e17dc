"""Looking at one position: what its protection is decided on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import structlog
from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from exchanges import catalogue, quotes
from exchanges.domain.errors import VenueError
from exchanges.domain.instruments import Instrument
from exchanges.domain.orders import OrderType, Side
from exchanges.models import Balance
from exchanges.venues import registry
from foundation.statements import Select, together
from trading.domain import protection
from trading.domain.order_states import OPEN_STATUSES, OrderStatus
from trading.domain.protection import ExitLeg, Parent, Situation
from trading.models import Order, OrderList, Position
from trading.services.control import leases, limits
from trading.services.money import balances
from trading.services.orders import lifecycle
from trading.services.risk import slots

log = structlog.get_logger(__name__)
ZERO = Decimal(0)
UNFINISHED = (*sorted(OPEN_STATUSES), OrderStatus.NEW)
PROTECTIVE = (Order.Role.STOP_LOSS, Order.Role.TAKE_PROFIT)
WORKING = (OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED)
CLOCKS_DIFFER = timedelta(seconds=1)  # the venue's and ours


@dataclass(slots=True)
class Learned:
    """What the venue has said while we were at it, for the next plan.

    `free` and `locked` are the base asset's balance, asked for after our last write; every write
    of ours makes them old.
    """

    oco_refused: bool = False
    stop_refused: bool = False
    no_slot: bool = False
    asked_for_funds: bool = False
    free: Decimal | None = None
    locked: Decimal | None = None

    def ask_for_funds(self, position: Position, asset: str) -> None:
        """Ask the venue what it has of an asset right now. VenueError escapes."""
        row = funds_of(position, asset)
        self.free = row.free if row is not None else ZERO
        self.locked = row.locked if row is not None else ZERO

    def forget_funds(self) -> None:
        self.free = self.locked = None


def funds_of(position: Position, asset: str) -> Balance | None:
    """Return the balance of one asset as the venue has it now. VenueError escapes."""
    venue_account = position.account.venue_account
    balances.refresh(venue_account)
    return Balance.objects.filter(venue_account=venue_account, asset=asset).first()


@Select
def _unfinished(account_id: int, symbol: str) -> QuerySet[Order]:
    rows = Order.objects.filter(account=account_id, symbol=symbol, status__in=UNFINISHED)
    exits = rows.filter(role__in=(*PROTECTIVE, Order.Role.EXIT))
    return exits.select_related("account", "venue_account", "order_list")


@Select
def _balance(venue_account_id: int, asset: str) -> QuerySet[Balance]:
    return Balance.objects.filter(venue_account=venue_account_id, asset=asset).order_by()


def protective_orders(position: Position) -> list[Order]:
    """Return unfinished protective orders; the stop that travels with an exit belongs to it."""
    return _protective(_unfinished.rows(account_id=position.account_id, symbol=position.symbol))


def _protective(rows: list[Order]) -> list[Order]:
    with_exit = {o.order_list_id for o in rows if o.role == Order.Role.EXIT and o.order_list_id}
    return [o for o in rows if o.role in PROTECTIVE and o.order_list_id not in with_exit]


def exits_of(position: Position) -> list[Order]:
    """Return exits that are not over."""
    rows = _unfinished.rows(account_id=position.account_id, symbol=position.symbol)
    return [o for o in rows if o.role == Order.Role.EXIT]


def stop_required(position: Position) -> bool:
    return bool(limits.value_of(position.account, "require_stop", symbol=position.symbol))


@dataclass(frozen=True, slots=True)
class _Read:
    """What one look reads, asked for together."""

    unfinished: list[Order]
    balance: Balance | None
    free_slots: int | None
    has_guard: bool
    stop_required: bool


def _read(position: Position, instrument: Instrument, now: datetime) -> _Read:
    account = position.account
    at, symbol = account.venue_account_id, position.symbol
    with together():
        orders_ = _unfinished.ask(account_id=account.pk, symbol=symbol)
        balance = _balance.ask(venue_account_id=at, asset=instrument.base_asset)
        free_slots = slots.ask_free(at, symbol, instrument.max_algo_orders)
        held = leases.ask_held(leases.GUARD, now)
        set_limits = limits.set_for.ask(account_id=account.pk, strategy_id="", symbol=symbol)
        rows = set_limits()
        return _Read(
            unfinished=orders_(),
            balance=next(iter(balance()), None),
            free_slots=free_slots(),
            has_guard=settings.SYNTHETIC_STOPS_ENABLED and held(),
            stop_required=bool(limits.value_of(account, "require_stop", symbol=symbol, rows=rows)),
        )


def look(position: Position, learned: Learned, actor: str) -> Situation | None:
    """Return the situation of a position, None when the venue does not list its symbol.

    Any VenueError escapes.
    """
    account = position.account
    venue = account.venue_account.venue
    instrument = catalogue.get(venue, position.symbol)
    if instrument is None:
        return None
    quote = None
    if position.is_open:
        quote = quotes.get(venue, position.symbol, max_age=settings.QUOTE_MAX_AGE_SECONDS)
    read = _read(position, instrument, timezone.now())
    legs = _protective(read.unfinished)
    legs = _wake_pending(legs, actor) or legs
    now = timezone.now()
    seen = tuple(as_leg(order, position, now) for order in legs)
    locked_elsewhere = _locked_in(read.unfinished)
    if learned.free is None and any(leg.is_unknown and leg.not_found for leg in seen):
        try:
            learned.ask_for_funds(position, instrument.base_asset)
        except VenueError as error:  # without this witness the coins still guard themselves
            log.warning("balance_not_read", position=position.pk, error=str(error))
    free_slots = read.free_slots
    if free_slots == 0 and slots.is_old(account.venue_account_id, position.symbol, now):
        reports = registry.for_account(account.venue_account).open_orders(position.symbol)
        slots.note_foreign(account.venue_account, position.symbol, reports)
        free_slots = slots.free(account.venue_account_id, instrument)
    is_scarce = free_slots is not None and (free_slots == 0 or learned.no_slot)
    return Situation(
        now=now,
        instrument=instrument,
        quantity=position.quantity,
        stop=position.stop_price,
        target=position.target_price,
        legs=seen,
        quote=quote,
        free_base=_free_base(position, read.balance, seen, locked_elsewhere, learned),
        locked_unexplained=_locked_unexplained(position, learned),
        locked_elsewhere=locked_elsewhere,
        grace=timedelta(seconds=float(settings.PROTECTION_GRACE_SECONDS) / 2),
        stop_required=read.stop_required,
        oco_refused=learned.oco_refused,
        stop_refused=learned.stop_refused,
        refused_until=position.refused_until,
        refused_for=_refused_for(position),
        last_fill_at=position.updated_at,
        free_slots=0 if is_scarce else free_slots,
        expendable=_expendable(position, seen) if is_scarce else (),
        has_guard=read.has_guard,
        naked_since=position.naked_since,
        naked_exit_after=timedelta(seconds=float(settings.NAKED_EXIT_AFTER_SECONDS)),
    )


def _refused_for(position: Position) -> str:
    """Return the venue's words for refusing the last stop, while we are backing off."""
    if position.refused_until is None:
        return ""
    rows = Order.objects.filter(account=position.account_id, symbol=position.symbol)
    refused = rows.filter(role__in=PROTECTIVE, status=OrderStatus.REJECTED).exclude(reason="")
    return refused.order_by("-pk").values_list("reason", flat=True).first() or ""


def _expendable(position: Position, seen: tuple[ExitLeg, ...]) -> tuple[str, ...]:
    own = {leg.client_order_id for leg in seen}
    rows = slots.expendable(position.account.venue_account_id, position.symbol)
    return tuple(o.client_order_id for o in rows if o.client_order_id not in own)


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
            lifecycle.ask_one(leg, actor=actor)
    for leg in legs:
        leg.refresh_from_db()
    return [o for o in legs if o.status in UNFINISHED]


def as_leg(order: Order, position: Position, now: datetime) -> ExitLeg:
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
        sent_at=order.submitted_at,
        is_lost=order.unknown_since is not None,
        not_found=order.not_found,
    )


def _parent_of(entry: Order) -> Parent:
    if entry.status == OrderStatus.FILLED:
        return Parent.FILLED
    if entry.closed_at is not None:
        return Parent.ENDED
    return Parent.PART_FILLED if entry.booked_quantity else Parent.UNFILLED


def _free_base(
    position: Position,
    balance: Balance | None,
    legs: tuple[ExitLeg, ...],
    locked_elsewhere: Decimal,
    learned: Learned,
) -> Decimal | None:
    """Return what the venue has to sell beside our live legs; None when its word is not newer
    than the last fill.

    Placing and cancelling move coins between free and locked, so their sum is what counts, unless
    the balance was asked for after the last of our own writes.
    """
    free = learned.free
    if free is None:
        if balance is None or balance.updated_at <= position.updated_at + CLOCKS_DIFFER:
            return None
        there = balance.free + balance.locked - locked_elsewhere
        free = there - protection.locked(legs)
    held = position.quantity - locked_elsewhere
    if free + protection.locked(legs) < held and _fills_were_missed(position):
        return None
    return free


def _locked_unexplained(position: Position, learned: Learned) -> Decimal | None:
    """Return what the venue has locked beyond the sales that we know to rest there."""
    if learned.locked is None:
        return None
    rows = Order.objects.filter(
        venue_account=position.account.venue_account_id,
        symbol=position.symbol,
        side=Side.SELL,
        status__in=WORKING,
    )
    per_list: dict[str, Decimal] = {}
    for order in rows.only("order_list_id", "quantity", "booked_quantity"):
        key = f"list {order.order_list_id}" if order.order_list_id else f"order {order.pk}"
        left = order.quantity - order.booked_quantity
        per_list[key] = max(per_list.get(key, ZERO), left)
    return learned.locked - sum(per_list.values(), ZERO)


def _fills_were_missed(position: Position) -> bool:
    """Ask the venue about our orders that sell: a fill we have not heard of looks like a loss."""
    for order in _unfinished.rows(account_id=position.account_id, symbol=position.symbol):
        if order.status == OrderStatus.SUBMITTING and order.role == Order.Role.EXIT:
            return True  # it may have filled
        if order.status in WORKING:
            lifecycle.ask_one(order, actor="protection")
    return Position.objects.get(pk=position.pk).updated_at != position.updated_at


def locked_in_exits(position: Position) -> Decimal:
    """Sum what exits hold at the venue, or may hold. One that was not sent holds nothing yet."""
    return _locked_in(exits_of(position))


def _locked_in(rows: list[Order]) -> Decimal:
    sent = [o for o in rows if o.role == Order.Role.EXIT and o.status != OrderStatus.NEW]
    return sum((o.quantity - o.booked_quantity for o in sent), ZERO)
