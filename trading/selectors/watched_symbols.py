"""Which symbols need fresh prices, by where we trade."""

from __future__ import annotations

from django.conf import settings

from exchanges.domain import venues
from exchanges.domain.venues import Venue
from exchanges.venues import configured
from trading.models import Order, Position
from trading.selectors import venues_in_use

PLACE = ("environment", "market", "exchange")


def symbols_by_venue() -> dict[Venue, set[str]]:
    """Return what to stream: TRADING_SYMBOLS and what is held or on order, at every venue in use;
    the configured one is always among them."""
    found = {configured.venue(): set(settings.TRADING_SYMBOLS)}
    for venue in venues_in_use.venues():
        found[venue] = set(settings.TRADING_SYMBOLS)
    held = Position.objects.filter(is_open=True).order_by()
    on_order = Order.objects.filter(status__in=venues_in_use.UNFINISHED).order_by()
    places = (
        *held.values_list(*(f"account__venue_account__{n}" for n in PLACE), "symbol").distinct(),
        *on_order.values_list(*(f"venue_account__{n}" for n in PLACE), "symbol").distinct(),
    )
    for *place, symbol in places:
        venue = venues.venue(*place)
        if venue in found:  # else the configuration forbids it: nothing can be sent there
            found[venue].add(symbol)
    return found
