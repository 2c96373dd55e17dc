"""What was executed can stay unseen by every question, for seconds or until it is cleared."""

from __future__ import annotations

import time
from typing import Any

from exchanges.venues.simulator.process import SimulatorProcess
from tests.contract.simulator.test_order_lists import OCO
from tests.fakes.venue_client import VenueClient


def entry(client: VenueClient, venue: SimulatorProcess, **wish: Any) -> None:
    venue.fault("timeout", role="market_buy", **wish)
    fields = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}
    assert client.post("order", **fields, newClientOrderId="entry-1").code == -1007


def test_it_comes_late(venue: SimulatorProcess, client: VenueClient) -> None:
    entry(client, venue, hide_seconds=0.5)
    ask = {"symbol": "BTCUSDT", "origClientOrderId": "entry-1"}
    assert client.get("order", **ask).code == -2013
    assert client.get("myTrades", symbol="BTCUSDT").json == []
    time.sleep(0.6)
    assert client.order("entry-1")["status"] == "FILLED"


def test_it_stays_hidden_until_cleared(venue: SimulatorProcess, client: VenueClient) -> None:
    entry(client, venue, hide_seconds=None)
    ask = {"symbol": "BTCUSDT", "origClientOrderId": "entry-1"}
    assert client.get("order", **ask).code == -2013
    venue.control("faults", method="DELETE")
    assert client.get("order", **ask).status == 200


def test_legs_of_a_list_are_hidden_and_locked(venue: SimulatorProcess, client: VenueClient) -> None:
    client.buy("0.02")
    venue.fault("timeout", role="protection", hide_seconds=None)
    assert client.post("orderList/oco", **OCO).code == -1007
    assert client.get("order", symbol="BTCUSDT", origClientOrderId="stop-1").code == -2013
    assert client.get("orderList", origClientOrderId="list-1").code == -2013
    assert client.get("openOrders", symbol="BTCUSDT").json == []
    assert client.balance("BTC")[1] == "0.01000000"


def test_it_can_be_cancelled_unseen(venue: SimulatorProcess, client: VenueClient) -> None:
    venue.fault("timeout", role="limit_buy", hide_seconds=None)
    client.try_limit("BUY", "49000", newClientOrderId="unseen")
    gone = client.delete("order", symbol="BTCUSDT", origClientOrderId="unseen")
    assert gone.json["status"] == "CANCELED"
