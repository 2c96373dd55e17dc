"""The one door for venue news: reply, user stream and reconciliation all come through here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from audit import metrics, trail
from exchanges import catalogue
from exchanges.domain.instruments import Instrument
from exchanges.domain.orders import ExecutionReport, OrderListReport, Side, VenueFill
from trading.domain import client_ids, order_states, positions
from trading.domain.order_states import OrderStatus
from trading.models import Fill, Order, OrderList, Position
from trading.services import market
from trading.services.placing import entry

log = structlog.get_logger(__name__)
ZERO = Decimal(0)
LOOK_AGAIN_AFTER = timedelta(seconds=float(settings.RECONCILE_INTERVAL_SECONDS))


@dataclass(frozen=True, slots=True)
class Applied:
    """What one piece of news changed. `position_id`: its protection must be looked at."""

    order_id: int
    status: str
    new_fills: int
    position_id: int | None
    fills_missing: bool  # the venue claims more than we have booked: ask it for the trades


@dataclass(slots=True)
class _Change:
    order: Order
    fields: set[str]
    entries: list[trail.Entry]
    actor: str

    def set(self, **values: object) -> None:
        for name, value in values.items():
            if getattr(self.order, name) != value:
                setattr(self.order, name, value)
                self.fields.add(name)

    def tell(self, kind: str, **data: object) -> None:
        self.entries.append(entry(self.order, kind, self.actor, data))


def apply(report: ExecutionReport, *, environment: str, actor: str) -> Applied | None:
    """Book one report from the venue of `environment`; told twice, late or out of order it changes
    nothing more.

    Returns None for orders that are not ours. Fills are booked first, status second: EXPIRED and
    CANCELED may carry fills.
    """
    if not client_ids.is_ours(report.client_order_id):
        log.info("foreign_order_ignored", client_order_id=report.client_order_id)
        return None
    instrument = catalogue.get(environment, report.symbol) if report.fills else None
    prices = _fee_prices(report, environment, instrument)
    with transaction.atomic():
        order = (
            Order.objects.select_for_update(of=("self",))
            .select_related("account", "venue_account")
            .filter(client_order_id=report.client_order_id, venue_account__environment=environment)
            .first()
        )
        if order is None:
            log.error("order_with_our_prefix_unknown", client_order_id=report.client_order_id)
            metrics.ERRORS.labels("unknown_order").inc()
            return None
        change = _Change(order, set(), [], actor)
        position = _book(change, report.fills, instrument, prices)
        _follow(change, report)
        if change.fields:
            order.save(update_fields=sorted(change.fields))
        trail.record(*change.entries)
    return Applied(
        order_id=order.pk,
        status=order.status,
        new_fills=sum(e.kind == "fill.booked" for e in change.entries),
        position_id=position.pk if position else _position_touched(change),
        fills_missing=order.fills_missing,
    )


def apply_list(report: OrderListReport, *, environment: str, actor: str) -> list[Applied]:
    """Book news about an order list and each of its legs."""
    if report.venue_list_id:
        OrderList.objects.filter(
            list_client_order_id=report.list_client_order_id, venue_list_id=""
        ).update(venue_list_id=report.venue_list_id)
    applied = [apply(leg, environment=environment, actor=actor) for leg in report.reports]
    return [a for a in applied if a is not None]


def _fee_prices(
    report: ExecutionReport, environment: str, instrument: Instrument | None
) -> dict[str, Decimal | None]:
    """Price third assets that fees were paid in, before any transaction is open."""
    if instrument is None:
        return {}
    known = (instrument.base_asset, instrument.quote_asset)
    assets = {f.commission_asset for f in report.fills if f.commission}
    return {
        asset: market.price_of(environment, asset, instrument.quote_asset)
        for asset in assets.difference(known)
    }


def _book(
    change: _Change,
    fills: Iterable[VenueFill],
    instrument: Instrument | None,
    prices: dict[str, Decimal | None],
) -> Position | None:
    order = change.order
    fresh = _unseen(order, fills)
    if not fresh:
        return None
    position = _lock_position(order)
    now = timezone.now()
    base = instrument.base_asset if instrument else ""
    quote = instrument.quote_asset if instrument else order.account.quote_asset
    rows = []
    for fill in fresh:
        fee = positions.value_fee(
            fill.commission,
            fill.commission_asset,
            base_asset=base,
            quote_asset=quote,
            asset_price=prices.get(fill.commission_asset),
        )
        _take_in(position, Side(order.side), fill, fee)
        rows.append(_fill_row(order, fill, fee, now))
    Fill.objects.bulk_create(rows)
    change.set(
        booked_quantity=order.booked_quantity + sum((f.quantity for f in fresh), ZERO),
        booked_quote=order.booked_quote + sum((f.quote_quantity for f in fresh), ZERO),
    )
    _after_booking(position, order, now)
    for row in rows:
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


def _lock_position(order: Order) -> Position:
    position, _ = Position.objects.select_for_update(of=("self",)).get_or_create(
        account_id=order.account_id,
        symbol=order.symbol,
        defaults={"updated_at": timezone.now()},
    )
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


def _after_booking(position: Position, order: Order, now: datetime) -> None:
    """Open or close the position and set the levels it must be protected at."""
    if position.quantity > 0:
        if not position.is_open:
            position.is_open = True
            position.opened_at = now
            position.closed_at = None
            position.stop_price = position.target_price = None
        if order.is_entry:
            position.is_dust = False
            position.stop_price = _tighter(position.stop_price, order.stop_loss)
            position.target_price = order.take_profit or position.target_price
            # Until protection has been seen to cover it, it counts as naked.
            position.naked_since = position.naked_since or now
    elif position.is_open:
        position.is_open = position.is_dust = False
        position.closed_at = now
        position.naked_since = None
        position.alarm = ""
    position.updated_at = now
    position.save()


def _tighter(old: Decimal | None, new: Decimal | None) -> Decimal | None:
    """Adding to a long position may raise its stop, never lower it."""
    if old is None or new is None:
        return old or new
    return max(old, new)


def _follow(change: _Change, report: ExecutionReport) -> None:
    order = change.order
    now = timezone.now()
    change.set(
        venue_order_id=report.venue_order_id or order.venue_order_id,
        executed_quantity=max(
            order.executed_quantity, report.executed_quantity or ZERO, order.booked_quantity
        ),
        executed_quote=max(order.executed_quote, report.executed_quote or ZERO, order.booked_quote),
        unknown_since=None,
    )
    change.set(fills_missing=order.executed_quantity > order.booked_quantity)
    if order.acknowledged_at is None:
        change.set(acknowledged_at=now)
    if report.status is None:
        if order.status == OrderStatus.SUBMITTING:
            change.set(next_check_at=now)  # accepted, state not told: ask
        return
    before = OrderStatus(order.status)
    if not report.status.is_final and not order_states.is_final(before):
        change.set(next_check_at=now + LOOK_AGAIN_AFTER)
    after = order_states.next_status(before, report.status, order.executed_quantity, order.quantity)
    if after is None:
        return
    change.set(status=after)
    if order_states.is_final(after):
        change.set(closed_at=order.closed_at or now, next_check_at=None)
    else:
        change.set(closed_at=None)
    if report.reason:
        change.set(reason=report.reason[:300])
    _tell_status(change, before, after, now)


def _tell_status(change: _Change, before: OrderStatus, after: OrderStatus, now: datetime) -> None:
    order = change.order
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


def _position_touched(change: _Change) -> int | None:
    """A leg or exit that ended without news of fills changes what protects the position."""
    order = change.order
    if "status" not in change.fields or order.is_entry:
        return None
    return (
        Position.objects.filter(account_id=order.account_id, symbol=order.symbol, is_open=True)
        .values_list("pk", flat=True)
        .first()
    )


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
