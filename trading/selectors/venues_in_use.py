"""Which venues this installation uses: what is watched, tied out, refreshed and streamed.

An environment is in use while the configuration allows it and an enabled account trades there, or
something is still held or on order there: what is open is looked after, whoever was switched off.
"""

from __future__ import annotations

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from exchanges.domain.venues import Environment, Venue
from exchanges.models import VenueAccount
from trading.domain.order_states import OPEN_STATUSES, OrderStatus
from trading.models import Order, Position, VirtualAccount

# How much is at stake, from nothing to real money. A signal or an account may sit lower than the
# configured ceiling, never higher.
RANK = {
    Environment.SIMULATOR: 0,
    Environment.TESTNET: 1,
    Environment.DEMO: 1,
    Environment.MAINNET: 2,
}
UNFINISHED = (*sorted(OPEN_STATUSES), OrderStatus.NEW)


def ceiling_allows(environment: str) -> bool:
    """Say whether the configuration lets anything trade in `environment`."""
    if environment == Environment.MAINNET and not settings.MAINNET_TRADING_ENABLED:
        return False
    return RANK[Environment(environment)] <= RANK[Environment(settings.VENUE_ENVIRONMENT)]


def venue_accounts() -> QuerySet[VenueAccount]:
    """Return the venue accounts in use."""
    here = OuterRef("pk")
    trades = VirtualAccount.objects.filter(venue_account=here, enabled=True)
    holds = Position.objects.filter(account__venue_account=here, is_open=True)
    waits = Order.objects.filter(venue_account=here, status__in=UNFINISHED)
    return VenueAccount.objects.filter(
        Q(Exists(trades)) | Q(Exists(holds)) | Q(Exists(waits)),
        environment__in=[one for one in Environment if ceiling_allows(one)],
    ).order_by("pk")


def venues() -> list[Venue]:
    """Return the venues in use, in the order of their names."""
    return sorted({account.venue for account in venue_accounts()})
