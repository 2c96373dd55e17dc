"""Cancels, and orders that belong together."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from exchanges.domain import errors
from exchanges.domain.orders import (
    OrderListRequest,
    OrderRequest,
    OrderType,
    Side,
    TimeInForce,
    VenueStatus,
)
from exchanges.venues.binance.spot.gateway import BinanceSpotGateway
from tests.fakes.scripted_venue import FILLED_ORDER, ScriptedVenue

TARGET = OrderRequest(
    "target-1", "BTCUSDT", Side.SELL, OrderType.LIMIT_MAKER, Decimal("0.1"), price=Decimal(47000)
)
STOP = OrderRequest(
    "stop-1", "BTCUSDT", Side.SELL, OrderType.STOP, Decimal("0.1"), stop_price=Decimal(44000)
)
WORKING = OrderRequest(
    "entry-1", "BTCUSDT", Side.BUY, OrderType.LIMIT, Decimal("0.1"), price=Decimal(45000)
)
PAIR = OrderListRequest("list-1", "BTCUSDT", TARGET, STOP)


def leg_body(number: int, client_id: str, **changes: object) -> dict[str, object]:
    return {
        "symbol": "BTCUSDT",
        "orderId": number,
        "orderListId": 5,
        "clientOrderId": client_id,
        "transactTime": 1795262400123,
        "price": "0.00000000",
        "origQty": "0.10000000",
        "executedQty": "0.00000000",
        "cummulativeQuoteQty": "0.00000000",
        "status": "NEW",
        "timeInForce": "GTC",
        "type": "LIMIT_MAKER",
        "side": "SELL",
    } | changes


def list_body(**changes: object) -> dict[str, object]:
    return {
        "orderListId": 5,
        "contingencyType": "OCO",
        "listStatusType": "EXEC_STARTED",
        "listOrderStatus": "EXECUTING",
        "listClientOrderId": "list-1",
        "transactionTime": 1795262400123,
        "symbol": "BTCUSDT",
        "orders": [
            {"symbol": "BTCUSDT", "orderId": 11, "clientOrderId": "target-1"},
            {"symbol": "BTCUSDT", "orderId": 12, "clientOrderId": "stop-1"},
        ],
        "orderReports": [leg_body(11, "target-1"), leg_body(12, "stop-1", type="STOP_LOSS")],
    } | changes


def test_a_cancel_reports_under_the_id_the_order_was_placed_with(
    gateway: BinanceSpotGateway, venue: ScriptedVenue
) -> None:
    venue.answer_next(
        FILLED_ORDER | {"origClientOrderId": "entry-1", "clientOrderId": "x1", "status": "CANCELED"}
    )

    report = gateway.cancel_order("BTCUSDT", "entry-1")

    assert report.client_order_id == "entry-1"
    assert report.status is VenueStatus.CANCELED
    (sent,) = venue.calls("order")
    assert sent.method == "DELETE"
    assert sent.params["origClientOrderId"] == "entry-1"
    assert sent.is_signed_rightly


def test_canceling_a_closed_order_is_rejected_with_the_venues_code(
    gateway: BinanceSpotGateway, venue: ScriptedVenue
) -> None:
    venue.refuse_next(400, -2011, "Unknown order sent.")

    with pytest.raises(errors.Rejected) as caught:
        gateway.cancel_order("BTCUSDT", "entry-1")

    assert (caught.value.code, caught.value.text) == (-2011, "Unknown order sent.")


def test_a_canceled_leg_is_found_in_the_list_it_took_along(
    gateway: BinanceSpotGateway, venue: ScriptedVenue
) -> None:
    legs = [
        leg_body(11, "x9", origClientOrderId="target-1", status="CANCELED"),
        leg_body(12, "x9", origClientOrderId="stop-1", status="CANCELED"),
    ]
    venue.answer_next(list_body(listOrderStatus="ALL_DONE", orderReports=legs))

    assert gateway.cancel_order("BTCUSDT", "stop-1").venue_order_id == "12"


def test_selling_the_target_lies_above_and_the_stop_below(
    gateway: BinanceSpotGateway, venue: ScriptedVenue
) -> None:
    venue.answer_next(list_body())

    report = gateway.place_order_list(PAIR)

    (sent,) = venue.calls("orderList/oco")
    wanted = {
        "symbol": "BTCUSDT",
        "side": "SELL",
        "quantity": "0.1",
        "listClientOrderId": "list-1",
        "aboveType": "LIMIT_MAKER",
        "aboveClientOrderId": "target-1",
        "abovePrice": "47000",
        "belowType": "STOP_LOSS",
        "belowClientOrderId": "stop-1",
        "belowStopPrice": "44000",
        "newOrderRespType": "RESULT",
    }
    assert wanted.items() <= sent.params.items()
    assert sent.params.keys() - wanted.keys() == {"recvWindow", "timestamp", "signature"}
    assert sent.is_signed_rightly
    assert [leg.client_order_id for leg in report.reports] == ["target-1", "stop-1"]
    assert report.reports[0].venue_list_id == "5"
    assert not report.is_done


def test_buying_the_stop_lies_above_and_the_target_below(
    gateway: BinanceSpotGateway, venue: ScriptedVenue
) -> None:
    venue.answer_next(list_body())
    target = replace(TARGET, side=Side.BUY, price=Decimal(43000), type=OrderType.LIMIT)
    stop = replace(
        STOP,
        side=Side.BUY,
        type=OrderType.STOP_LIMIT,
        stop_price=Decimal(46000),
        price=Decimal(46100),
        time_in_force=TimeInForce.GTC,
    )

    gateway.place_order_list(OrderListRequest("list-1", "BTCUSDT", target, stop))

    sent = venue.calls("orderList/oco")[0].params
    assert sent["aboveType"] == "STOP_LOSS_LIMIT"
    assert (sent["abovePrice"], sent["aboveStopPrice"]) == ("46100", "46000")
    assert sent["aboveTimeInForce"] == "GTC"
    assert (sent["belowType"], sent["belowPrice"]) == ("LIMIT_MAKER", "43000")
    assert "belowTimeInForce" not in sent


def test_a_working_order_carries_its_pair_along(
    gateway: BinanceSpotGateway, venue: ScriptedVenue
) -> None:
    venue.answer_next(list_body(contingencyType="OTO"))

    gateway.place_order_list(replace(PAIR, working=WORKING))

    (sent,) = venue.calls("orderList/otoco")
    wanted = {
        "workingType": "LIMIT",
        "workingSide": "BUY",
        "workingClientOrderId": "entry-1",
        "workingPrice": "45000",
        "workingQuantity": "0.1",
        "workingTimeInForce": "GTC",
        "pendingSide": "SELL",
        "pendingQuantity": "0.1",
        "pendingAboveType": "LIMIT_MAKER",
        "pendingAbovePrice": "47000",
        "pendingAboveClientOrderId": "target-1",
        "pendingBelowType": "STOP_LOSS",
        "pendingBelowStopPrice": "44000",
        "pendingBelowClientOrderId": "stop-1",
    }
    assert wanted.items() <= sent.params.items()
    assert "side" not in sent.params
    assert sent.is_signed_rightly


def test_a_pair_of_unequal_quantities_is_refused_before_anything_is_sent(
    gateway: BinanceSpotGateway, venue: ScriptedVenue
) -> None:
    with pytest.raises(errors.Rejected, match="same side and quantity"):
        gateway.place_order_list(replace(PAIR, stop=replace(STOP, quantity=Decimal("0.2"))))

    assert not venue.trades_seen


def test_a_stop_without_its_trigger_is_refused_before_anything_is_sent(
    gateway: BinanceSpotGateway, venue: ScriptedVenue
) -> None:
    with pytest.raises(errors.Rejected, match="stop_price"):
        gateway.place_order_list(replace(PAIR, stop=replace(STOP, stop_price=None)))

    assert not venue.trades_seen


def test_a_canceled_list_tells_its_legs_under_their_first_ids(
    gateway: BinanceSpotGateway, venue: ScriptedVenue
) -> None:
    legs = [
        leg_body(11, "x9", origClientOrderId="target-1", status="CANCELED"),
        leg_body(12, "x9", origClientOrderId="stop-1", status="CANCELED"),
    ]
    venue.answer_next(
        list_body(listStatusType="ALL_DONE", listOrderStatus="ALL_DONE", orderReports=legs)
    )

    report = gateway.cancel_order_list("BTCUSDT", "list-1")

    assert report.is_done
    assert [leg.client_order_id for leg in report.reports] == ["target-1", "stop-1"]
    assert venue.calls("orderList")[0].params["listClientOrderId"] == "list-1"


def test_a_queried_list_brings_the_state_of_each_leg(
    gateway: BinanceSpotGateway, venue: ScriptedVenue
) -> None:
    body = list_body()
    del body["orderReports"]
    venue.answer_next(body)
    venue.answer_next(leg_body(11, "target-1", status="FILLED", executedQty="0.10000000"))
    venue.answer_next(leg_body(12, "x4", status="EXPIRED", expiryReason="OCO_TRIGGER"))

    report = gateway.query_order_list("list-1")

    assert [leg.status for leg in report.reports] == [VenueStatus.FILLED, VenueStatus.EXPIRED]
    assert report.reports[1].client_order_id == "stop-1"
    assert report.reports[1].reason == "OCO_TRIGGER"
    assert [c.params["orderId"] for c in venue.calls("order")] == ["11", "12"]


def test_an_unknown_list_is_not_found(gateway: BinanceSpotGateway, venue: ScriptedVenue) -> None:
    venue.refuse_next(400, -2018, "Order list does not exist.")

    with pytest.raises(errors.OrderNotFound):
        gateway.query_order_list("list-1")


def test_an_open_pending_leg_is_pending(gateway: BinanceSpotGateway, venue: ScriptedVenue) -> None:
    venue.answer_next([leg_body(11, "target-1", status="PENDING_NEW")])

    (leg,) = gateway.open_orders("BTCUSDT")

    assert leg.status is VenueStatus.PENDING
