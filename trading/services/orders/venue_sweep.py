"""Comparing a venue with the books, to find orders and trades of ours that the books do not know.

What is found is noted (`sightings`) for `adoption`. It runs whenever the user stream has come
back, and every two minutes: 80 weight for all open orders and 20 for the trades of each symbol.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import takewhile

import structlog
from django.db.models import Min
from django.utils import timezone

from exchanges.domain import errors
from exchanges.domain.orders import ExecutionReport, VenueFill
from exchanges.models import VenueAccount
from exchanges.venues import registry
from exchanges.venues.base import ExchangeGateway
from foundation import locks, metrics
from trading.domain import client_ids
from trading.models import Fill, Order, TradeCursor, UnknownOrder
from trading.selectors import watched_symbols
from trading.services.orders import lifecycle, sightings

log = structlog.get_logger(__name__)
ACTOR = "venue sweep"
# Trades younger than this may still be on their way into our books by the usual road.
TRADES_SETTLE = timedelta(seconds=10)
# Orders placed by hand are looked up one by one, at 4 weight: many of them take several rounds.
MOST_LOOKUPS = 50


def run_all() -> set[int]:
    """Compare every venue account that trades; one that does not answer stops only itself."""
    touched: set[int] = set()
    with locks.at("comparing with venues") as got_it:
        if not got_it:
            return touched
        for venue_account in VenueAccount.objects.filter(virtual_accounts__enabled=True).distinct():
            try:
                touched |= run(venue_account)
            except errors.VenueError as error:
                metrics.ERRORS.labels("adoption").inc()
                log.error("venue_not_compared", account=str(venue_account), error=str(error))
    return touched


def run(venue_account: VenueAccount) -> set[int]:
    """Note every order of ours at the venue that the books do not know, open or executed.

    Returns positions to look at: trades of known orders that nobody had booked are booked here.
    Raises VenueError.
    """
    gateway = registry.for_account(venue_account)
    _note_unknown(venue_account, gateway.open_orders())
    touched: set[int] = set()
    for symbol in sorted(_symbols(venue_account)):
        touched |= compare_trades(venue_account, gateway, symbol)
    return touched


def _symbols(venue_account: VenueAccount) -> set[str]:
    """Return what we trade or ever traded there; the books may not know of a first trade."""
    rows = Order.objects.filter(venue_account=venue_account).order_by()
    noted = UnknownOrder.objects.filter(venue_account=venue_account).order_by()
    found = watched_symbols.symbols_by_venue().get(venue_account.venue, set())
    found = found | set(rows.values_list("symbol", flat=True).distinct())
    return found | set(noted.values_list("symbol", flat=True).distinct())


def _note_unknown(venue_account: VenueAccount, reports: Iterable[ExecutionReport]) -> None:
    ours = {r.client_order_id: r for r in reports if client_ids.is_ours(r.client_order_id)}
    for name in ours.keys() - sightings.known(ours):
        sightings.note(
            account=venue_account,
            symbol=ours[name].symbol,
            client_order_id=name,
            actor=ACTOR,
        )


def compare_trades(venue_account: VenueAccount, gateway: ExchangeGateway, symbol: str) -> set[int]:
    """Go through the trades since the last comparison; the cursor follows what is settled."""
    cursor = TradeCursor.objects.filter(venue_account=venue_account, symbol=symbol).first()
    start = str(cursor.trade_id + 1) if cursor else None
    began = _books_began(venue_account)
    trades = [t for t in gateway.trades(symbol, from_trade_id=start) if t.traded_at >= began]
    if not trades:
        return set()
    of_order: dict[str, list[VenueFill]] = {}
    for trade in trades:
        of_order.setdefault(trade.venue_order_id, []).append(trade)
    rows = Order.objects.filter(
        venue_account=venue_account, symbol=symbol, venue_order_id__in=list(of_order)
    )
    known = {order.venue_order_id: order for order in rows.select_related("venue_account")}
    unknown = [name for name in of_order if name not in known]
    for_later = set(unknown[MOST_LOOKUPS:])
    trades = list(takewhile(lambda t: t.venue_order_id not in for_later, trades))
    asked = [gateway.find_order(symbol, name) for name in unknown[:MOST_LOOKUPS]]
    _note_unknown(venue_account, asked)
    settled = [t for t in trades if t.traded_at <= timezone.now() - TRADES_SETTLE]
    touched = _book_missing(settled, known)
    if settled:
        TradeCursor.objects.update_or_create(
            venue_account=venue_account,
            symbol=symbol,
            defaults={
                "trade_id": max(int(t.trade_id) for t in settled),
                "compared_at": timezone.now(),
            },
        )
    return touched


def _books_began(venue_account: VenueAccount) -> datetime:
    """Trades before these books existed are another book's, even under ids like ours."""
    first = venue_account.virtual_accounts.aggregate(first=Min("created_at"))["first"]
    return first or timezone.now()


def _book_missing(trades: list[VenueFill], known: dict[str, Order]) -> set[int]:
    """Fetch trades of known orders that should have been booked by now and are not."""
    ids = [t.trade_id for t in trades if t.venue_order_id in known]
    booked = set(
        Fill.objects.filter(
            order__in=[o.pk for o in known.values()], venue_trade_id__in=ids
        ).values_list("venue_trade_id", flat=True)
    )
    missing = {
        t.venue_order_id for t in trades if t.venue_order_id in known and t.trade_id not in booked
    }
    applied = [lifecycle.fetch_trades(known[name], actor=ACTOR) for name in sorted(missing)]
    return {a.position_id for a in applied if a is not None and a.position_id is not None}
