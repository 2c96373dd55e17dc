"""Faults the real server can show, and the word the gateway has for each."""

from __future__ import annotations

import pytest

from exchanges.domain import errors
from exchanges.domain.orders import OrderType, Side, VenueStatus
from exchanges.venues.binance.spot.gateway import BinanceSpotGateway
from exchanges.venues.simulator.process import SimulatorProcess
from tests.contract.gateway.conftest import MakeOrder
from tests.contract.gateway.worlds import SimulatorWorld
from tests.places import SIMULATOR


@pytest.fixture
def world(quiet_simulator: SimulatorProcess) -> SimulatorWorld:
    return SimulatorWorld(quiet_simulator)


@pytest.mark.parametrize(
    ("kind", "expected", "executed"),
    [
        ("timeout", errors.OutcomeUnknown, True),
        ("garbled", errors.OutcomeUnknown, True),
        ("unavailable", errors.OutcomeUnknown, False),
        ("error", errors.OutcomeUnknown, False),
        ("order_limit", errors.RateLimited, False),
        ("ban", errors.RateLimited, False),
    ],
)
def test_a_fault_is_named_by_what_is_proven(
    world: SimulatorWorld,
    make_order: MakeOrder,
    kind: str,
    expected: type[errors.VenueError],
    executed: bool,
) -> None:
    order = make_order(Side.BUY, OrderType.MARKET)
    world.process.fault(kind, method="POST", path="/api/v3/order", count=1)

    with pytest.raises(expected):
        world.gateway.place_order(order)

    placed = [row["placedAs"] for row in world.process.control("ledger")["orders"]]
    assert placed == ([order.client_order_id] if executed else [])


def test_a_slow_venue_leaves_the_outcome_unknown_and_the_order_is_found_later(
    world: SimulatorWorld, make_order: MakeOrder
) -> None:
    order = make_order(Side.BUY, OrderType.MARKET)
    hasty = BinanceSpotGateway(
        venue=SIMULATOR,
        rest_url=world.process.rest_url,
        api_key=world.process.api_key,
        api_secret=world.process.api_secret,
        timeout_seconds=0.3,
    )
    hasty.server_time()
    world.process.fault("delay", method="POST", delay_ms=800, count=1)

    with pytest.raises(errors.OutcomeUnknown):
        hasty.place_order(order)

    assert world.gateway.query_order("BTCUSDT", order.client_order_id).status is VenueStatus.FILLED


def test_a_clock_that_runs_away_is_set_and_the_next_try_goes_through_once(
    world: SimulatorWorld, make_order: MakeOrder
) -> None:
    world.gateway.server_time()
    world.process.control("clock", {"skew_ms": 60_000})
    order = make_order(Side.BUY, OrderType.MARKET)
    try:
        with pytest.raises(errors.ClockRefused):
            world.gateway.place_order(order)
        report = world.gateway.place_order(order)
    finally:
        world.process.control("clock", {"skew_ms": 0})

    assert report.status is VenueStatus.FILLED
    assert len(world.process.control("ledger")["orders"]) == 1


def test_a_wrong_secret_is_refused_for_good(world: SimulatorWorld, make_order: MakeOrder) -> None:
    stranger = BinanceSpotGateway(
        venue=SIMULATOR,
        rest_url=world.process.rest_url,
        api_key=world.process.api_key,
        api_secret="not-the-secret",
    )

    with pytest.raises(errors.CredentialsRefused) as caught:
        stranger.place_order(make_order(Side.BUY, OrderType.MARKET))

    assert caught.value.code == -1022


def test_a_wiped_testnet_forgets_orders(world: SimulatorWorld, make_order: MakeOrder) -> None:
    order = make_order(Side.BUY, OrderType.LIMIT, price="40000")
    world.gateway.place_order(order)

    world.process.control("wipe", {})

    with pytest.raises(errors.OrderNotFound):
        world.gateway.query_order("BTCUSDT", order.client_order_id)


def test_thin_books_fill_in_part_and_expire_with_their_fills(
    world: SimulatorWorld, make_order: MakeOrder
) -> None:
    world.process.control(
        "liquidity", {"symbol": "BTCUSDT", "side": "asks", "levels": 1, "factor": "0.001"}
    )
    try:
        report = world.gateway.place_order(make_order(Side.BUY, OrderType.MARKET, "1"))
    finally:
        world.process.control("liquidity", {"symbol": "BTCUSDT", "restore": True})

    assert report.status is VenueStatus.EXPIRED
    assert report.executed_quantity
    assert report.executed_quantity < 1
    assert sum(fill.quantity for fill in report.fills) == report.executed_quantity
    assert report.reason
