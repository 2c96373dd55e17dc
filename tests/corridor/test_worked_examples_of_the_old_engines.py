"""The examples their documents show, sent as written, with a key and a present timestamp."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.product import now

pytestmark = pytest.mark.timeout(600)
DONE = "Signal processed successfully"


def trade(product, body, **headers):
    return product.post("/trade", body, **headers)


def position(product, symbol):
    found = product.get(f"/api/v1/positions/?symbol={symbol}").body["results"]
    return found[0] if found else None


def test_the_basic_market_order(whole):
    answer = trade(
        whole,
        {
            "strategy_id": "simple_strategy",
            "symbol": "BTCUSDT",
            "action": "buy",
            "price": 45000.0,
            "confidence": 0.8,
            "timestamp": now(),
            "meta": {"order_type": "market", "base_amount": 0.001},
        },
    )
    assert answer.status == 200, answer
    assert answer.body["message"] == DONE
    assert answer.body["signal_id"] == "simple_strategy"
    result = answer.body["result"]
    assert (result["status"], result["side"], result["type"]) == ("filled", "buy", "market")
    assert result["amount"] == 0.001
    assert result["simulated"] is True
    # The venue's book decides what a market order costs, not the sender's idea of it.
    assert result["fill_price"] == pytest.approx(50000, rel=0.01)
    assert result["total_value"] == pytest.approx(50, rel=0.01)
    assert result["fees"] == pytest.approx(0.05, rel=0.01)


def test_the_advanced_limit_order_with_stop_and_target(whole):
    answer = trade(
        whole,
        {
            "strategy_id": "advanced_strategy",
            "symbol": "ETHUSDT",
            "action": "buy",
            "price": 3000.0,
            "confidence": 0.9,
            "timestamp": now(),
            "meta": {
                "order_type": "limit",
                "base_amount": 0.1,
                "stop_loss": 2850.0,
                "take_profit": 3300.0,
                "time_in_force": "GTC",
            },
        },
    )
    assert answer.status == 200, answer
    result = answer.body["result"]
    assert (result["type"], result["time_in_force"]) == ("limit", "GTC")
    assert (result["stop_loss"], result["take_profit"]) == (2850.0, 3300.0)
    assert result["fees"] > 0  # the venue's reply to an order list does not tell it
    assert list(result["fees_by_asset"]) == ["ETH"]
    uid = answer.body["signal_uid"]
    whole.eventually(lambda: roles_at_venue(whole, uid) == {"entry", "stop_loss", "take_profit"})
    assert Decimal(whole.eventually(lambda: opened(whole, "ETHUSDT"))["quantity"]) > 0


def roles_at_venue(product, uid):
    known = {o["placedAs"] for o in product.venue.control("ledger")["orders"]}
    orders = product.get(f"/api/v1/signals/{uid}/").body["orders"]
    return {o["role"] for o in orders if o["client_order_id"] in known}


def opened(product, symbol):
    found = position(product, symbol)
    return found if found and found["is_open"] else None


def test_the_momentum_sample(whole):
    """Its limit of 45000 is far below the market, so here it rests where the sample fills."""
    answer = trade(
        whole,
        {
            "strategy_id": "momentum_v1",
            "symbol": "BTCUSDT",
            "action": "buy",
            "price": 45000.0,
            "confidence": 0.85,
            "timestamp": now(),
            "meta": {
                "order_type": "limit",
                "base_amount": 0.001,
                "stop_loss": 43000.0,
                "take_profit": 47000.0,
                "time_in_force": "GTC",
                "simulate": True,
                "indicators": {"rsi": 65, "macd": "bullish"},
                "rationale": "Strong momentum breakout",
            },
        },
    )
    assert answer.status == 200, answer
    result = answer.body["result"]
    assert (result["status"], result["type"], result["amount"]) == ("open", "limit", 0.001)
    assert result["simulated"] is True
    gone = whole.request("DELETE", f"/order/BTCUSDT/{result['order_id']}")
    assert gone.status == 200, gone
    assert gone.body["message"] == "Order cancelled"
    assert gone.body["order_id"] == result["order_id"]
    assert whole.get(f"/order/BTCUSDT/{result['order_id']}").body["status"] == "canceled"


def test_the_breakout_sample_of_the_production_engine(whole):
    answer = trade(
        whole,
        {
            "strategy_id": "volume_surge_breakout",
            "symbol": "BTCUSDT",
            "action": "buy",
            "confidence": 0.85,
            "price": 50000.00,
            "quantity": 0.001,
            "current_price": 50000.00,
            "timeframe": "15m",
            "stop_loss": 49000.00,
            "take_profit": 51500.00,
            "indicators": {"volume_ratio": 3.2},
            "metadata": {"source": "ta"},
            "timestamp": now(),
        },
    )
    assert answer.status == 200, answer
    assert answer.body["message"] == DONE
    assert answer.body["signal_id"] == "volume_surge_breakout"
    result = answer.body["result"]
    assert result["status"] == "filled"
    assert result["quantity"] == 0.001
    assert result["fees"] == pytest.approx(0.05, rel=0.01)


def test_the_smoke_test_by_curl(whole):
    body = (
        b'{"strategy_id": "test", "symbol": "BTCUSDT", "action": "buy", "confidence": 0.8, '
        b'"price": 50000, "quantity": 0.001}'
    )
    answer = trade(whole, body)
    assert answer.status == 200, answer
    assert answer.body["signal_id"] == "test"
    assert answer.body["result"]["status"] == "filled"


def test_the_stop_order_sells_what_is_held_when_its_trigger_is_met(whole):
    """`stop_loss` of a stop order is its trigger; it takes over part of what is held."""
    whole.eventually(lambda: opened(whole, "BTCUSDT"))
    answer = trade(
        whole,
        {
            "strategy_id": "risk_management",
            "symbol": "BTCUSDT",
            "action": "sell",
            "price": 45000.0,
            "confidence": 0.95,
            "timestamp": now(),
            "meta": {"order_type": "stop", "base_amount": 0.001, "stop_loss": 43000.0},
        },
    )
    assert answer.status in (200, 202), answer
    uid = answer.body["signal_uid"]
    order = whole.eventually(lambda: resting_exit(whole, uid))
    assert (order["side"], order["type"]) == ("SELL", "STOP")
    assert Decimal(order["stop_price"]) == Decimal(43000)
    assert Decimal(order["quantity"]) == Decimal("0.001")
    whole.eventually(lambda: position(whole, "BTCUSDT")["naked_since"] is None)


def resting_exit(product, uid):
    orders = product.get(f"/api/v1/signals/{uid}/").body["orders"]
    resting = [o for o in orders if o["role"] == "exit" and o["status"] == "OPEN"]
    return resting[0] if resting else None


def test_account_and_price_answer_as_documented(whole):
    account = whole.get("/account").body
    assert account["message"] == "Account information retrieved successfully"
    assert {"can_trade", "maker_commission", "taker_commission", "balances"} <= set(account["data"])
    price = whole.get("/price/BTCUSDT").body
    assert price["symbol"] == "BTCUSDT"
    assert price["price"] == pytest.approx(50000, rel=0.01)
    assert price["timestamp"]


def test_nobody_trades_without_a_key(whole):
    answer = trade(whole, {"strategy_id": "test"}, Authorization="")
    assert answer.status == 401
