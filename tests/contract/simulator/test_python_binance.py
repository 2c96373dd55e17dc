"""The client the product uses talks to the simulator; its traps show here as on the real venue."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from binance.async_client import AsyncClient
from binance.client import Client
from binance.exceptions import BinanceAPIException
from binance.ws.streams import BinanceSocketManager

from exchanges.venues.simulator.process import SimulatorProcess


@pytest.fixture
def python_binance(venue: SimulatorProcess) -> Iterator[Client]:
    client = Client(venue.api_key, venue.api_secret, ping=False)
    client.API_URL = venue.rest_url
    client.session.trust_env = False
    yield client
    client.close_connection()


def test_it_reads_the_market(python_binance: Client) -> None:
    python_binance.ping()
    info: Any = python_binance.get_symbol_info("BTCUSDT")
    assert info["baseAsset"] == "BTC"
    assert Decimal(python_binance.get_orderbook_ticker(symbol="BTCUSDT")["bidPrice"]) > 0
    assert python_binance.get_avg_price(symbol="BTCUSDT")["mins"] == 5
    assert len(python_binance.get_klines(symbol="BTCUSDT", interval="1m", limit=5)) == 5


def test_it_trades_and_asks(python_binance: Client) -> None:
    order = python_binance.create_order(
        symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.01", newClientOrderId="entry-1"
    )
    assert order["status"] == "FILLED"
    assert python_binance.get_order(symbol="BTCUSDT", origClientOrderId="entry-1")
    assert python_binance.get_my_trades(symbol="BTCUSDT")
    assert python_binance.get_asset_balance("BTC")["free"] == "0.00999000"


def test_it_places_and_cancels(python_binance: Client) -> None:
    order = python_binance.order_limit_buy(symbol="BTCUSDT", quantity="0.01", price="40000")
    assert order["clientOrderId"].startswith("x-HNA2TXFJ")
    python_binance.cancel_order(symbol="BTCUSDT", orderId=order["orderId"])
    assert python_binance.get_open_orders() == []


def test_it_places_order_lists(python_binance: Client) -> None:
    python_binance.order_market_buy(symbol="BTCUSDT", quantity="0.02")
    oco = python_binance.create_oco_order(
        symbol="BTCUSDT",
        side="SELL",
        quantity="0.01",
        aboveType="LIMIT_MAKER",
        abovePrice="52000",
        belowType="STOP_LOSS",
        belowStopPrice="48000",
    )
    found = python_binance.v3_get_order_list(orderListId=oco["orderListId"])
    assert found["listOrderStatus"] == "EXECUTING"
    python_binance.v3_delete_order_list(symbol="BTCUSDT", orderListId=oco["orderListId"])
    assert python_binance.get_open_oco_orders() == []


def test_an_error_carries_code_and_status(python_binance: Client) -> None:
    with pytest.raises(BinanceAPIException) as refused:
        python_binance.order_market_buy(symbol="BTCUSDT", quantity="3")
    assert (refused.value.code, refused.value.status_code) == (-2010, 400)


def test_the_weight_is_in_the_headers_of_the_last_response(python_binance: Client) -> None:
    python_binance.get_account()
    response: Any = python_binance.response
    assert int(response.headers["x-mbx-used-weight-1m"]) > 0


def test_a_float_is_sent_in_a_form_the_venue_refuses(python_binance: Client) -> None:
    with pytest.raises(BinanceAPIException) as refused:
        python_binance.order_limit_buy(symbol="BTCUSDT", quantity=0.00001, price="40000")
    assert refused.value.code == -1100


def test_a_value_that_needs_escaping_breaks_the_signature(python_binance: Client) -> None:
    with pytest.raises(BinanceAPIException) as refused:
        python_binance.get_order(symbol="BTCUSDT", origClientOrderId="a b")
    assert refused.value.code == -1022


def test_a_list_as_error_body_escapes_as_attribute_error(
    venue: SimulatorProcess, python_binance: Client
) -> None:
    venue.fault("error", path="/api/v3/ping", body=[{"code": -1000}], status=400)
    with pytest.raises(AttributeError):
        python_binance.ping()


async def test_its_user_socket_reports_a_fill(venue: SimulatorProcess) -> None:
    client = await async_client(venue)
    async with BinanceSocketManager(client).user_socket() as socket:
        await client.create_order(symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.01")
        kinds = [await received(socket) for _ in range(3)]
    await left(client)
    assert [kind.get("x", kind["e"]) for kind in kinds] == [
        "NEW",
        "TRADE",
        "outboundAccountPosition",
    ]


async def test_its_user_socket_is_deaf_after_a_reconnect(venue: SimulatorProcess) -> None:
    client = await async_client(venue)
    socket = BinanceSocketManager(client).user_socket()
    await socket.__aenter__()
    await asyncio.to_thread(venue.control, "sockets", {"action": "drop", "target": "user"})
    assert (await received(socket))["e"] == "error"
    await asyncio.sleep(3)
    await client.create_order(symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.01")
    heard = [await received(socket, 0.5) for _ in range(3)]
    with pytest.raises(BinanceAPIException) as refused:  # what it believed in is long gone
        await socket.__aexit__(None, None, None)
    assert refused.value.code == -2036
    await left(client)
    assert "executionReport" not in {message.get("e") for message in heard}


async def test_its_market_sockets_work(venue: SimulatorProcess) -> None:
    client = await async_client(venue)
    manager = BinanceSocketManager(client)
    manager.STREAM_URL = f"{venue.stream_url}/"
    async with manager.trade_socket("BTCUSDT") as socket:
        assert (await received(socket))["e"] == "trade"
    async with manager.multiplex_socket(["btcusdt@depth5", "ethusdt@bookTicker"]) as socket:
        assert (await received(socket))["stream"] == "btcusdt@depth5"
    await left(client)


async def async_client(venue: SimulatorProcess) -> Any:
    client = AsyncClient(venue.api_key, venue.api_secret)
    client.API_URL = venue.rest_url
    client.ws_api._url = venue.ws_api_url
    return client


async def left(client: Any) -> None:
    """Close without `close_connection`, which waits ten seconds for its own read loop."""
    await client.session.close()
    if client.ws_api.ws is not None:
        await client.ws_api.ws.close()


async def received(socket: Any, seconds: float = 60) -> Any:
    try:
        return await asyncio.wait_for(socket.recv(), seconds)
    except TimeoutError:
        return {}
