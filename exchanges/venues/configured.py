"""The venue that the configuration names: where signals trade unless they say less."""

from __future__ import annotations

from django.conf import settings

from exchanges.domain import venues
from exchanges.domain.venues import Market, Venue


def venue(market: str = Market.SPOT) -> Venue:
    """Return the configured venue, or its neighbour in another market."""
    return venues.venue(settings.VENUE_ENVIRONMENT, market)
