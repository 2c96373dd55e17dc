"""A venue with a past, and a way to it that never really sleeps."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from exchanges.venues.binance.market_history import MarketHistory
from exchanges.venues.shared.clock import Clock
from exchanges.venues.shared.rate_budget import Budget
from tests.fakes.history_venue import HistoryVenue


@pytest.fixture
def venue() -> Iterator[HistoryVenue]:
    with HistoryVenue() as running:
        yield running


@pytest.fixture
def open_history(venue: HistoryVenue) -> Callable[[str, str], MarketHistory]:
    """Return what opens the past of any market, at the venue of this test."""

    def build(environment: str, market: str) -> MarketHistory:
        clock = Clock()
        return MarketHistory(
            environment=environment,
            market=market,
            rest_url=venue.url,
            clock=clock,
            budget=Budget("test", clock.now_ms),
            funding_budget=Budget("test funding", clock.now_ms),
            sleep=lambda _: None,
        )

    return build


@pytest.fixture
def spot(open_history: Callable[[str, str], MarketHistory]) -> MarketHistory:
    return open_history("simulator", "spot")


@pytest.fixture
def usdm(open_history: Callable[[str, str], MarketHistory]) -> MarketHistory:
    return open_history("mainnet", "usdm")
