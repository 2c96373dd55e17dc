"""The one door for venue news: reply, user stream and reconciliation all come through here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from audit import trail
from exchanges import catalogue
from exchanges.domain.instruments import Instrument
from exchanges.domain.orders import (
    ExecutionReport,
    OrderListReport,
    OrderType,
    Side,
    VenueFill,
)
from exchanges.domain.venues import Venue
from exchanges.models import VenueAccount
from foundation import metrics
from foundation.statements import Answer, Select, answered, ask_insert, ask_update, together
from trading.domain import client_ids, levels, order_states, positions, slippage
from trading.domain.order_states import OrderStatus
from trading.models import Fill, Order, OrderList, Position
from trading.services.orders import closed_trades, sightings
from trading.services.orders.order_factory import entry
from trading.services.risk import market_view

log = structlog.get_logger(__name__)
ZERO = Decimal(0)
POSITION_BOOKS = (
    "quantity",
    "average_entry_price",
    "realised_pnl",
    "fees_quote",
    "excess_sold",
    "excess_price",
    "is_open",
    "is_dust",
    "stop_price",
    "target_price",
    "naked_since",
    "guarded_quantity",
    "shortfall",
    "next_look_at",
    "alarm",
    "opened_at",
    "closed_at",
    "updated_at",
    "mark_price",
    "marked_at",
    *closed_trades.COLUMNS,
)
FOLLOW_UP_AFTER = LOOK_AT_IT_AFTER = timedelta(seconds=0.2)  # whoever is at it goes first
LOOK_AT_PART_AFTER = timedelta(seconds=1.5)  # parts that follow share a list: the wish comes first
LOOK_AT_STOP_AFTER = timedelta(seconds=2)  # what protects is looked at whatever the stream says
LOOK_AGAIN_AFTER = timedelta(seconds=float(settings.RECONCILE_INTERVAL_SECONDS))


@dataclass(frozen=True, slots=True)
class Applied:
    """What one piece of news changed. `position_id`: its protection must be looked at."""

    order_id: int
    status: str
    fills: tuple[Fill, ...]  # booked now
    position_id: int | None
    fills_missing: bool  # the venue claims more than we have booked: ask it for the trades


class _NewsOvertook(Exception):
    """Other news of the order was booked since it was claimed."""


@dataclass(slots=True)
class _Change:
    """One order's change in the making: what it was before, and the lines for the trail."""

    order: Order
    before: dict[str, object]
    entries: list[trail.Entry]
    actor: str

    def set(self, **values: object) -> None:
        for name, value in values.items():
            old = getattr(self.order, name)
            if old != value:
                setattr(self.order, name, value)
                self.before.setdefault(name, old)

    def undo(self) -> None:
        for name, value in self.before.items():
            setattr(self.order, name, value)

    def count(self, fresh: list[VenueFill]) -> None:
        if fresh:
            order = self.order
            self.set(
                booked_quantity=order.booked_quantity + sum((f.quantity for f in fresh), ZERO),
                booked_quote=order.booked_quote + sum((f.quote_quantity for f in fresh), ZERO),
            )

    def tell(self, kind: str, **data: object) -> None:
        self.entries.append(entry(self.order, kind, self.actor, data))


@dataclass(slots=True)
class _Booking:
    """Trades to book, their fees valued, as rows."""

    fresh: list[VenueFill]
    instrument: Instrument | None
    prices: dict[str, Decimal | None]
    now: datetime
    fees: list[positions.Fee] = field(default_factory=list)
    rows: list[Fill] = field(default_factory=list)

    def value(self, order: Order) -> None:
        base = self.instrument.base_asset if self.instrument else ""
        quote = self.instrument.quote_asset if self.instrument else order.account.quote_asset
        for fill in self.fresh:
            fee = positions.value_fee(
                fill.commission,
                fill.commission_asset,
                base_asset=base,
                quote_asset=quote,
                asset_price=self.prices.get(fill.commission_asset),
            )
            self.fees.append(fee)
            self.rows.append(_fill_row(order, fill, fee, self.now))


def apply(
    report: ExecutionReport, *, account: VenueAccount, actor: str, claimed: Order | None = None
) -> Applied | None:
    """Book one report about an account's order; told twice, late or out of order it changes
    nothing more.

    Returns None for orders that are not ours, and for one of ours that the books do not know: it
    is noted, and `adoption` takes it up. Fills are booked first, status second: EXPIRED and
    CANCELED may carry fills. The sender of an order passes its row as `claimed`: when no other
    news of it has been booked, the row need not be read again; it is brought up to date.
    """
    if not client_ids.is_ours(report.client_order_id):
        log.info("foreign_order_ignored", client_order_id=report.client_order_id)
        return None
    instrument = catalogue.get(account.venue, report.symbol) if report.fills else None
    prices = _fee_prices(report, account.venue, instrument)
    if claimed is not None:
        try:
            with transaction.atomic(), together():
                applied, written = _apply_to(
                    claimed, report, instrument, prices, actor, is_first=True
                )
            written()
            return applied
        except _NewsOvertook:
            log.info("news_overtook_the_reply", client_order_id=report.client_order_id)
    with transaction.atomic(), together():
        order = _locked_order.first(
            client_order_id=report.client_order_id, **account.venue.columns()
        )
        if order is None:
            _note_unknown(report, account, actor)
            return None
        applied, written = _apply_to(order, report, instrument, prices, actor, is_first=False)
    written()
    if claimed is not None:
        claimed.refresh_from_db()
    return applied


def _note_unknown(report: ExecutionReport, account: VenueAccount, actor: str) -> None:
    sightings.note(
        account=account,
        symbol=report.symbol,
        client_order_id=report.client_order_id,
        actor=actor,
    )


@dataclass(frozen=True, slots=True)
class Look:
    """Reports beside our books. `fresh` tell something new; `awaited` is true when some of those
    are about orders whose sender has not booked the venue's reply yet, and is about to."""

    fresh: list[ExecutionReport]
    awaited: bool


def look(reports: Iterable[ExecutionReport], *, account: VenueAccount) -> Look:
    """Find the reports that tell nothing new: most of the user stream repeats a reply of ours.

    Books only grow, so what an unlocked look finds booked stays booked.
    """
    with together():
        asked = [
            (r, _figures_of.ask(client_order_id=r.client_order_id, **account.venue.columns()))
            for r in reports
        ]
        found = [(report, answer()) for report, answer in asked]
    fresh = [(report, rows) for report, rows in found if not _is_known(report, rows)]
    awaited = any(rows and rows[0][-1] is None for _, rows in fresh)
    return Look([report for report, _ in fresh], awaited)


def _is_known(report: ExecutionReport, found: list[Any]) -> bool:
    if not found or report.status is None:
        return False
    status, executed, booked, venue_order_id, acknowledged_at = found[0]
    return (
        acknowledged_at is not None
        and venue_order_id == report.venue_order_id
        and status == report.status
        and executed >= (report.executed_quantity or ZERO)
        and booked >= executed
    )


def _at(exchange: str, market: str, environment: str) -> dict[str, str]:
    """Select by venue, not by account: ids of ours are unique there, and several accounts of the
    books may speak to one account of the venue."""
    place = {"exchange": exchange, "market": market, "environment": environment}
    return {f"venue_account__{name}": word for name, word in place.items()}


@Select
def _figures_of(
    client_order_id: str, exchange: str, market: str, environment: str
) -> QuerySet[Order, Any]:
    rows = Order.objects.filter(
        client_order_id=client_order_id, **_at(exchange, market, environment)
    )
    return rows.order_by().values_list(
        "status", "executed_quantity", "booked_quantity", "venue_order_id", "acknowledged_at"
    )


@Select
def _locked_order(
    client_order_id: str, exchange: str, market: str, environment: str
) -> QuerySet[Order]:
    rows = Order.objects.select_for_update(of=("self",), no_key=True).order_by()
    return rows.select_related("account", "venue_account").filter(
        client_order_id=client_order_id, **_at(exchange, market, environment)
    )


@Select
def _locked_list(
    list_client_order_id: str, exchange: str, market: str, environment: str
) -> QuerySet[Order]:
    rows = Order.objects.select_for_update(of=("self",), no_key=True).order_by("pk")
    return rows.select_related("account", "venue_account").filter(
        order_list__list_client_order_id=list_client_order_id,
        **_at(exchange, market, environment),
    )


def _apply_to(
    order: Order,
    report: ExecutionReport,
    instrument: Instrument | None,
    prices: dict[str, Decimal | None],
    actor: str,
    *,
    is_first: bool,
) -> tuple[Applied, Answer[list[Fill]]]:
    """Change the order row first, then fills and position: one lock order for everybody.

    The answer gives the booked fills their ids; call it when the transaction is over.
    """
    change = _Change(order, {}, [], actor)
    now = timezone.now()
    booking = _Booking(_unseen(order, report.fills), instrument, prices, now)
    booking.value(order)
    change.count(booking.fresh)
    asked_before = order.stop_loss
    _set_levels(change, booking)
    was = order.status
    _follow(change, report, now)
    _hold_to_expected(change)
    saved = _save(change, was, is_first=is_first)
    locked = _ask_position(order) if booking.fresh else None
    if saved() != 1:
        change.undo()
        raise _NewsOvertook
    written = ask_insert(booking.rows)
    position = _book(change, booking, locked(), asked_before) if locked else None
    if order.status != was:
        _tell_status(change, OrderStatus(was), now)
    if "slippage_bps" in change.before:
        _tell_slippage(change)
    trail.record(*change.entries)
    position_id = position.pk if position else _position_touched(change)
    applied = Applied(
        order_id=order.pk,
        status=order.status,
        fills=tuple(booking.rows),
        position_id=position_id,
        fills_missing=order.fills_missing,
    )
    return applied, written


def _save(change: _Change, was: str, *, is_first: bool) -> Answer[int]:
    """Write what changed; the first news of an order only when there was none before it."""
    order = change.order
    values = {name: getattr(order, name) for name in sorted(change.before)}
    where: dict[str, object] = {"pk": order.pk}
    if is_first:
        where |= {"status": was, "acknowledged_at": None}
    return ask_update(Order, where=where, values=values) if values else answered(1)


def apply_list(report: OrderListReport, *, account: VenueAccount, actor: str) -> list[Applied]:
    """Book news about an order list and each of its legs, all of it or none.

    All legs are locked first, in the order of their rows, then the position: as everybody does.
    """
    ours = [leg for leg in report.reports if client_ids.is_ours(leg.client_order_id)]
    instruments = [catalogue.get(account.venue, leg.symbol) if leg.fills else None for leg in ours]
    prices = [
        _fee_prices(leg, account.venue, instrument)
        for leg, instrument in zip(ours, instruments, strict=True)
    ]
    found = []
    with transaction.atomic(), together():
        rows = _locked_list.rows(
            list_client_order_id=report.list_client_order_id, **account.venue.columns()
        )
        if report.venue_list_id and rows:
            ask_update(
                OrderList,
                where={"pk": rows[0].order_list_id, "venue_list_id": ""},
                values={"venue_list_id": report.venue_list_id},
            )
        known = {row.client_order_id: row for row in rows}
        for leg, instrument, priced in zip(ours, instruments, prices, strict=True):
            name = leg.client_order_id
            order = known.get(name) or _locked_order.first(
                client_order_id=name, **account.venue.columns()
            )
            if order is None:
                _note_unknown(leg, account, actor)
            else:
                found.append(_apply_to(order, leg, instrument, priced, actor, is_first=False))
    for _, written in found:
        written()
    return [applied for applied, _ in found]


def _fee_prices(
    report: ExecutionReport, venue: Venue, instrument: Instrument | None
) -> dict[str, Decimal | None]:
    """Price third assets that fees were paid in, before any transaction is open."""
    if instrument is None:
        return {}
    known = (instrument.base_asset, instrument.quote_asset)
    assets = {f.commission_asset for f in report.fills if f.commission}
    return {
        asset: market_view.price_of(venue, asset, instrument.quote_asset)
        for asset in assets.difference(known)
    }


def _set_levels(change: _Change, booking: _Booking) -> None:
    """Have an entry's default levels follow what it paid on average so far."""
    order = change.order
    paid = order.average_price
    if not booking.fresh or not order.is_entry or booking.instrument is None or paid is None:
        return
    at = order.entry_levels.at(paid, booking.instrument.price)
    change.set(stop_loss=at.stop, take_profit=at.target)


def _book(
    change: _Change, booking: _Booking, locked: list[Position], asked_before: Decimal | None
) -> Position:
    order = change.order
    position = locked[0] if locked else _new_position(order)
    was_worth_nothing = order.is_entry and _is_dust(position.quantity, booking)
    for fill, fee in zip(booking.fresh, booking.fees, strict=True):
        _take_in(position, Side(order.side), fill, fee)
    is_over = not position.quantity or _is_dust(position.quantity, booking)
    change.entries += closed_trades.follow(
        position, order, booking.fresh, is_over=is_over, now=booking.now, actor=change.actor
    )
    is_new = was_worth_nothing or not position.is_open
    _after_booking(position, order, booking, asked_before, is_new=is_new)
    for row in booking.rows:
        change.tell(
            "fill.booked",
            trade_id=row.venue_trade_id,
            price=format(row.price, "f"),
            quantity=format(row.quantity, "f"),
            commission=format(row.commission, "f"),
            commission_asset=row.commission_asset,
        )
        if row.commission_quote is None:
            change.tell("fill.fee_not_valued", asset=row.commission_asset)
    if position.excess_sold:
        change.tell("position.oversold", excess=format(position.excess_sold, "f"))
        metrics.ERRORS.labels("oversold").inc()
    return position


def _unseen(order: Order, fills: Iterable[VenueFill]) -> list[VenueFill]:
    told = {f.trade_id: f for f in fills}
    if told and order.booked_quantity:
        # The order row is locked, so nobody else books its trades meanwhile.
        booked = Fill.objects.filter(order=order, venue_trade_id__in=told)
        for trade_id in booked.values_list("venue_trade_id", flat=True):
            del told[trade_id]
    return list(told.values())


@Select
def _locked_position(account_id: int, symbol: str) -> QuerySet[Position]:
    rows = Position.objects.select_for_update(no_key=True).order_by()
    return rows.filter(account=account_id, symbol=symbol)


def _ask_position(order: Order) -> Answer[list[Position]]:
    return _locked_position.ask(account_id=order.account_id, symbol=order.symbol)


def _new_position(order: Order) -> Position:
    """Make the row, or wait for whoever makes it right now; a conflict must not end what we do."""
    row = Position(account_id=order.account_id, symbol=order.symbol, updated_at=timezone.now())
    Position.objects.bulk_create([row], ignore_conflicts=True)
    [position] = _ask_position(order)()
    return position


def _take_in(position: Position, side: Side, fill: VenueFill, fee: positions.Fee) -> None:
    state = positions.apply_fill(
        positions.PositionState(
            quantity=position.quantity,
            average_entry_price=position.average_entry_price,
            realised_pnl=position.realised_pnl,
            fees_quote=position.fees_quote,
            excess_sold=position.excess_sold,
            excess_price=position.excess_price,
        ),
        side,
        fill.price,
        fill.quantity,
        fee_in_base=fee.in_base,
        fee_in_quote_value=fee.in_quote_value,
    )
    position.quantity = state.quantity
    position.average_entry_price = state.average_entry_price
    position.realised_pnl = state.realised_pnl
    position.fees_quote = state.fees_quote
    position.excess_sold = state.excess_sold
    position.excess_price = state.excess_price


def _fill_row(order: Order, fill: VenueFill, fee: positions.Fee, now: datetime) -> Fill:
    value = fee.in_quote_value + fee.in_base * fill.price
    return Fill(
        order=order,
        venue_account_id=order.venue_account_id,
        symbol=order.symbol,
        venue_trade_id=fill.trade_id,
        side=order.side,
        price=fill.price,
        quantity=fill.quantity,
        quote_quantity=fill.quote_quantity,
        commission=fill.commission,
        commission_asset=fill.commission_asset,
        commission_quote=value if fee.is_valued else None,
        is_maker=fill.is_maker,
        traded_at=fill.traded_at,
        recorded_at=now,
    )


def _is_dust(quantity: Decimal, booking: _Booking) -> bool:
    """Say whether the venue would take no order for so little: what a fee left of a closed trade.

    An entry on top of it is a new position: levels of a trade that is over are not its own.
    """
    if booking.instrument is None:
        return False
    return positions.is_dust(quantity, booking.fresh[0].price, booking.instrument)


def _after_booking(
    position: Position,
    order: Order,
    booking: _Booking,
    asked_before: Decimal | None,
    *,
    is_new: bool,
) -> None:
    """Open or close the position and set the levels it must be protected at."""
    now = booking.now
    if position.quantity > 0:
        if is_new:
            position.is_open = True
            position.opened_at = now
            position.closed_at = None
            position.stop_price = position.target_price = None
        if order.is_entry:
            position.is_dust = False
            _set_bracket(position, order, booking, asked_before)
            # Until protection has been seen to cover it, it counts as naked.
            position.naked_since = position.naked_since or now
    elif position.is_open:
        position.is_open = position.is_dust = False
        position.closed_at = now
        position.naked_since = None
        position.guarded_quantity = position.shortfall = ZERO
        position.alarm = ""
    is_part = order.is_entry and not is_new
    look_at = now + (LOOK_AT_PART_AFTER if is_part else LOOK_AT_IT_AFTER)
    # Never put off: what was bare before this fill still is.
    position.next_look_at = min(position.next_look_at or look_at, look_at)
    position.updated_at = now
    position.mark_price, position.marked_at = booking.fresh[-1].price, now
    books = {name: getattr(position, name) for name in POSITION_BOOKS}
    ask_update(Position, where={"pk": position.pk}, values=books)


def _set_bracket(
    position: Position, order: Order, booking: _Booking, asked_before: Decimal | None
) -> None:
    held = levels.without_own(
        position.stop_price,
        was=asked_before,
        now=order.stop_loss,
        others=_OtherStops(position, order),
    )
    bracket = levels.after_entry(
        levels.Bracket(held, position.target_price),
        levels.Bracket(order.stop_loss, order.take_profit),
        paid=min(fill.price for fill in booking.fresh),
    )
    position.stop_price, position.target_price = bracket.stop, bracket.target


@dataclass(frozen=True, slots=True)
class _OtherStops:
    """Stops that other entries of the running trade asked for; read only when they count."""

    position: Position
    order: Order

    def __iter__(self) -> Iterator[Decimal]:
        rows = Order.objects.filter(
            account_id=self.order.account_id,
            symbol=self.order.symbol,
            role=Order.Role.ENTRY,
            stop_loss__isnull=False,
            fills__recorded_at__gte=self.position.opened_at,
        )
        entries = rows.exclude(pk=self.order.pk).order_by().values_list("pk", "stop_loss")
        return iter([stop for _, stop in entries.distinct() if stop is not None])


def _follow(change: _Change, report: ExecutionReport, now: datetime) -> None:
    """Move the order row to what the venue says."""
    order = change.order
    change.set(
        venue_order_id=report.venue_order_id or order.venue_order_id,
        executed_quantity=max(
            order.executed_quantity, report.executed_quantity or ZERO, order.booked_quantity
        ),
        executed_quote=max(order.executed_quote, report.executed_quote or ZERO, order.booked_quote),
        unknown_since=None,
        acknowledged_at=order.acknowledged_at or now,
    )
    change.set(fills_missing=order.executed_quantity > order.booked_quantity)
    before = OrderStatus(order.status)
    if report.status is None:
        if before is OrderStatus.SUBMITTING:
            change.set(next_check_at=now)  # accepted, state not told: ask
        return
    if not report.status.is_final and not order_states.is_final(before):
        change.set(next_check_at=now + (LOOK_AGAIN_AFTER if order.is_entry else LOOK_AT_STOP_AFTER))
    after = order_states.next_status(before, report.status, order.executed_quantity, order.quantity)
    if after is None:
        return
    change.set(status=after.value)
    if order_states.is_final(after):
        change.set(closed_at=order.closed_at or now, next_check_at=None)
        if _ended_short(order, after):
            change.set(follow_up_at=now + FOLLOW_UP_AFTER)
    else:
        change.set(closed_at=None)
    if report.reason:
        change.set(reason=report.reason[:300])


def _ended_short(order: Order, after: OrderStatus) -> bool:
    """Say whether a decided exit ended at the venue before it had sold all it was to sell.

    A cancel is somebody's decision. A limit that was to fill at once or never has done what its
    sender asked for.
    """
    if order.role != Order.Role.EXIT or order.decision_id is None:
        return False
    if after is OrderStatus.REJECTED:
        return True
    return after is OrderStatus.EXPIRED and order.type == OrderType.MARKET


def _tell_status(change: _Change, before: OrderStatus, now: datetime) -> None:
    order = change.order
    after = OrderStatus(order.status)
    metrics.TRADES.labels(after.lower(), order.type.lower()).inc()
    if after is OrderStatus.FILLED:
        metrics.LATENCY.labels("order_to_fill").observe((now - order.created_at).total_seconds())
    average = order.average_price
    change.tell(
        f"order.{after.lower()}",
        status=after.value,
        was=before.value,
        venue_order_id=order.venue_order_id,
        executed_quantity=format(order.executed_quantity, "f"),
        average_price=format(average, "f") if average is not None else None,
        reason=order.reason,
    )
    if order_states.is_late_arrival(before, after):
        metrics.ERRORS.labels("late_arrival").inc()
        change.tell("order.late_arrival", was=before.value, status=after.value)


def _hold_to_expected(change: _Change) -> None:
    """Note, once an order is over and all its fills are booked, how much worse they were."""
    order = change.order
    if order_states.is_final(OrderStatus(order.status)) and not order.fills_missing:
        change.set(
            slippage_bps=slippage.realised_bps(
                Side(order.side), order.expected_price, order.average_price
            )
        )


def _tell_slippage(change: _Change) -> None:
    order = change.order
    if order.slippage_bps is None:
        return
    metrics.SLIPPAGE.labels(order.role).observe(float(order.slippage_bps))
    if order.slipped and order.max_slippage_bps is not None:
        change.tell(
            "order.slipped",
            slippage_bps=format(order.slippage_bps, "f"),
            limit=format(order.max_slippage_bps, "f"),
            expected_price=format(order.expected_price or ZERO, "f"),
            average_price=format(order.average_price or ZERO, "f"),
        )


def _position_touched(change: _Change) -> int | None:
    """A leg or exit that ended without news of fills changes what protects the position.

    One that was sent just now and stands is no news: whoever sent it is at the position.
    """
    order = change.order
    if "status" not in change.before or order.is_entry:
        return None
    was_sent_now = (
        change.before["status"] == OrderStatus.SUBMITTING and "unknown_since" not in change.before
    )
    if was_sent_now and not order_states.is_final(OrderStatus(order.status)):
        return None
    held = Position.objects.filter(account_id=order.account_id, symbol=order.symbol)
    held.update(next_look_at=timezone.now() + LOOK_AT_IT_AFTER)
    return held.values_list("pk", flat=True).first()


def trades_report(order: Order, trades: Iterable[VenueFill]) -> ExecutionReport:
    """Wrap trades fetched for an order as news about it that says nothing of its status."""
    return ExecutionReport(
        symbol=order.symbol,
        client_order_id=order.client_order_id,
        venue_order_id=order.venue_order_id,
        status=None,
        reported_at=timezone.now(),
        fills=tuple(trades),
    )
