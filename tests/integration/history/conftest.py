"""A venue with a past, and a way to it that never really sleeps."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from exchanges.domain.venues import Venue
from exchanges.venues.binance.market_history import MarketHistory
from exchanges.venues.shared.clock import Clock
from exchanges.venues.shared.rate_budget import Budget
from tests.fakes.history_venue import HistoryVenue
from tests.places import SIMULATOR, USDM


@pytest.fixture
def venue() -> Iterator[HistoryVenue]:
    with HistoryVenue() as running:
        yield running


@pytest.fixture
def open_history(venue: HistoryVenue) -> Callable[[Venue], MarketHistory]:
    """Return what opens the past of any market, at the venue of this test."""

    def build(place: Venue) -> MarketHistory:
        clock = Clock()
        return MarketHistory(
            venue=place,
            rest_url=venue.url,
            clock=clock,
            budget=Budget("test", clock.now_ms),
            funding_budget=Budget("test funding", clock.now_ms),
            sleep=lambda _: None,
        )

    return build


@pytest.fixture
def spot(open_history: Callable[[Venue], MarketHistory]) -> MarketHistory:
    return open_history(SIMULATOR)


@pytest.fixture
def usdm(open_history: Callable[[Venue], MarketHistory]) -> MarketHistory:
    return open_history(USDM)
