"""Reading the venue's JSON as other projects recorded it, where that data is at hand."""

from __future__ import annotations

import gzip
import json
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchanges.domain.instruments import parse_spot
from exchanges.domain.orders import OrderType, Quote, Side, VenueStatus
from exchanges.market_data.books import Books
from exchanges.market_data.frames import Frame, Reader
from exchanges.market_data.numbers import Numbers
from exchanges.venues.binance.spot import wire

DATA = Path(__file__).resolve().parents[4] / "shared" / "binance" / "data"
ENDPOINTS = DATA / "Binance.Net" / "Endpoints" / "Spot" / "Trading"
FRAMES = DATA / "nautilus_trader" / "resources" / "ws_messages"
HTTP = DATA / "nautilus_trader" / "resources" / "http_responses"

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="the recorded Binance data (../shared/binance/data) is not here"
)
S = VenueStatus


def endpoint(name: str) -> Any:
    """Read the reply of one recorded endpoint: three lines of head, then JSON."""
    return json.loads((ENDPOINTS / f"{name}.txt").read_text().split("\n", 3)[3])


def frame(name: str) -> Any:
    body = json.loads((FRAMES / f"ws_spot_execution_report_{name}.json").read_text())
    return body.get("data", body)


def test_a_full_reply_has_one_fill_a_trade() -> None:
    report = wire.execution_report(endpoint("PlaceOrder"))

    assert report.status is S.FILLED
    assert [fill.trade_id for fill in report.fills] == ["56", "57", "58", "59", "60"]
    assert sum(fill.quantity for fill in report.fills) == report.executed_quantity == 10
    assert report.price is None


def test_a_cancel_is_read_under_the_first_id() -> None:
    report = wire.execution_report(endpoint("CancelOrder"))

    assert (report.client_order_id, report.status) == ("myOrder1", S.CANCELED)


def test_a_queried_order_and_lists_of_orders_are_read() -> None:
    single = wire.execution_report(endpoint("GetOrder"))
    several = [wire.execution_report(row) for row in endpoint("GetOpenOrders")]
    everything = [wire.execution_report(row) for row in endpoint("GetOrders")]

    assert single.client_order_id == "myOrder1"
    assert all(report.status is S.OPEN for report in (*several, *everything))


def test_trades_are_read() -> None:
    (fill,) = [wire.trade(row) for row in endpoint("GetUserTrades")]

    assert fill.trade_id == "28457"
    assert fill.commission_asset == "BNB"


@pytest.mark.parametrize(
    ("name", "statuses"),
    [
        ("PlaceOcoOrderList", [S.OPEN, S.OPEN]),
        ("PlaceOtocoOrderList", [S.OPEN, S.PENDING, S.PENDING]),
        ("PlaceOtoOrderList", [S.OPEN, S.PENDING]),
        ("CancelOcoOrder", [S.CANCELED, S.CANCELED]),
        ("GetOcoOrder", []),
    ],
)
def test_order_lists_are_read(name: str, statuses: list[VenueStatus]) -> None:
    body = endpoint(name)

    report = wire.order_list_report(body)

    assert [leg.status for leg in report.reports] == statuses
    assert report.list_client_order_id == body["listClientOrderId"]
    assert report.is_done is (name == "CancelOcoOrder")


def test_a_canceled_list_is_read_under_the_first_ids() -> None:
    report = wire.order_list_report(endpoint("CancelOcoOrder"))

    assert [leg.client_order_id for leg in report.reports] == [
        "pO9ufTiFGg3nw2fOdgeOXa",
        "TXOvglzXuaubXAaENpaRCB",
    ]


@pytest.mark.parametrize(
    ("name", "status", "fills"),
    [
        ("new", S.OPEN, 0),
        ("trade", S.PARTIALLY_FILLED, 1),
        ("canceled", S.CANCELED, 0),
        ("expired", S.EXPIRED, 0),
        ("rejected", S.REJECTED, 0),
        ("pending_cancel", S.OPEN, 0),
        ("trade_prevention", S.EXPIRED, 0),
        ("custom_client_id", S.PARTIALLY_FILLED, 1),
        ("empty_client_id", S.PARTIALLY_FILLED, 1),
        ("binance_us", S.FILLED, 1),
        ("calculated", S.FILLED, 1),
        ("trade_l_zero", S.FILLED, 0),
        ("trade_l_zero_new", S.OPEN, 0),
        ("trade_l_zero_partial", S.PARTIALLY_FILLED, 0),
        ("trade_l_zero_canceled", S.CANCELED, 0),
        ("trade_l_zero_expired", S.EXPIRED, 0),
        ("new_price_match", S.OPEN, 0),
        ("new_stop_limit_price_match", S.OPEN, 0),
        ("new_limit_if_touched_price_match", S.OPEN, 0),
    ],
)
def test_every_recorded_order_event_is_read(name: str, status: VenueStatus, fills: int) -> None:
    report = wire.stream_report(frame(name))

    assert report.status is status
    assert len(report.fills) == fills
    assert all(fill.price > 0 for fill in report.fills)


def test_a_self_trade_stopped_at_the_venue_keeps_the_reason() -> None:
    assert wire.stream_report(frame("trade_prevention")).reason == "SELF_TRADE_PREVENTION"


def test_a_take_profit_limit_keeps_its_prices() -> None:
    report = wire.stream_report(frame("new_limit_if_touched_price_match"))

    assert report.type is OrderType.TAKE_PROFIT_LIMIT
    assert (report.price, report.stop_price) == (Decimal("2505.25"), Decimal(2500))
    assert report.side is Side.BUY


def test_an_account_is_read() -> None:
    body = json.loads((HTTP / "http_spot_wallet_account.json").read_text())

    account = wire.account_report(body, now=wire.from_ms(1795262400000))

    assert account.can_trade is body["canTrade"]
    assert len(account.balances) == len(body["balances"])


def test_a_book_ticker_is_read() -> None:
    body = json.loads((HTTP / "http_spot_market_book_ticker.json").read_text())

    quote = wire.quote(body, now=wire.from_ms(1795262400000))

    assert 0 < quote.bid <= quote.ask


def test_a_full_exchange_info_gives_limits_and_instruments() -> None:
    text = (DATA / "gocryptotrader" / "extracted_spot_exchangeInfo.json").read_text()
    body = json.loads(text)

    limits = wire.rate_limits(body)
    instruments = [parse_spot(entry) for entry in body["symbols"]]

    assert limits["weight"] == 6000
    assert limits["orders_10s"] == 100
    assert {"BTCUSDT", "ETHUSDT"} <= {each.symbol for each in instruments}


def test_recorded_best_prices_are_read_frame_by_frame() -> None:
    recording = DATA / "hftbacktest" / "spot" / "btcusdt_20240808.gz"
    reader, numbers, books, seen = Reader(), Numbers(), Books(), 0
    for line in gzip.decompress(recording.read_bytes()).splitlines():
        if b"@bookTicker" not in line:
            continue
        frame = reader.read(line.split(b" ", 1)[1], time.time_ns() // 1000)
        assert isinstance(frame, Frame)
        assert numbers.is_news(frame)
        books.take(frame)
        [quote] = books.drain()
        assert isinstance(quote, Quote)
        assert 0 < quote.bid < quote.ask
        assert quote.venue_at is None
        seen += 1
    assert seen > 1000
