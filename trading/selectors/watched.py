"""Which symbols need fresh prices, by where we trade."""

from __future__ import annotations

from django.conf import settings

from exchanges.models import VenueAccount
from trading.domain.order_states import OPEN_STATUSES, OrderStatus
from trading.models import Order, Position

UNFINISHED = (*sorted(OPEN_STATUSES), OrderStatus.NEW)


def symbols_by_environment() -> dict[str, set[str]]:
    """Return what to stream: TRADING_SYMBOLS and what is held or on order, in every environment
    that trades; the configured one is always among them."""
    trading = VenueAccount.objects.filter(virtual_accounts__enabled=True)
    found = {settings.VENUE_ENVIRONMENT: set(settings.TRADING_SYMBOLS)}
    for environment in trading.values_list("environment", flat=True).distinct():
        found[environment] = set(settings.TRADING_SYMBOLS)
    held = Position.objects.filter(is_open=True).order_by()
    on_order = Order.objects.filter(status__in=UNFINISHED).order_by()
    places = (
        *held.values_list("account__venue_account__environment", "symbol").distinct(),
        *on_order.values_list("venue_account__environment", "symbol").distinct(),
    )
    for environment, symbol in places:
        found.setdefault(environment, set(settings.TRADING_SYMBOLS)).add(symbol)
    return found
