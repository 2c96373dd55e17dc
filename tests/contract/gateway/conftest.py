"""The contract's fixtures: every test runs once on each world."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import count
from typing import Any

import pytest

from exchanges.domain.orders import OrderRequest, OrderType, Side
from exchanges.venues.base import ExchangeGateway
from exchanges.venues.simulator.process import SimulatorProcess
from tests.contract.gateway.worlds import FakeWorld, SimulatorWorld, World

MakeOrder = Callable[..., OrderRequest]


@pytest.fixture(scope="package")
def quiet_simulator() -> Iterator[SimulatorProcess]:
    """A simulator whose prices move only when told to."""
    with SimulatorProcess(prices="still", faults=True) as process:
        yield process


@pytest.fixture(params=["fake", "simulator"])
def world(request: pytest.FixtureRequest) -> World:
    if request.param == "fake":
        return FakeWorld()
    return SimulatorWorld(request.getfixturevalue("quiet_simulator"))


@pytest.fixture
def gateway(world: World) -> ExchangeGateway:
    return world.gateway


@pytest.fixture
def make_order() -> MakeOrder:
    """Make a BTCUSDT order; every figure may be a string."""
    numbers = count(1)

    def make(side: Side, type_: OrderType, quantity: str | None = "0.01", **more) -> OrderRequest:
        figures: dict[str, Any] = {
            name: Decimal(more.pop(name))
            for name in ("price", "stop_price", "quote_quantity")
            if name in more
        }
        client_order_id = more.pop("client_order_id", f"order-{next(numbers)}")
        return OrderRequest(
            client_order_id,
            "BTCUSDT",
            side,
            type_,
            None if quantity is None else Decimal(quantity),
            **figures,
            **more,
        )

    return make
