"""Which symbols need fresh prices, by where we trade."""

from __future__ import annotations

from django.conf import settings

from trading.models import Order, Position
from trading.selectors import venues_in_use


def symbols_by_environment() -> dict[str, set[str]]:
    """Return what to stream: TRADING_SYMBOLS and what is held or on order, in every environment
    in use; the configured one is always among them."""
    found = {settings.VENUE_ENVIRONMENT: set(settings.TRADING_SYMBOLS)}
    for environment in venues_in_use.environments():
        found[environment] = set(settings.TRADING_SYMBOLS)
    held = Position.objects.filter(is_open=True).order_by()
    on_order = Order.objects.filter(status__in=venues_in_use.UNFINISHED).order_by()
    places = (
        *held.values_list("account__venue_account__environment", "symbol").distinct(),
        *on_order.values_list("venue_account__environment", "symbol").distinct(),
    )
    for environment, symbol in places:
        if environment in found:  # else the configuration forbids it: nothing can be sent there
            found[environment].add(symbol)
    return found
