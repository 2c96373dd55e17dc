"""Comparing a venue account with our books: trades, orders at rest, holdings, and our own sums."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal

from exchanges import catalogue
from exchanges.domain.orders import Side, VenueFill
from exchanges.models import VenueAccount
from exchanges.venues import registry
from exchanges.venues.base import ExchangeGateway
from trading.domain import client_ids, tie_out
from trading.domain.order_states import OrderStatus
from trading.domain.positions import PositionState
from trading.domain.tie_out import BookedFill, Difference, TakenOff
from trading.models import Fill, Order, Position, PositionAdjustment, VirtualAccount
from trading.services.money import ledger

RESTING = (OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED, OrderStatus.PENDING)


@dataclass(slots=True)
class TieOut:
    """What was compared and what does not agree."""

    venue_account: str
    differences: list[Difference] = field(default_factory=list)
    symbols: int = 0
    trades: int = 0
    trades_not_ours: int = 0
    coins_not_ours: dict[str, Decimal] = field(default_factory=dict)
    money_of_no_account: dict[str, Decimal] = field(default_factory=dict)

    @property
    def agrees(self) -> bool:
        return not self.differences


def run(venue_account: VenueAccount) -> TieOut:
    """Compare one venue account with the books of all virtual accounts on it.

    Reads only, on both sides. An order under way may look like a difference: compare again. Any
    VenueError escapes: half a comparison says nothing.
    """
    gateway = registry.for_account(venue_account)
    told = TieOut(str(venue_account))
    orders = Order.objects.filter(venue_account=venue_account).order_by()
    for symbol in sorted(set(orders.values_list("symbol", flat=True))):
        told.symbols += 1
        _compare_trades(told, venue_account, gateway, symbol)
        _compare_orders(told, venue_account, gateway, symbol)
    _compare_books(told, venue_account)
    _compare_holdings(told, venue_account, gateway)
    _compare_money(told, venue_account, gateway)
    return told


def _compare_trades(
    told: TieOut, venue_account: VenueAccount, gateway: ExchangeGateway, symbol: str
) -> None:
    booked = [booked_fill(fill) for fill in _fills(venue_account, symbol)]
    orders = Order.objects.filter(venue_account=venue_account, symbol=symbol).exclude(
        venue_order_id=""
    )
    ours = frozenset(orders.order_by().values_list("venue_order_id", flat=True))
    first = min((int(fill.trade_id) for fill in booked), default=0)
    at_venue = {trade.trade_id: trade for trade in _all_trades(gateway, symbol, first)}
    for order in _not_wholly_booked(venue_account, symbol):
        of_order = gateway.trades(symbol, venue_order_id=order.venue_order_id)
        at_venue |= {t.trade_id: replace(t, venue_order_id=order.venue_order_id) for t in of_order}
    found, foreign = tie_out.trades(symbol, booked, at_venue.values(), ours)
    told.differences += found
    told.trades += len(booked)
    told.trades_not_ours += foreign


def _not_wholly_booked(venue_account: VenueAccount, symbol: str) -> list[Order]:
    """Orders that took more than their fills say: their trades may lie before the first booked."""
    rows = Order.objects.filter(venue_account=venue_account, symbol=symbol, executed_quantity__gt=0)
    rows = rows.exclude(venue_order_id="").order_by("pk").prefetch_related("fills")
    return [
        order
        for order in rows
        if sum((fill.quantity for fill in order.fills.all()), Decimal(0)) < order.executed_quantity
    ]


def _all_trades(gateway: ExchangeGateway, symbol: str, first: int) -> Iterator[VenueFill]:
    """Read on until the venue has no more: the gateway itself stops after some pages."""
    while page := gateway.trades(symbol, from_trade_id=str(first)):
        yield from page
        first = int(page[-1].trade_id) + 1


def _compare_orders(
    told: TieOut, venue_account: VenueAccount, gateway: ExchangeGateway, symbol: str
) -> None:
    rows = Order.objects.filter(venue_account=venue_account, symbol=symbol, status__in=RESTING)
    ours = dict(rows.order_by().values_list("client_order_id", "status"))
    at_venue = {
        report.client_order_id: str(report.status)
        for report in gateway.open_orders(symbol)
        if client_ids.is_ours(report.client_order_id)
    }
    told.differences += tie_out.open_orders(ours, at_venue)


def _compare_books(told: TieOut, venue_account: VenueAccount) -> None:
    """Compute every position again from its fills and the shortfalls settled on it."""
    rows = Position.objects.filter(account__venue_account=venue_account)
    for position in rows.select_related("account").order_by("pk"):
        state = PositionState(
            quantity=position.quantity,
            average_entry_price=position.average_entry_price,
            realised_pnl=position.realised_pnl,
            fees_quote=position.fees_quote,
            excess_sold=position.excess_sold,
            excess_price=position.excess_price,
        )
        name = f"position {position.account.name} {position.symbol}"
        told.differences += tie_out.books(name, state, _entries(position))


def _entries(position: Position) -> Iterator[BookedFill | TakenOff]:
    """Yield a position's fills and adjustments in the order they were booked."""
    taken_off: dict[int, list[TakenOff]] = {}
    for one in PositionAdjustment.objects.filter(position=position).order_by("pk"):
        taken_off.setdefault(one.after_fill_id, []).append(TakenOff(one.quantity))
    fills = Fill.objects.filter(order__account=position.account_id, symbol=position.symbol)
    for fill in fills.order_by("pk").iterator():
        yield booked_fill(fill)
        yield from taken_off.get(fill.pk, ())


def _compare_holdings(told: TieOut, venue_account: VenueAccount, gateway: ExchangeGateway) -> None:
    held: dict[str, Decimal] = {}
    for position in Position.objects.filter(account__venue_account=venue_account, quantity__gt=0):
        asset = _base_of(venue_account, position.symbol)
        held[asset] = held.get(asset, Decimal(0)) + position.quantity
    at_venue = {b.asset: b.free + b.locked for b in gateway.account().balances}
    found, more = tie_out.holdings(held, at_venue)
    told.differences += found
    told.coins_not_ours = more


def _compare_money(told: TieOut, venue_account: VenueAccount, gateway: ExchangeGateway) -> None:
    """Compare what accounts with a ledger of their own have in money, together, with the wallet."""
    rows = VirtualAccount.objects.filter(venue_account=venue_account, capital__isnull=False)
    ours = {
        asset: sum(ledger.cash_by_account(venue_account, asset).values(), Decimal(0))
        for asset in set(rows.values_list("quote_asset", flat=True))
    }
    at_venue = {b.asset: b.free + b.locked for b in gateway.account().balances}
    found, more = tie_out.holdings(ours, at_venue)
    told.differences += [
        replace(one, what="the venue has less than our accounts call their own") for one in found
    ]
    told.money_of_no_account = more


def _base_of(venue_account: VenueAccount, symbol: str) -> str:
    instrument = catalogue.get(venue_account.venue, symbol)
    if instrument is None:
        raise LookupError(f"{venue_account.venue} does not list {symbol}, which we hold")
    return instrument.base_asset


def _fills(venue_account: VenueAccount, symbol: str) -> Iterator[Fill]:
    rows = Fill.objects.filter(venue_account=venue_account, symbol=symbol)
    return rows.order_by("pk").iterator()


def booked_fill(fill: Fill) -> BookedFill:
    """Say a ledger row in the words of the comparison.

    A fee in base has no value of its own in the books: it is what did not arrive.
    """
    base, _ = _assets(fill)
    in_base = fill.commission if fill.commission_asset == base else Decimal(0)
    value = Decimal(0) if in_base else (fill.commission_quote or Decimal(0))
    return BookedFill(
        trade_id=fill.venue_trade_id,
        side=Side(fill.side),
        price=fill.price,
        quantity=fill.quantity,
        commission=fill.commission,
        commission_asset=fill.commission_asset,
        fee_in_base=in_base,
        fee_in_quote_value=value,
    )


def _assets(fill: Fill) -> tuple[str, str]:
    instrument = catalogue.get(fill.venue_account.venue, fill.symbol)
    if instrument is None:
        raise LookupError(f"{fill.venue_account.venue} does not list {fill.symbol}")
    return instrument.base_asset, instrument.quote_asset
