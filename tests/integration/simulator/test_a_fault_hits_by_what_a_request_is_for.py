"""A fault can be meant for one side or role of a request, told by nothing but the request."""

from __future__ import annotations

from typing import Any
from urllib.error import HTTPError

import pytest

from exchanges.venues.simulator.process import SimulatorProcess
from tests.contract.simulator.test_order_lists import OCO, OTOCO
from tests.fakes.venue_client import Reply, VenueClient

STOP = {
    "symbol": "BTCUSDT",
    "side": "SELL",
    "type": "STOP_LOSS",
    "quantity": "0.01",
    "stopPrice": "48000",
}
REQUESTS: dict[str, tuple[str, dict[str, str]]] = {
    "lone stop": ("order", STOP),
    "pair": ("orderList/oco", OCO),
    "bracket": ("orderList/otoco", OTOCO),
    "sale": ("order", {"symbol": "BTCUSDT", "side": "SELL", "type": "MARKET", "quantity": "0.01"}),
    "buy": ("order", {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}),
}


def send(client: VenueClient, name: str) -> Reply:
    path, wish = REQUESTS[name]
    return client.post(path, **wish)


def hit_by(venue: SimulatorProcess, client: VenueClient, **wish: Any) -> set[str]:
    """Return which of the requests the fault meets, each on a clean venue."""
    met = set()
    for name in REQUESTS:
        venue.reset()
        client.buy("0.1")
        venue.fault("timeout", execute=False, **wish)
        if send(client, name).status == 504:
            met.add(name)
    return met


@pytest.mark.parametrize(
    ("role", "met"),
    [
        ("stop", {"lone stop", "pair"}),
        ("protection", {"lone stop", "pair"}),
        ("market_sell", {"sale"}),
        ("market_buy", {"buy"}),
        ("list", {"pair", "bracket"}),
        ("bracket", {"bracket"}),
        ("order", set(REQUESTS)),
        ("cancel", set()),
    ],
)
def test_a_role_is_met_alone(
    venue: SimulatorProcess, client: VenueClient, role: str, met: set[str]
) -> None:
    assert hit_by(venue, client, role=role) == met


def test_a_side_is_met_alone(venue: SimulatorProcess, client: VenueClient) -> None:
    assert hit_by(venue, client, side="BUY", method="POST") == {"bracket", "buy"}


def test_one_shot_by_dice_hits_once(venue: SimulatorProcess, client: VenueClient) -> None:
    venue.fault("reject", role="market_buy", share=0.5, count=1)
    codes = [send(client, "buy").status for _ in range(30)]
    assert codes.count(400) == 1


def test_an_unknown_role_is_refused(venue: SimulatorProcess) -> None:
    with pytest.raises(HTTPError):
        venue.fault("reject", role="hero")
