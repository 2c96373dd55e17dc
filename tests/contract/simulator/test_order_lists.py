"""Order lists: OCO, OTO and OTOCO as the venue runs them."""

from __future__ import annotations

from typing import Any

from exchanges.venues.simulator.process import SimulatorProcess
from tests.fakes.venue_client import VenueClient

OCO = {
    "symbol": "BTCUSDT",
    "side": "SELL",
    "quantity": "0.01",
    "aboveType": "LIMIT_MAKER",
    "abovePrice": "52000",
    "aboveClientOrderId": "target-1",
    "belowType": "STOP_LOSS_LIMIT",
    "belowPrice": "47900",
    "belowStopPrice": "48000",
    "belowTimeInForce": "GTC",
    "belowClientOrderId": "stop-1",
    "listClientOrderId": "list-1",
}
OTOCO = {
    "symbol": "BTCUSDT",
    "workingType": "LIMIT",
    "workingSide": "BUY",
    "workingPrice": "49000",
    "workingQuantity": "0.02",
    "workingTimeInForce": "GTC",
    "workingClientOrderId": "entry-1",
    "pendingSide": "SELL",
    "pendingQuantity": "0.01",
    "pendingAboveType": "LIMIT_MAKER",
    "pendingAbovePrice": "52000",
    "pendingAboveClientOrderId": "target-1",
    "pendingBelowType": "STOP_LOSS",
    "pendingBelowStopPrice": "47000",
    "pendingBelowClientOrderId": "stop-1",
    "listClientOrderId": "list-1",
}


def place(client: VenueClient, kind: str, wish: dict[str, str], **more: Any) -> Any:
    reply = client.post(f"orderList/{kind}", **{**wish, **more})
    assert reply.status == 200, reply.text
    return reply.json


def test_an_oco_is_reported_with_both_legs(client: VenueClient) -> None:
    client.buy("0.02")
    reply = place(client, "oco", OCO)
    assert (reply["contingencyType"], reply["listOrderStatus"]) == ("OCO", "EXECUTING")
    assert reply["listStatusType"] == "EXEC_STARTED"
    assert [row["clientOrderId"] for row in reply["orders"]] == ["target-1", "stop-1"]
    assert [row["status"] for row in reply["orderReports"]] == ["NEW", "NEW"]
    assert reply["orderReports"][1]["stopPrice"] == "48000.00000000"


def test_an_oco_locks_the_quantity_once(client: VenueClient) -> None:
    client.buy("0.02")
    place(client, "oco", OCO)
    assert client.balance("BTC")[1] == "0.01000000"


def test_the_stop_of_an_oco_ends_the_target(venue: SimulatorProcess, client: VenueClient) -> None:
    client.buy("0.02")
    place(client, "oco", OCO)
    venue.control("price", {"symbol": "BTCUSDT", "price": "47950"})
    assert client.order("stop-1")["status"] == "FILLED"
    assert client.order("target-1")["status"] == "EXPIRED"
    done = client.get("orderList", origClientOrderId="list-1").json
    assert (done["listStatusType"], done["listOrderStatus"]) == ("ALL_DONE", "ALL_DONE")


def test_the_target_of_an_oco_ends_the_stop(venue: SimulatorProcess, client: VenueClient) -> None:
    client.buy("0.02")
    place(client, "oco", OCO)
    venue.control("price", {"symbol": "BTCUSDT", "price": "52100"})
    assert client.order("target-1")["status"] == "FILLED"
    assert client.order("stop-1")["status"] == "EXPIRED"


def test_an_oco_with_prices_the_wrong_way_round_is_refused(client: VenueClient) -> None:
    client.buy("0.02")
    reply = client.post("orderList/oco", **{**OCO, "abovePrice": "49000"})
    assert (reply.status, reply.code) == (400, -2010)


def test_cancelling_one_leg_cancels_the_list(client: VenueClient) -> None:
    client.buy("0.02")
    place(client, "oco", OCO)
    reply = client.delete("order", symbol="BTCUSDT", origClientOrderId="target-1").json
    assert reply["listOrderStatus"] == "ALL_DONE"
    assert [row["status"] for row in reply["orderReports"]] == ["CANCELED", "CANCELED"]
    assert client.get("openOrderList").json == []


def test_a_list_is_cancelled_by_its_name(client: VenueClient) -> None:
    client.buy("0.02")
    place(client, "oco", OCO)
    reply = client.delete("orderList", symbol="BTCUSDT", listClientOrderId="list-1")
    assert reply.json["listOrderStatus"] == "ALL_DONE"
    assert client.balance("BTC")[1] == "0.00000000"


def test_pending_legs_wait_for_the_working_order(
    venue: SimulatorProcess, client: VenueClient
) -> None:
    reply = place(client, "otoco", OTOCO)
    assert reply["contingencyType"] == "OTO"
    states = [row["status"] for row in reply["orderReports"]]
    assert states == ["NEW", "PENDING_NEW", "PENDING_NEW"]
    venue.control("price", {"symbol": "BTCUSDT", "price": "48900"})
    assert client.order("entry-1")["status"] == "FILLED"
    assert client.order("target-1")["status"] == "NEW"
    assert client.order("stop-1")["status"] == "NEW"


def test_the_reply_shows_pending_legs_even_when_the_entry_filled_at_once(
    client: VenueClient,
) -> None:
    reply = place(client, "otoco", OTOCO, workingPrice="50500")
    states = [row["status"] for row in reply["orderReports"]]
    assert states == ["FILLED", "PENDING_NEW", "PENDING_NEW"]
    assert client.order("stop-1")["status"] == "NEW"


def test_a_pending_sell_of_all_that_was_bought_dies_of_the_commission(client: VenueClient) -> None:
    place(client, "otoco", OTOCO, workingPrice="50500", pendingQuantity="0.02")
    legs = [client.order("target-1"), client.order("stop-1")]
    assert {leg["status"] for leg in legs} <= {"EXPIRED", "REJECTED"}
    assert "REJECTED" in {leg.get("expiryReason") for leg in legs}


def test_the_stop_of_an_otoco_fires_on_the_last_price(
    venue: SimulatorProcess, client: VenueClient
) -> None:
    place(client, "otoco", OTOCO, workingPrice="50500")
    venue.control("price", {"symbol": "BTCUSDT", "price": "46900"})
    assert client.order("stop-1")["status"] == "FILLED"
    assert client.order("target-1")["status"] == "EXPIRED"
    assert client.balance("BTC") == ("0.00998000", "0.00000000")


def test_a_one_triggers_other_list(client: VenueClient) -> None:
    reply = place(
        client,
        "oto",
        {
            "symbol": "BTCUSDT",
            "workingType": "LIMIT",
            "workingSide": "BUY",
            "workingPrice": "50500",
            "workingQuantity": "0.02",
            "workingTimeInForce": "GTC",
            "pendingType": "STOP_LOSS",
            "pendingSide": "SELL",
            "pendingQuantity": "0.01",
            "pendingStopPrice": "47000",
            "pendingClientOrderId": "stop-1",
        },
    )
    assert len(reply["orders"]) == 2
    assert client.order("stop-1")["status"] == "NEW"


def test_lists_can_be_listed(client: VenueClient) -> None:
    place(client, "otoco", OTOCO)
    assert [row["listClientOrderId"] for row in client.get("openOrderList").json] == ["list-1"]
    client.delete("orderList", symbol="BTCUSDT", listClientOrderId="list-1")
    assert [row["listOrderStatus"] for row in client.get("allOrderList").json] == ["ALL_DONE"]


def test_an_unknown_list_does_not_exist(client: VenueClient) -> None:
    assert client.get("orderList", origClientOrderId="never").status == 400


def test_the_old_oco_endpoint_still_works(client: VenueClient) -> None:
    client.buy("0.02")
    reply = client.post(
        "order/oco",
        symbol="BTCUSDT",
        side="SELL",
        quantity="0.01",
        price="52000",
        stopPrice="48000",
        stopLimitPrice="47900",
        stopLimitTimeInForce="GTC",
    )
    assert reply.status == 200, reply.text
    assert reply.json["contingencyType"] == "OCO"


def test_open_orders_cancel_takes_lists_along(client: VenueClient) -> None:
    client.buy("0.02")
    place(client, "oco", OCO)
    client.limit("BUY", "40000")
    rows = client.delete("openOrders", symbol="BTCUSDT").json
    assert len(rows) == 2
    assert {"orderReports" in row for row in rows} == {True, False}
