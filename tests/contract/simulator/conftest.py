"""One simulator with a still price for the tests of a module; each test finds it clean."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from exchanges.venues.simulator.process import SimulatorProcess
from tests.fakes.venue_client import VenueClient


@pytest.fixture(scope="module")
def process() -> Iterator[SimulatorProcess]:
    with SimulatorProcess(prices="still", faults=True) as process:
        yield process


@pytest.fixture
def venue(process: SimulatorProcess) -> SimulatorProcess:
    """The running simulator: no faults, starting balances, no orders."""
    process.reset()
    return process


@pytest.fixture
def client(venue: SimulatorProcess) -> VenueClient:
    return VenueClient(venue)
