"""What every gateway says when something goes wrong on the way."""

from __future__ import annotations

import pytest

from exchanges.domain import errors
from exchanges.domain.orders import OrderListRequest, OrderType, Side, VenueStatus
from exchanges.venues.base import ExchangeGateway
from tests.contract.gateway.conftest import MakeOrder
from tests.contract.gateway.worlds import World


def test_a_lost_reply_leaves_the_outcome_unknown_and_a_query_tells_it(
    world: World, gateway: ExchangeGateway, make_order: MakeOrder
) -> None:
    order = make_order(Side.BUY, OrderType.MARKET)
    world.lose_reply_next(executed=True)

    with pytest.raises(errors.OutcomeUnknown):
        gateway.place_order(order)

    found = gateway.query_order("BTCUSDT", order.client_order_id)
    assert found.status is VenueStatus.FILLED
    assert found.executed_quantity == order.quantity


def test_a_lost_request_looks_the_same_and_is_not_found(
    world: World, gateway: ExchangeGateway, make_order: MakeOrder
) -> None:
    order = make_order(Side.BUY, OrderType.MARKET)
    world.lose_reply_next(executed=False)

    with pytest.raises(errors.OutcomeUnknown):
        gateway.place_order(order)

    with pytest.raises(errors.OrderNotFound):
        gateway.query_order("BTCUSDT", order.client_order_id)


def test_a_lost_reply_to_a_list_is_resolved_by_asking_for_it(
    world: World, gateway: ExchangeGateway, make_order: MakeOrder
) -> None:
    world.give_bitcoin("1")
    pair = OrderListRequest(
        "lost-list",
        "BTCUSDT",
        target=make_order(Side.SELL, OrderType.LIMIT_MAKER, price="52000"),
        stop=make_order(Side.SELL, OrderType.STOP, stop_price="48000"),
    )
    world.lose_reply_next(executed=True)

    with pytest.raises(errors.OutcomeUnknown):
        gateway.place_order_list(pair)

    assert len(gateway.query_order_list("lost-list").reports) == 2


def test_a_venue_that_says_wait_is_not_executing_and_says_how_long(
    world: World, gateway: ExchangeGateway, make_order: MakeOrder
) -> None:
    order = make_order(Side.BUY, OrderType.MARKET)
    world.refuse_next(retry_after=1)

    with pytest.raises(errors.RateLimited) as caught:
        gateway.place_order(order)

    assert 0 < caught.value.retry_after <= 1


def test_an_order_may_be_hidden_right_after_it_was_placed(
    world: World, gateway: ExchangeGateway, make_order: MakeOrder
) -> None:
    order = make_order(Side.BUY, OrderType.MARKET)
    gateway.place_order(order)
    world.hide_orders_once()

    with pytest.raises(errors.OrderNotFound):
        gateway.query_order("BTCUSDT", order.client_order_id)

    assert gateway.query_order("BTCUSDT", order.client_order_id).status is VenueStatus.FILLED
