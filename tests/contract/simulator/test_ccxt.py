"""A third-party client that knows nothing of us trades on the simulator."""

from __future__ import annotations

from typing import Any

import pytest

from exchanges.venues.simulator.process import SimulatorProcess

ccxt: Any = pytest.importorskip("ccxt")


@pytest.fixture
def exchange(venue: SimulatorProcess) -> Any:
    """ccxt's Binance with its addresses pointed at the simulator."""
    exchange = ccxt.binance(
        {
            "apiKey": venue.api_key,
            "secret": venue.api_secret,
            "enableRateLimit": False,
            "options": {"defaultType": "spot", "fetchMarkets": {"types": ["spot"]}},
        }
    )
    exchange.session.trust_env = False
    exchange.urls["api"] = {
        name: url.replace("https://api.binance.com", venue.base_url)
        for name, url in exchange.urls["api"].items()
        if isinstance(url, str)
    }
    exchange.load_markets()
    return exchange


def test_it_loads_markets(exchange: Any) -> None:
    market = exchange.market("BTC/USDT")
    assert market["precision"] == {
        "amount": 0.00001,
        "price": 0.01,
        "base": 1e-08,
        "quote": 1e-08,
    }
    assert market["limits"]["cost"]["min"] == 5.0


def test_it_reads_prices(exchange: Any) -> None:
    assert exchange.fetch_ticker("BTC/USDT")["last"] == pytest.approx(50_000, rel=0.01)
    assert len(exchange.fetch_tickers()) > 15
    assert len(exchange.fetch_order_book("BTC/USDT", 10)["bids"]) == 10
    assert len(exchange.fetch_ohlcv("BTC/USDT", "1h", limit=24)) == 24
    assert exchange.fetch_trades("BTC/USDT", limit=1)


def test_it_trades_at_market(exchange: Any) -> None:
    order = exchange.create_order("BTC/USDT", "market", "buy", 0.01)
    assert order["status"] == "closed"
    assert order["filled"] == 0.01
    assert order["fees"] == [{"currency": "BTC", "cost": 0.00001}]
    assert exchange.fetch_balance()["BTC"]["free"] == 0.00999
    trades = exchange.fetch_my_trades("BTC/USDT")
    assert sum(trade["amount"] for trade in trades) == pytest.approx(0.01)


def test_it_places_queries_and_cancels_a_limit_order(exchange: Any) -> None:
    order = exchange.create_order("BTC/USDT", "limit", "buy", 0.01, 40_000)
    assert exchange.fetch_order(order["id"], "BTC/USDT")["status"] == "open"
    assert [row["id"] for row in exchange.fetch_open_orders("BTC/USDT")] == [order["id"]]
    exchange.cancel_order(order["id"], "BTC/USDT")
    assert exchange.fetch_order(order["id"], "BTC/USDT")["status"] == "canceled"


def test_it_places_a_stop_order(exchange: Any) -> None:
    exchange.create_order("BTC/USDT", "market", "buy", 0.02)
    params = {"stopLossPrice": 48_000}
    order = exchange.create_order("BTC/USDT", "limit", "sell", 0.01, 47_900, params)
    assert exchange.fetch_order(order["id"], "BTC/USDT")["stopPrice"] == 48_000


def test_it_edits_an_order_by_cancel_and_replace(exchange: Any) -> None:
    order = exchange.create_order("BTC/USDT", "limit", "buy", 0.01, 40_000)
    edited = exchange.edit_order(order["id"], "BTC/USDT", "limit", "buy", 0.01, 41_000)
    assert edited["price"] == 41_000
    assert len(exchange.fetch_open_orders("BTC/USDT")) == 1


def test_it_understands_refusals(exchange: Any) -> None:
    with pytest.raises(ccxt.InsufficientFunds):
        exchange.create_order("BTC/USDT", "market", "buy", 3)
    with pytest.raises(ccxt.OrderNotFound):
        exchange.fetch_order("987654", "BTC/USDT")
    with pytest.raises(ccxt.OrderImmediatelyFillable):
        exchange.create_order("BTC/USDT", "limit", "buy", 0.01, 51_000, {"postOnly": True})


def test_it_understands_bad_credentials(exchange: Any) -> None:
    exchange.secret = "wrong"
    with pytest.raises(ccxt.AuthenticationError):
        exchange.fetch_balance()


def test_it_understands_a_busy_venue(venue: SimulatorProcess, exchange: Any) -> None:
    venue.fault("weight_limit", path="/api/v3/account")
    with pytest.raises(ccxt.DDoSProtection):
        exchange.fetch_balance()
