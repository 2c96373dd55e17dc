"""Forty percent of an order fill at once; the rest comes a second later, or never."""

from __future__ import annotations

import time

from exchanges.venues.simulator.process import SimulatorProcess
from tests.contract.simulator.test_order_lists import OTOCO
from tests.fakes.venue_client import Reply, VenueClient


def limit(client: VenueClient, name: str = "rests") -> Reply:
    return client.try_limit("BUY", "50100", "0.01", newClientOrderId=name)


def test_the_rest_comes_later(venue: SimulatorProcess, client: VenueClient) -> None:
    venue.fault("fill_in_parts", role="limit_buy", filled=0.4, rest="later", rest_ms=400)
    assert limit(client).json["executedQty"] == "0.00400000"
    assert client.order("rests")["status"] == "PARTIALLY_FILLED"
    time.sleep(0.8)
    assert client.order("rests")["status"] == "FILLED"


def test_others_trade_while_the_rest_waits(venue: SimulatorProcess, client: VenueClient) -> None:
    venue.fault("fill_in_parts", role="limit_buy", filled=0.4, rest="later", rest_ms=400)
    client.try_limit("BUY", "50010", "0.01", newClientOrderId="rests")
    assert client.sell("0.002")["status"] == "FILLED"
    assert client.buy("0.001")["status"] == "FILLED"
    assert client.order("rests")["status"] == "PARTIALLY_FILLED"


def test_the_rest_of_a_resting_order_expires(venue: SimulatorProcess, client: VenueClient) -> None:
    venue.fault("fill_in_parts", role="limit_buy", filled=0.4, rest="expires")
    limit(client)
    order = client.order("rests")
    assert (order["status"], order["executedQty"]) == ("EXPIRED", "0.00400000")


def test_a_bracket_whose_entry_expires_in_part_has_no_stop(
    venue: SimulatorProcess, client: VenueClient
) -> None:
    venue.fault("fill_in_parts", role="bracket", filled=0.5, rest="expires")
    assert client.post("orderList/otoco", **OTOCO | {"workingPrice": "50100"}).status == 200
    assert client.order("entry-1")["executedQty"] == "0.01000000"
    assert client.order("entry-1")["status"] == client.order("stop-1")["status"] == "EXPIRED"
