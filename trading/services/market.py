"""What the world looks like before a decision: asked of the venue outside any transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import structlog
from django.conf import settings
from django.utils import timezone

from exchanges import catalogue, quotes
from exchanges.domain.errors import VenueError
from exchanges.domain.instruments import Instrument
from exchanges.domain.orders import Quote
from exchanges.models import VenueAccount
from trading.services import balances

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class MarketView:
    """None means it could not be had, and an entry will be denied for it."""

    instrument: Instrument | None
    quote: Quote | None
    is_venue_known: bool = True  # False: the venue's list of symbols itself could not be had


def observe(venue_account: VenueAccount, symbol: str) -> MarketView:
    """Look at the instrument, its quote and (when ours are old) the balances of the account."""
    _freshen_balances(venue_account)
    environment = venue_account.environment
    try:
        instrument = catalogue.get(environment, symbol)
    except VenueError as error:
        log.warning("instruments_not_available", environment=environment, error=str(error))
        return MarketView(None, None, is_venue_known=False)
    if instrument is None:
        return MarketView(None, None)
    return MarketView(
        instrument,
        # Half the limit: a quote must still be fresh when the rules look at it.
        quotes.get(environment, symbol, max_age=settings.QUOTE_MAX_AGE_SECONDS / 2),
    )


def _freshen_balances(venue_account: VenueAccount) -> None:
    half = timedelta(seconds=float(settings.BALANCE_MAX_AGE_SECONDS)) / 2
    if venue_account.balances_at and timezone.now() - venue_account.balances_at < half:
        return
    try:
        balances.refresh(venue_account)
    except VenueError as error:
        log.warning("balances_not_available", account=str(venue_account), error=str(error))


def price_of(environment: str, asset: str, quote_asset: str) -> Decimal | None:
    """Return the price of one `asset` in quote units, None when nobody tells."""
    if asset == quote_asset:
        return Decimal(1)
    quote = quotes.get(environment, f"{asset}{quote_asset}", max_age=Decimal(60))
    return quote.mid if quote else None
