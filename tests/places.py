"""Venues and venue accounts by the environment's name alone: spot at Binance."""

from __future__ import annotations

from exchanges.domain.venues import Venue, venue
from exchanges.models import VenueAccount

SIMULATOR, TESTNET, DEMO, MAINNET = map(venue, ("simulator", "testnet", "demo", "mainnet"))
USDM = venue("mainnet", "usdm")


def account_at(place: Venue = SIMULATOR) -> VenueAccount:
    """Return the first account at a venue, made when there is none."""
    return VenueAccount.objects.filter(**place.columns()).order_by("pk").first() or (
        VenueAccount.objects.create(**place.columns())
    )
