"""Everything that happens at the venue is written down in order, and by whom: us or a person."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from exchanges.venues.simulator.process import SimulatorProcess
from tests.contract.simulator.test_order_lists import OCO
from tests.fakes.venue_client import VenueClient


def diary(venue: SimulatorProcess, *kinds: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = venue.control("events?after=0")
    start = max((i for i, row in enumerate(rows) if row["kind"] == "wipe"), default=-1)
    return [row for row in rows[start + 1 :] if not kinds or row["kind"] in kinds]


def test_a_trade_is_told_with_its_figures(venue: SimulatorProcess, client: VenueClient) -> None:
    client.buy("0.01", newClientOrderId="entry-1")
    working, trade = diary(venue, "order.working", "order.trade")
    assert working["client_id"] == trade["client_id"] == "entry-1"
    assert (trade["side"], Decimal(trade["last_quantity"])) == ("BUY", Decimal("0.01"))
    assert (trade["commission_asset"], trade["status"]) == ("BTC", "FILLED")
    assert working["n"] < trade["n"]


def test_a_stop_lives_is_triggered_and_trades(venue: SimulatorProcess, client: VenueClient) -> None:
    client.buy("0.02")
    client.post("orderList/oco", **OCO | {"belowType": "STOP_LOSS", "belowPrice": None,
                                          "belowTimeInForce": None})  # fmt: skip
    venue.control("price", {"symbol": "BTCUSDT", "price": "47000"})
    told = [(r["kind"], r["client_id"]) for r in diary(venue) if r.get("client_id") == "stop-1"]
    assert [kind for kind, _ in told] == ["order.working", "order.triggered", "order.trade"]
    expired = diary(venue, "order.expired")
    assert [(r["client_id"], r["reason"]) for r in expired] == [("target-1", "OCO_TRIGGER")]
    assert [row["price"] for row in diary(venue, "price")] == ["47000.00000000"]


def test_a_cancelled_order_keeps_its_name(venue: SimulatorProcess, client: VenueClient) -> None:
    client.limit("BUY", "49000", newClientOrderId="rests")
    client.delete("order", symbol="BTCUSDT", origClientOrderId="rests")
    [row] = diary(venue, "order.cancelled")
    assert row["client_id"] == "rests"


def test_a_refusal_is_told_with_what_was_asked(
    venue: SimulatorProcess, client: VenueClient
) -> None:
    client.post("order", symbol="BTCUSDT", side="SELL", type="MARKET", quantity="1")
    [row] = diary(venue, "refused")
    assert (row["code"], row["path"]) == (-2010, "/api/v3/order")
    assert row["params"]["quantity"] == "1"
    assert not {"signature", "timestamp"} & row["params"].keys()


def test_a_fault_is_told_with_whom_it_met(venue: SimulatorProcess, client: VenueClient) -> None:
    venue.fault("timeout", role="market_buy", execute=False)
    wish = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}
    client.post("order", **wish, newClientOrderId="entry-1")
    [row] = diary(venue, "fault")
    assert (row["fault"], row["executed"], row["symbol"]) == ("timeout", False, "BTCUSDT")
    assert row["params"]["newClientOrderId"] == "entry-1"


def test_what_a_person_cancels_stays_ours(venue: SimulatorProcess, client: VenueClient) -> None:
    held = client.limit("BUY", "49000", newClientOrderId="ours")
    venue.control("cancel", {"symbol": "BTCUSDT", "orderId": held["orderId"]})
    [row] = diary(venue, "order.cancelled")
    assert (row["client_id"], row.get("by_hand", False)) == ("ours", False)


def test_what_a_person_does_is_marked(venue: SimulatorProcess, client: VenueClient) -> None:
    venue.control("balances", {"balances": {"BTC": "1"}})
    fields = {"symbol": "BTCUSDT", "side": "SELL", "type": "STOP_LOSS", "stopPrice": "40000"}
    placed = venue.control("order", {**fields, "quantity": "0.1"})
    venue.control("cancel", {"symbol": "BTCUSDT", "orderId": placed["orderId"]})
    client.sell("0.01")
    by_hand = [row.get("by_hand", False) for row in diary(venue, "order.working")]
    assert by_hand == [True, False]
    assert [row["by_hand"] for row in diary(venue, "order.cancelled")] == [True]
    assert [row["delta"] for row in diary(venue, "moved")] == ["1"]


def test_a_reader_goes_on_where_it_was(venue: SimulatorProcess, client: VenueClient) -> None:
    client.buy("0.01")
    last = diary(venue)[-1]["n"]
    client.buy("0.01")
    later = venue.control(f"events?after={last}")
    assert later[0]["n"] == last + 1
    assert {row["kind"] for row in later} >= {"order.trade", "balance"}


def test_foreign_orders_take_conditional_slots(
    venue: SimulatorProcess, client: VenueClient
) -> None:
    venue.control("balances", {"balances": {"BTC": "1"}})
    fields = {"symbol": "BTCUSDT", "side": "SELL", "type": "STOP_LOSS", "stopPrice": "40000"}
    for _ in range(5):
        venue.control("order", {**fields, "quantity": "0.1"})
    refused = client.post("orderList/oco", **OCO)
    assert refused.json == {"code": -1013, "msg": "Filter failure: MAX_NUM_ALGO_ORDERS"}
