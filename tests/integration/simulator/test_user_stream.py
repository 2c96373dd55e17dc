"""The user data stream over the WebSocket API."""

from __future__ import annotations

import json
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from exchanges.venues.simulator.process import SimulatorProcess
from exchanges.venues.simulator.signing import sign, socket_payload
from tests.fakes.venue_client import UserStream, VenueClient, now_ms, user_stream

ALWAYS = set("eEscSofqpPFgCxXrilzLnNTtIwmMOZYQV")


def kinds(stream: UserStream, number: int) -> list[str]:
    found = [stream.event() for _ in range(number)]
    return [event.get("x", event["e"]) for event in found]


def test_a_market_order_is_new_then_traded_then_the_balance_moves(client: VenueClient) -> None:
    with user_stream(client) as stream:
        client.buy()
        assert kinds(stream, 3) == ["NEW", "TRADE", "outboundAccountPosition"]


def test_an_execution_report_has_every_letter(client: VenueClient) -> None:
    with user_stream(client) as stream:
        reply = client.buy("0.01", newClientOrderId="entry-1")
        stream.event("executionReport")
        report = stream.event("executionReport")
    assert set(report) >= ALWAYS
    assert set(report) - ALWAYS <= {"W"}
    fill = reply["fills"][0]
    assert (report["c"], report["C"]) == ("entry-1", "")
    assert (report["x"], report["X"]) == ("TRADE", "FILLED")
    assert (report["i"], report["t"]) == (reply["orderId"], fill["tradeId"])
    assert (report["l"], report["L"]) == (fill["qty"], fill["price"])
    assert (report["n"], report["N"]) == (fill["commission"], "BTC")
    assert report["Z"] == reply["cummulativeQuoteQty"]


def test_events_carry_their_subscription(client: VenueClient) -> None:
    with user_stream(client) as stream:
        client.buy()
        assert stream.frame()["subscriptionId"] == 0


def test_a_cancel_report_has_both_names(client: VenueClient) -> None:
    client.limit("BUY", "40000", newClientOrderId="rest-1")
    with user_stream(client) as stream:
        client.delete(
            "order", symbol="BTCUSDT", origClientOrderId="rest-1", newClientOrderId="cancel-1"
        )
        report = stream.event("executionReport")
    assert (report["x"], report["c"], report["C"]) == ("CANCELED", "cancel-1", "rest-1")
    assert report["t"] == -1
    assert report["N"] is None


def test_a_list_has_its_own_events(client: VenueClient) -> None:
    client.buy("0.02")
    with user_stream(client) as stream:
        client.post(
            "orderList/oco",
            symbol="BTCUSDT",
            side="SELL",
            quantity="0.01",
            aboveType="LIMIT_MAKER",
            abovePrice="52000",
            belowType="STOP_LOSS",
            belowStopPrice="48000",
            listClientOrderId="list-1",
        )
        event = stream.event("listStatus")
    assert (event["c"], event["l"], event["L"], event["C"]) == (
        "OCO",
        "EXEC_STARTED",
        "EXECUTING",
        "list-1",
    )
    assert len(event["O"]) == 2


def test_a_fired_stop_reports_trade_and_expiry(
    venue: SimulatorProcess, client: VenueClient
) -> None:
    client.buy("0.02")
    client.post(
        "orderList/oco",
        symbol="BTCUSDT",
        side="SELL",
        quantity="0.01",
        aboveType="LIMIT_MAKER",
        abovePrice="52000",
        aboveClientOrderId="target",
        belowType="STOP_LOSS",
        belowStopPrice="48000",
        belowClientOrderId="stop",
    )
    with user_stream(client) as stream:
        venue.control("price", {"symbol": "BTCUSDT", "price": "47900"})
        seen: dict[str, str] = {}
        while seen.get("stop") != "FILLED" or "target" not in seen:
            event = stream.event("executionReport")
            seen[event["c"]] = event["X"]
    assert seen == {"stop": "FILLED", "target": "EXPIRED"}


def test_a_deposit_is_a_balance_update(venue: SimulatorProcess, client: VenueClient) -> None:
    with user_stream(client) as stream:
        venue.control("balances", {"balances": {"USDT": "100500"}})
        event = stream.event("balanceUpdate")
    assert (event["a"], event["d"]) == ("USDT", "500.00000000")


def test_a_second_subscription_on_a_connection_is_refused(client: VenueClient) -> None:
    with user_stream(client) as stream:
        reply = stream.signed("userDataStream.subscribe.signature")
    assert reply["error"]["code"] == -2035


def test_a_subscription_can_end(client: VenueClient) -> None:
    with user_stream(client) as stream:
        assert stream.call("session.subscriptions")["result"] == [{"subscriptionId": 0}]
        assert stream.call("userDataStream.unsubscribe", subscriptionId=0)["status"] == 200
        assert stream.event()["e"] == "eventStreamTerminated"
        client.buy()
        assert stream.silent_for(0.3)
        assert stream.call("userDataStream.unsubscribe", subscriptionId=0)["status"] == 400


def test_a_wrong_signature_is_refused(venue: SimulatorProcess) -> None:
    impostor = VenueClient(venue, secret="wrong")
    with connect(venue.ws_api_url, proxy=None) as socket:
        reply = UserStream(socket, impostor).signed("userDataStream.subscribe.signature")
    assert (reply["status"], reply["error"]["code"]) == (400, -1022)


def test_orders_can_be_placed_over_the_socket(client: VenueClient) -> None:
    with user_stream(client) as stream:
        placed = stream.signed(
            "order.place",
            symbol="BTCUSDT",
            side="BUY",
            type="LIMIT",
            timeInForce="GTC",
            quantity="0.01",
            price="40000",
            newClientOrderId="ws-1",
        )
        assert placed["result"]["status"] == "NEW"
        status = stream.signed("order.status", symbol="BTCUSDT", origClientOrderId="ws-1")
        assert status["result"]["status"] == "NEW"
        gone = stream.signed("order.cancel", symbol="BTCUSDT", origClientOrderId="ws-1")
        assert gone["result"]["status"] == "CANCELED"
    assert {row["rateLimitType"] for row in placed["rateLimits"]} == {"REQUEST_WEIGHT", "ORDERS"}


def test_open_methods_need_no_key(venue: SimulatorProcess, client: VenueClient) -> None:
    with connect(venue.ws_api_url, proxy=None) as socket:
        stream = UserStream(socket, client)
        assert stream.call("ping")["result"] == {}
        assert abs(stream.call("time")["result"]["serverTime"] - now_ms()) < 1_000


@pytest.mark.parametrize("text", ["not json", "[]", '{"id": 1}', '{"method": "nothing.here"}'])
def test_nonsense_is_answered_with_an_error(venue: SimulatorProcess, text: str) -> None:
    with connect(venue.ws_api_url, proxy=None) as socket:
        socket.send(text)
        assert json.loads(socket.recv(timeout=60))["status"] in (400, 404)


def test_two_connections_both_hear(client: VenueClient) -> None:
    with user_stream(client) as first, user_stream(client) as second:
        client.buy()
        heard: list[Any] = [first.event("executionReport"), second.event("executionReport")]
    assert heard[0]["I"] == heard[1]["I"]


def test_accounts_do_not_hear_each_other() -> None:
    arguments = ("--account", "other-key:other-secret:2")
    with SimulatorProcess(prices="still", arguments=arguments) as venue:
        other = VenueClient(venue, key="other-key", secret="other-secret")
        with user_stream(other) as stream:
            VenueClient(venue).buy()
            assert stream.silent_for(0.3)
            other.buy()
            assert stream.event()["e"] == "executionReport"


def test_the_server_pings_and_ends_a_connection_after_its_day() -> None:
    arguments = ("--ping-seconds", "0.1", "--stream-life-seconds", "0.5")
    with (
        SimulatorProcess(prices="still", arguments=arguments) as venue,
        connect(venue.ws_api_url, proxy=None) as socket,
        pytest.raises(ConnectionClosed),
    ):
        socket.recv(timeout=60)


def test_the_socket_signs_sorted_by_name(client: VenueClient) -> None:
    params = {"apiKey": client.key, "timestamp": now_ms(), "recvWindow": 5000}
    unsorted = "&".join(f"{name}={value}" for name, value in params.items())
    assert sign(client.secret, unsorted) != sign(client.secret, socket_payload(params))
