"""A scripted venue, and gateways pointed at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from exchanges.domain.orders import OrderRequest, OrderType, Side
from exchanges.venues.binance.spot.gateway import BinanceSpotGateway
from tests.fakes.scripted_venue import API_KEY, API_SECRET, ScriptedVenue
from tests.places import TESTNET

MakeGateway = Callable[..., BinanceSpotGateway]


@pytest.fixture
def venue() -> Iterator[ScriptedVenue]:
    with ScriptedVenue() as venue:
        yield venue


@pytest.fixture
def naps() -> list[float]:
    """How long the gateway slept between retries."""
    return []


@pytest.fixture
def make_gateway(venue: ScriptedVenue, naps: list[float]) -> MakeGateway:
    def make(**changes: Any) -> BinanceSpotGateway:
        settings: dict[str, Any] = {
            "venue": TESTNET,
            "rest_url": venue.url,
            "api_key": API_KEY,
            "api_secret": API_SECRET,
            "timeout_seconds": 1.0,
            "sleep": naps.append,
        }
        return BinanceSpotGateway(**settings | changes)

    return make


@pytest.fixture
def gateway(make_gateway: MakeGateway) -> BinanceSpotGateway:
    return make_gateway()


@pytest.fixture
def market_buy() -> OrderRequest:
    return OrderRequest(
        client_order_id="entry-1",
        symbol="BTCUSDT",
        side=Side.BUY,
        type=OrderType.MARKET,
        quantity=Decimal("0.10"),
    )
