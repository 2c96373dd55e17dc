"""What an operator of a drill can do to the venue besides faults."""

from __future__ import annotations

from decimal import Decimal

import pytest

from exchanges.venues.simulator.process import SimulatorProcess
from tests.fakes.venue_client import VenueClient


def test_a_price_jump_moves_book_and_last_price(
    venue: SimulatorProcess, client: VenueClient
) -> None:
    venue.control("price", {"symbol": "BTCUSDT", "price": "45000"})
    assert client.ask("ticker/price", symbol="BTCUSDT").json["price"] == "45000.00000000"
    best = client.ask("ticker/bookTicker", symbol="BTCUSDT").json
    assert Decimal("44990") < Decimal(best["bidPrice"]) < Decimal(best["askPrice"])
    assert Decimal(best["askPrice"]) < Decimal("45010")
    newest = client.ask("klines", symbol="BTCUSDT", interval="1m", limit=1).json[0]
    assert Decimal(newest[4]) == Decimal(45000)


def test_a_price_jump_fills_a_resting_order_as_maker(
    venue: SimulatorProcess, client: VenueClient
) -> None:
    client.limit("BUY", "49000", newClientOrderId="rest-1")
    venue.control("price", {"symbol": "BTCUSDT", "price": "48000"})
    order = client.order("rest-1")
    assert (order["status"], order["cummulativeQuoteQty"]) == ("FILLED", "490.00000000")
    assert client.get("myTrades", symbol="BTCUSDT").json[0]["isMaker"] is True


def test_liquidity_can_vanish_and_return(venue: SimulatorProcess, client: VenueClient) -> None:
    venue.control("liquidity", {"symbol": "BTCUSDT", "levels": 0})
    reply = client.post("order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.01")
    assert reply.json.get("status") == "EXPIRED" or reply.code == -2010
    venue.control("liquidity", {"symbol": "BTCUSDT", "restore": True})
    venue.control("price", {"symbol": "BTCUSDT", "price": "50000"})
    assert client.buy()["status"] == "FILLED"


def test_one_side_can_be_thinned(venue: SimulatorProcess, client: VenueClient) -> None:
    venue.control("liquidity", {"symbol": "BTCUSDT", "levels": 2, "side": "asks"})
    book = client.ask("depth", symbol="BTCUSDT").json
    assert (len(book["bids"]), len(book["asks"])) == (20, 2)


def test_balances_can_be_set(venue: SimulatorProcess, client: VenueClient) -> None:
    venue.control("balances", {"balances": {"USDT": "12.5", "SOL": "3"}})
    assert client.balance("USDT")[0] == "12.50000000"
    assert client.balance("SOL")[0] == "3.00000000"


def test_rates_can_be_set(venue: SimulatorProcess, client: VenueClient) -> None:
    venue.control("account", {"taker_rate": "0.002"})
    assert client.buy("0.01")["fills"][0]["commission"] == "0.00002000"


def test_a_symbol_can_be_halted(venue: SimulatorProcess, client: VenueClient) -> None:
    venue.control("symbol", {"symbol": "BTCUSDT", "status": "HALT"})
    assert client.try_limit("BUY", "40000").code == -2010
    assert client.ask("exchangeInfo", symbol="BTCUSDT").json["symbols"][0]["status"] == "HALT"


def test_a_wipe_forgets_orders_and_refills_balances(
    venue: SimulatorProcess, client: VenueClient
) -> None:
    client.buy(newClientOrderId="entry-1")
    venue.control("wipe", {})
    assert client.get("order", symbol="BTCUSDT", origClientOrderId="entry-1").code == -2013
    assert client.balance("USDT")[0] == "100000.00000000"


def test_the_ledger_ties_orders_trades_and_balances(
    venue: SimulatorProcess, client: VenueClient
) -> None:
    client.buy("0.02", newClientOrderId="entry-1")
    client.limit("SELL", "60000", "0.01", newClientOrderId="exit-1")
    client.delete("order", symbol="BTCUSDT", origClientOrderId="exit-1")
    ledger = venue.control("ledger")
    assert [order["placedAs"] for order in ledger["orders"]] == ["entry-1", "exit-1"]
    bought = sum(Decimal(trade["qty"]) for trade in ledger["trades"])
    fees = sum(Decimal(trade["commission"]) for trade in ledger["trades"])
    held = {row["asset"]: Decimal(row["free"]) for row in ledger["balances"]}
    assert held["BTC"] == bought - fees


def test_a_batch_lets_nobody_in_between(venue: SimulatorProcess, client: VenueClient) -> None:
    client.buy("0.02")
    held = client.limit("SELL", "60000", "0.01")
    cancel = ["cancel", {"symbol": "BTCUSDT", "orderId": held["orderId"]}]
    venue.control("batch", {"steps": [cancel, ["balances", {"balances": {"BTC": "0.001"}}]]})
    assert client.balance("BTC") == ("0.00100000", "0.00000000")


@pytest.mark.parametrize(
    ("path", "wish"),
    [
        ("price", '{"symbol": "NOPE", "price": "1"}'),
        ("price", '{"symbol": "BTCUSDT", "price": "high"}'),
        ("balances", '{"balances": 7}'),
        ("sockets", '{"action": "wave"}'),
        ("faults", "[1]"),
        ("faults", "not json"),
    ],
)
def test_a_bad_wish_is_refused_with_a_reason(client: VenueClient, path: str, wish: str) -> None:
    reply = client.send("POST", f"/control/{path}", body=wish)
    assert reply.status == 400
    assert reply.json["error"]
