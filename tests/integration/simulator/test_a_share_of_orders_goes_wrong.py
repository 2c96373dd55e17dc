"""A share of the orders is refused or filled in parts, by dice: no order knows beforehand."""

from __future__ import annotations

from decimal import Decimal
from urllib.error import HTTPError

import pytest

from exchanges.venues.simulator.process import SimulatorProcess
from tests.fakes.venue_client import Reply, VenueClient

ORDER = "/api/v3/order"


def buy(client: VenueClient, **fields: str) -> Reply:
    wish = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}
    return client.post("order", **wish | fields)


def test_about_that_share_is_refused(venue: SimulatorProcess, client: VenueClient) -> None:
    venue.fault("reject", method="POST", path=ORDER, share=0.3)
    codes = [buy(client).status for _ in range(100)]
    assert 15 <= codes.count(400) <= 45
    assert codes.count(200) == 100 - codes.count(400)


def test_it_goes_on_until_it_is_cleared(venue: SimulatorProcess, client: VenueClient) -> None:
    venue.fault("reject", method="POST", path=ORDER, share=1)
    assert [buy(client).status for _ in range(3)] == [400, 400, 400]
    venue.control("faults", method="DELETE")
    assert buy(client).status == 200


def test_a_refused_order_was_never_there(venue: SimulatorProcess, client: VenueClient) -> None:
    venue.fault("reject", method="POST", path=ORDER)
    refused = buy(client)
    assert refused.json["code"] == -2010
    assert venue.control("ledger")["orders"] == []


def test_a_market_order_fills_in_parts_and_the_rest_expires(
    venue: SimulatorProcess, client: VenueClient
) -> None:
    venue.fault("fill_in_parts", method="POST", path=ORDER, filled=0.6, parts=3)
    reply = buy(client)
    assert reply.json["status"] == "EXPIRED"
    assert Decimal(reply.json["executedQty"]) == Decimal("0.006")
    assert len(reply.json["fills"]) == 3


def test_the_rest_of_a_resting_order_is_filled_after_the_reply(
    venue: SimulatorProcess, client: VenueClient
) -> None:
    venue.fault("fill_in_parts", method="POST", path=ORDER, filled=0.6)
    limit = {"type": "LIMIT", "timeInForce": "GTC", "price": "50100"}
    reply = buy(client, newClientOrderId="rests", **limit)
    assert reply.json["status"] == "PARTIALLY_FILLED"
    later = client.get("order", symbol="BTCUSDT", origClientOrderId="rests")
    assert later.json["status"] == "FILLED"


def test_the_next_order_finds_the_depth_again(venue: SimulatorProcess, client: VenueClient) -> None:
    venue.fault("fill_in_parts", method="POST", path=ORDER, filled=0)
    assert buy(client).json["status"] == "EXPIRED"
    assert buy(client).json["status"] == "FILLED"


@pytest.mark.parametrize(
    ("kind", "wish"),
    [
        ("reject", {"share": 0}),
        ("reject", {"share": 2}),
        ("fill_in_parts", {"filled": 2}),
        ("fill_in_parts", {"parts": 0}),
        ("stream_drop", {"share": 0.5}),
    ],
)
def test_what_makes_no_sense_is_refused(
    venue: SimulatorProcess, kind: str, wish: dict[str, float]
) -> None:
    with pytest.raises(HTTPError):
        venue.fault(kind, **wish)
