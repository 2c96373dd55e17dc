"""What the world looks like before a decision: asked of the venue outside any transaction."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

import structlog
from django.conf import settings
from django.utils import timezone

from exchanges import catalogue, quotes
from exchanges.domain.books import Book
from exchanges.domain.errors import VenueError
from exchanges.domain.instruments import Instrument
from exchanges.domain.orders import Quote
from exchanges.domain.venues import Venue
from exchanges.models import VenueAccount
from exchanges.venues import registry
from exchanges.venues.shared import latency
from trading.services.money import balances

log = structlog.get_logger(__name__)
LATENCY_FRESH_FOR = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class MarketView:
    """None means it could not be had, and an entry will be denied for it."""

    instrument: Instrument | None
    quote: Quote | None
    is_venue_known: bool = True  # False: the venue's list of symbols itself could not be had
    book: Book | None = None  # looked at for entries only, as is the latency
    venue_latency_ms: Decimal | None = None


def observe(venue_account: VenueAccount, symbol: str, *, for_entry: bool = True) -> MarketView:
    """Look at the instrument, its prices and (when ours are old) the balances of the account.

    Prices are asked for anew at half their greatest age: they must still be fresh when the rules
    look at them. An exit is not made to wait for what only entries need.
    """
    _freshen_balances(venue_account)
    venue = venue_account.venue
    try:
        instrument = catalogue.get(venue, symbol)
    except VenueError as error:
        log.warning("instruments_not_available", venue=str(venue), error=str(error))
        return MarketView(None, None, is_venue_known=False)
    if instrument is None:
        return MarketView(None, None)
    if not for_entry:
        half = settings.QUOTE_MAX_AGE_SECONDS / 2
        return MarketView(instrument, quotes.get(venue, symbol, max_age=half))
    known = _latency(venue)
    seen = quotes.with_book(venue, symbol, max_age=Decimal(settings.MAX_LATENCY_MS) / 2000)
    return MarketView(
        instrument, seen.quote, book=seen.book, venue_latency_ms=known.ms if known else None
    )


def with_news(view: MarketView, venue: Venue, symbol: str) -> MarketView:
    """Return the view with prices this process saw since: a lock may have taken long to open."""
    max_age = Decimal(settings.MAX_LATENCY_MS) / 1000
    before = quotes.Prices(view.quote, view.book)
    seen = quotes.newest(venue, symbol, before, max_age=max_age)
    if seen.quote is view.quote and seen.book is view.book:
        return view
    return replace(view, quote=seen.quote, book=seen.book)


def _latency(venue: Venue) -> latency.Latency | None:
    """Return how long the venue lately took to answer; ask it something when that is long ago."""
    known = latency.lately(venue, within=LATENCY_FRESH_FOR)
    if known is not None:
        return known
    started = time.perf_counter()
    try:
        registry.for_venue(venue).ping()
    except VenueError as error:
        log.warning("venue_not_answering", venue=str(venue), error=str(error))
        return latency.lately(venue)
    if latency.lately(venue) is None:  # a stand-in does not measure
        latency.note(venue, (time.perf_counter() - started) * 1000)
    return latency.lately(venue)


def _freshen_balances(venue_account: VenueAccount) -> None:
    half = timedelta(seconds=float(settings.BALANCE_MAX_AGE_SECONDS)) / 2
    if venue_account.balances_at and timezone.now() - venue_account.balances_at < half:
        return
    try:
        balances.refresh(venue_account)
    except VenueError as error:
        log.warning("balances_not_available", account=str(venue_account), error=str(error))


def price_of(venue: Venue, asset: str, quote_asset: str) -> Decimal | None:
    """Return the price of one `asset` in quote units, None when nobody tells."""
    if asset == quote_asset:
        return Decimal(1)
    quote = quotes.get(venue, f"{asset}{quote_asset}", max_age=Decimal(60))
    return quote.mid if quote else None
