"""Single orders: replies, fills, refusals, queries, cancels."""

from __future__ import annotations

from decimal import Decimal

import pytest

from exchanges.venues.simulator.process import SimulatorProcess
from tests.fakes.venue_client import VenueClient

STOP_LIMIT = {
    "symbol": "BTCUSDT",
    "side": "SELL",
    "type": "STOP_LOSS_LIMIT",
    "quantity": "0.01",
    "price": "48000",
    "stopPrice": "48500",
    "timeInForce": "GTC",
}
RESULT_FIELDS = {
    "symbol",
    "orderId",
    "orderListId",
    "clientOrderId",
    "transactTime",
    "price",
    "origQty",
    "executedQty",
    "origQuoteOrderQty",
    "cummulativeQuoteQty",
    "status",
    "timeInForce",
    "type",
    "side",
    "workingTime",
    "selfTradePreventionMode",
}
ACK_FIELDS = {"symbol", "orderId", "orderListId", "clientOrderId", "transactTime"}


def test_a_market_order_answers_in_full(client: VenueClient) -> None:
    reply = client.buy("0.01", newClientOrderId="entry-1")
    assert set(reply) == RESULT_FIELDS | {"fills"}
    assert reply["status"] == "FILLED"
    assert reply["clientOrderId"] == "entry-1"
    assert reply["price"] == "0.00000000"
    assert reply["executedQty"] == "0.01000000"
    spent = sum(Decimal(fill["price"]) * Decimal(fill["qty"]) for fill in reply["fills"])
    assert Decimal(reply["cummulativeQuoteQty"]) == spent


def test_a_buy_pays_its_commission_in_the_base_asset(client: VenueClient) -> None:
    fill = client.buy("0.01")["fills"][0]
    assert (fill["commission"], fill["commissionAsset"]) == ("0.00001000", "BTC")
    assert client.balance("BTC") == ("0.00999000", "0.00000000")


def test_a_sell_pays_its_commission_in_the_quote_asset(client: VenueClient) -> None:
    client.buy("0.02")
    fill = client.sell("0.01")["fills"][0]
    assert fill["commissionAsset"] == "USDT"
    assert Decimal(fill["commission"]) == Decimal(fill["price"]) * Decimal("0.00001")


def test_bnb_pays_when_burning_is_on(venue: SimulatorProcess, client: VenueClient) -> None:
    venue.control("account", {"bnb_burn": True})
    fill = client.buy("0.01")["fills"][0]
    assert fill["commissionAsset"] == "BNB"
    assert client.balance("BTC")[0] == "0.01000000"


def test_a_market_order_by_quote_quantity(client: VenueClient) -> None:
    reply = client.post(
        "order", symbol="BTCUSDT", side="BUY", type="MARKET", quoteOrderQty="1000"
    ).json
    assert reply["origQuoteOrderQty"] == "1000.00000000"
    assert Decimal("999") < Decimal(reply["cummulativeQuoteQty"]) <= Decimal(1000)


@pytest.mark.parametrize(
    ("asked", "fields"),
    [("ACK", ACK_FIELDS), ("RESULT", RESULT_FIELDS), ("FULL", RESULT_FIELDS | {"fills"})],
)
def test_the_reply_is_as_long_as_asked(client: VenueClient, asked: str, fields: set[str]) -> None:
    assert set(client.buy(newOrderRespType=asked)) == fields


def test_stop_types_are_only_acknowledged_by_default(client: VenueClient) -> None:
    client.buy("0.02")
    assert set(client.post("order", **STOP_LIMIT).json) == ACK_FIELDS


def test_a_stop_order_reports_its_stop_price(client: VenueClient) -> None:
    client.buy("0.02")
    reply = client.post("order", **STOP_LIMIT, newOrderRespType="RESULT").json
    assert reply["stopPrice"] == "48500.00000000"
    assert reply["workingTime"] == -1


def test_a_resting_limit_order_locks_funds(client: VenueClient) -> None:
    reply = client.limit("BUY", "40000", "0.01", newClientOrderId="rest-1")
    assert reply["status"] == "NEW"
    assert reply["fills"] == []
    assert client.balance("USDT") == ("99600.00000000", "400.00000000")


def test_a_query_shows_the_whole_order(client: VenueClient) -> None:
    client.limit("BUY", "40000", newClientOrderId="rest-1")
    order = client.order("rest-1")
    expected = (RESULT_FIELDS - {"transactTime"}) | {
        "stopPrice",
        "icebergQty",
        "time",
        "updateTime",
        "isWorking",
    }
    assert set(order) == expected
    assert order["isWorking"] is True


def test_a_cancel_renames_the_order(client: VenueClient) -> None:
    client.limit("BUY", "40000", newClientOrderId="rest-1")
    reply = client.delete(
        "order", symbol="BTCUSDT", origClientOrderId="rest-1", newClientOrderId="cancel-1"
    ).json
    assert reply["status"] == "CANCELED"
    assert (reply["origClientOrderId"], reply["clientOrderId"]) == ("rest-1", "cancel-1")
    assert client.order("rest-1")["clientOrderId"] == "cancel-1"


def test_a_filled_order_cannot_be_cancelled(client: VenueClient) -> None:
    client.buy(newClientOrderId="entry-1")
    reply = client.delete("order", symbol="BTCUSDT", origClientOrderId="entry-1")
    assert (reply.status, reply.code) == (400, -2011)
    assert reply.json["msg"] == "Unknown order sent."


def test_an_unknown_order_is_not_found(client: VenueClient) -> None:
    reply = client.get("order", symbol="BTCUSDT", origClientOrderId="never")
    assert (reply.status, reply.code) == (400, -2013)
    assert reply.json["msg"] == "Order does not exist."


def test_a_query_without_any_id_is_refused(client: VenueClient) -> None:
    assert client.get("order", symbol="BTCUSDT").code == -1102


def test_ids_that_disagree_are_refused(client: VenueClient) -> None:
    first = client.buy(newClientOrderId="a")
    client.buy(newClientOrderId="b")
    reply = client.get("order", symbol="BTCUSDT", orderId=first["orderId"], origClientOrderId="b")
    assert reply.code == -2039


def test_an_open_client_id_may_not_be_used_twice(client: VenueClient) -> None:
    client.limit("BUY", "40000", newClientOrderId="same")
    reply = client.try_limit("BUY", "40000", newClientOrderId="same")
    assert (reply.code, reply.json["msg"]) == (-2010, "Duplicate order sent.")


def test_a_client_id_is_free_again_after_the_fill(client: VenueClient) -> None:
    first = client.buy(newClientOrderId="same")
    second = client.buy(newClientOrderId="same")
    assert first["orderId"] != second["orderId"]
    assert client.order("same")["orderId"] == second["orderId"]


def test_too_little_money_is_refused(client: VenueClient) -> None:
    reply = client.post("order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="3")
    assert reply.code == -2010
    assert "insufficient balance" in reply.json["msg"]


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"price": "40000.001"}, -1013, "PRICE_FILTER"),
        ({"quantity": "0.000001"}, -1013, "LOT_SIZE"),
        ({"quantity": "0.0001", "price": "20000"}, -1013, "NOTIONAL"),
        ({"price": "1000"}, -1013, "PERCENT_PRICE_BY_SIDE"),
        ({"quantity": "0.010000001"}, -1111, "too much precision"),
        ({"quantity": "1e-05"}, -1100, "Illegal characters"),
        ({"quantity": "-1"}, -1100, "Illegal characters"),
        ({"quantity": ""}, -1105, "empty"),
        ({"timeInForce": None}, -1102, "timeInForce"),
        ({"timeInForce": "GTX"}, -1115, "Invalid timeInForce"),
        ({"side": "HOLD"}, -1117, "Invalid side"),
        ({"type": "STOP"}, -1116, "Invalid orderType"),
        ({"symbol": "NOPE"}, -1121, "Invalid symbol"),
        ({"stopPrice": "39000"}, -1106, "stopPrice"),
        ({"newClientOrderId": "has space"}, -1100, "newClientOrderId"),
        ({"newOrderRespType": "LONG"}, -1130, "newOrderRespType"),
        ({"reduceOnly": "true"}, -1104, "Not all sent parameters were read"),
    ],
)
def test_a_bad_order_is_refused_by_name(
    client: VenueClient, change: dict[str, str | None], code: int, words: str
) -> None:
    order = {
        "symbol": "BTCUSDT",
        "side": "BUY",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "quantity": "0.01",
        "price": "40000",
        **change,
    }
    reply = client.post("order", **order)
    assert (reply.status, reply.code) == (400, code)
    assert words in reply.json["msg"]
    assert client.get("openOrders", symbol="BTCUSDT").json == []


def test_a_maker_only_order_that_would_take_is_refused(client: VenueClient) -> None:
    reply = client.post(
        "order", symbol="BTCUSDT", side="BUY", type="LIMIT_MAKER", quantity="0.01", price="51000"
    )
    assert reply.json["msg"] == "Order would immediately match and take."


def test_a_stop_on_the_wrong_side_is_refused(client: VenueClient) -> None:
    client.buy("0.02")
    reply = client.post("order", **{**STOP_LIMIT, "stopPrice": "52000"})
    assert reply.code == -2010
    assert "trigger immediately" in reply.json["msg"]


def test_only_five_stop_orders_may_be_open_on_a_symbol(client: VenueClient) -> None:
    client.buy("0.1")
    for _ in range(5):
        assert client.post("order", **STOP_LIMIT).status == 200
    reply = client.post("order", **STOP_LIMIT)
    assert reply.json == {"code": -1013, "msg": "Filter failure: MAX_NUM_ALGO_ORDERS"}


def test_an_unfilled_rest_of_an_ioc_order_expires_with_its_fills(
    venue: SimulatorProcess, client: VenueClient
) -> None:
    venue.control("liquidity", {"symbol": "BTCUSDT", "levels": 1})
    offered = client.ask("depth", symbol="BTCUSDT").json["asks"][0][1]
    reply = client.limit("BUY", "50010", "1.9", timeInForce="IOC")
    assert reply["status"] == "EXPIRED"
    assert Decimal(0) < Decimal(reply["executedQty"]) <= Decimal(offered)
    assert reply["expiryReason"] == "UNFILLED_IOC_QUANTITY_EXPIRED"


def test_a_market_order_that_runs_out_of_liquidity_expires_with_its_fills(
    venue: SimulatorProcess, client: VenueClient
) -> None:
    venue.control("liquidity", {"symbol": "BTCUSDT", "levels": 1})
    reply = client.buy("1.9")
    assert reply["status"] == "EXPIRED"
    assert Decimal(reply["executedQty"]) > 0
    assert reply["fills"]


def test_an_order_test_places_nothing(client: VenueClient) -> None:
    reply = client.post("order/test", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.01")
    assert reply.json == {}
    assert client.get("allOrders", symbol="BTCUSDT").json == []


def test_an_order_test_can_tell_the_rates(client: VenueClient) -> None:
    reply = client.post(
        "order/test",
        symbol="BTCUSDT",
        side="BUY",
        type="MARKET",
        quantity="0.01",
        computeCommissionRates="true",
    ).json
    assert reply["standardCommissionForOrder"]["taker"] == "0.00100000"


def test_open_orders_of_one_symbol_and_of_all(client: VenueClient) -> None:
    client.limit("BUY", "40000", newClientOrderId="btc")
    client.limit("BUY", "2000", "0.1", symbol="ETHUSDT", newClientOrderId="eth")
    one = client.get("openOrders", symbol="BTCUSDT").json
    assert [order["clientOrderId"] for order in one] == ["btc"]
    assert len(client.get("openOrders").json) == 2


def test_all_open_orders_can_be_cancelled(client: VenueClient) -> None:
    client.limit("BUY", "40000")
    client.limit("BUY", "41000")
    assert len(client.delete("openOrders", symbol="BTCUSDT").json) == 2
    assert client.balance("USDT")[1] == "0.00000000"
    assert client.delete("openOrders", symbol="BTCUSDT").code == -2011


def test_my_trades_of_an_order(client: VenueClient) -> None:
    client.buy()
    order = client.buy()
    trades = client.get("myTrades", symbol="BTCUSDT", orderId=order["orderId"]).json
    assert [trade["orderId"] for trade in trades] == [order["orderId"]] * len(trades)
    assert set(trades[0]) == {
        "symbol",
        "id",
        "orderId",
        "orderListId",
        "price",
        "qty",
        "quoteQty",
        "commission",
        "commissionAsset",
        "time",
        "isBuyer",
        "isMaker",
        "isBestMatch",
    }


def test_my_trades_refuse_odd_combinations(client: VenueClient) -> None:
    assert client.get("myTrades", symbol="BTCUSDT", orderId=1, startTime=1).code == -1128
    reply = client.get("myTrades", symbol="BTCUSDT", startTime=1, endTime=90_000_000)
    assert reply.code == -1127


def test_a_replacement_cancels_and_places(client: VenueClient) -> None:
    client.limit("BUY", "40000", newClientOrderId="old")
    reply = client.post(
        "order/cancelReplace",
        symbol="BTCUSDT",
        side="BUY",
        type="LIMIT",
        timeInForce="GTC",
        quantity="0.01",
        price="41000",
        cancelReplaceMode="STOP_ON_FAILURE",
        cancelOrigClientOrderId="old",
    )
    assert reply.status == 200
    assert (reply.json["cancelResult"], reply.json["newOrderResult"]) == ("SUCCESS", "SUCCESS")
    assert reply.json["cancelResponse"]["origClientOrderId"] == "old"


@pytest.mark.parametrize(
    ("mode", "status", "code", "second"),
    [("STOP_ON_FAILURE", 400, -2022, "NOT_ATTEMPTED"), ("ALLOW_FAILURE", 409, -2021, "SUCCESS")],
)
def test_a_replacement_of_nothing(
    client: VenueClient, mode: str, status: int, code: int, second: str
) -> None:
    reply = client.post(
        "order/cancelReplace",
        symbol="BTCUSDT",
        side="BUY",
        type="MARKET",
        quantity="0.01",
        cancelReplaceMode=mode,
        cancelOrderId=999,
    )
    assert (reply.status, reply.code) == (status, code)
    data = reply.json["data"]
    assert (data["cancelResult"], data["newOrderResult"]) == ("FAILURE", second)
    assert data["cancelResponse"]["code"] == -2011


def test_an_order_may_be_made_smaller_in_place(client: VenueClient) -> None:
    client.limit("BUY", "40000", "0.02", newClientOrderId="big")
    reply = client.put(
        "order/amend/keepPriority", symbol="BTCUSDT", origClientOrderId="big", newQty="0.01"
    )
    assert reply.status == 200, reply.text
    assert reply.json["amendedOrder"]["qty"] == "0.01000000"


def test_account_shows_rates_and_balances(client: VenueClient) -> None:
    account = client.get("account", omitZeroBalances="true").json
    assert account["canTrade"] is True
    assert account["commissionRates"]["taker"] == "0.00100000"
    assert {row["asset"] for row in account["balances"]} == {"BNB", "USDT"}


def test_commission_of_a_symbol(client: VenueClient) -> None:
    reply = client.get("account/commission", symbol="BTCUSDT").json
    assert reply["standardCommission"]["maker"] == "0.00100000"
    assert reply["discount"]["discountAsset"] == "BNB"
