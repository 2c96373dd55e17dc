"""An order is found though nobody knows what it was called: by the id the venue gave it."""

from __future__ import annotations

import pytest

from exchanges.domain import errors
from exchanges.domain.orders import OrderListRequest, OrderType, Side, VenueStatus
from exchanges.venues.base import ExchangeGateway
from tests.contract.gateway.conftest import MakeOrder
from tests.contract.gateway.worlds import World


def test_an_order_tells_what_it_was_placed_under(
    gateway: ExchangeGateway, make_order: MakeOrder
) -> None:
    placed = gateway.place_order(
        make_order(Side.BUY, OrderType.MARKET, client_order_id="ptr-e-found")
    )
    found = gateway.find_order("BTCUSDT", placed.venue_order_id)

    assert (found.client_order_id, found.status) == ("ptr-e-found", VenueStatus.FILLED)
    assert (found.side, found.quantity) == (Side.BUY, placed.quantity)


def test_an_unknown_id_is_not_found(gateway: ExchangeGateway) -> None:
    with pytest.raises(errors.OrderNotFound):
        gateway.find_order("BTCUSDT", "999999999")


def test_a_list_tells_its_legs_by_their_own_ids(
    world: World, gateway: ExchangeGateway, make_order: MakeOrder
) -> None:
    world.give_bitcoin("0.01")
    target = make_order(
        Side.SELL, OrderType.LIMIT_MAKER, price="52000", client_order_id="ptr-t-found"
    )
    stop = make_order(Side.SELL, OrderType.STOP, stop_price="48000", client_order_id="ptr-s-found")
    placed = gateway.place_order_list(OrderListRequest("ptr-l-found", "BTCUSDT", target, stop))

    leg = gateway.query_order("BTCUSDT", "ptr-s-found")
    assert leg.venue_list_id == placed.venue_list_id
    found = gateway.find_order_list(placed.venue_list_id)
    assert found.list_client_order_id == "ptr-l-found"
    assert {r.client_order_id for r in found.reports} == {"ptr-t-found", "ptr-s-found"}
    gateway.cancel_order_list("BTCUSDT", "ptr-l-found")
