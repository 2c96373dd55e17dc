"""Public endpoints answer in the venue's shapes."""

from __future__ import annotations

import itertools
from decimal import Decimal

import pytest

from tests.fakes.venue_client import VenueClient, now_ms


def test_ping_and_time(client: VenueClient) -> None:
    assert client.ask("ping").json == {}
    assert abs(client.ask("time").json["serverTime"] - now_ms()) < 1_000


def test_exchange_info_lists_symbols_with_their_filters(client: VenueClient) -> None:
    entry = client.ask("exchangeInfo", symbol="BTCUSDT").json["symbols"][0]
    filters = {row["filterType"]: row for row in entry["filters"]}
    assert filters["PRICE_FILTER"]["tickSize"] == "0.01000000"
    assert filters["LOT_SIZE"]["stepSize"] == "0.00001000"
    assert filters["MARKET_LOT_SIZE"]["stepSize"] == "0.00000000"
    assert filters["NOTIONAL"]["minNotional"] == "5.00000000"
    assert filters["MAX_NUM_ALGO_ORDERS"]["maxNumAlgoOrders"] == 5
    assert entry["ocoAllowed"]
    assert entry["otoAllowed"]


def test_exchange_info_takes_a_list_of_symbols(client: VenueClient) -> None:
    reply = client.ask("exchangeInfo", symbols='["BTCUSDT","ETHUSDT"]')
    assert [entry["symbol"] for entry in reply.json["symbols"]] == ["BTCUSDT", "ETHUSDT"]


def test_a_venue_without_limits_announces_some_that_nobody_reaches(client: VenueClient) -> None:
    limits = client.ask("exchangeInfo").json["rateLimits"]
    told = {row["limit"] for row in limits if row["rateLimitType"] != "RAW_REQUESTS"}
    assert told == {10_000_000}


def test_an_unknown_symbol_is_refused(client: VenueClient) -> None:
    assert client.ask("depth", symbol="NOPEUSDT").code == -1121


def test_a_missing_symbol_is_refused(client: VenueClient) -> None:
    assert client.ask("depth").code == -1102


def test_an_unknown_parameter_is_refused(client: VenueClient) -> None:
    assert client.ask("depth", symbol="BTCUSDT", colour="blue").code == -1104


def test_depth_is_sorted_best_first(client: VenueClient) -> None:
    book = client.ask("depth", symbol="BTCUSDT", limit=10).json
    bids = [Decimal(price) for price, _ in book["bids"]]
    asks = [Decimal(price) for price, _ in book["asks"]]
    assert len(bids) == len(asks) == 10
    assert bids == sorted(bids, reverse=True)
    assert asks == sorted(asks)
    assert bids[0] < asks[0]


def test_book_ticker_has_the_best_prices(client: VenueClient) -> None:
    best = client.ask("ticker/bookTicker", symbol="BTCUSDT").json
    book = client.ask("depth", symbol="BTCUSDT", limit=5).json
    assert [best["bidPrice"], best["bidQty"]] == book["bids"][0]
    assert [best["askPrice"], best["askQty"]] == book["asks"][0]


@pytest.mark.parametrize("path", ["ticker/bookTicker", "ticker/price", "ticker/24hr"])
def test_tickers_answer_for_one_some_and_all(client: VenueClient, path: str) -> None:
    assert client.ask(path, symbol="ETHUSDT").json["symbol"] == "ETHUSDT"
    some = client.ask(path, symbols='["ETHUSDT","SOLUSDT"]').json
    assert {row["symbol"] for row in some} == {"ETHUSDT", "SOLUSDT"}
    assert len(client.ask(path).json) > 15


def test_the_last_price_is_a_traded_one(client: VenueClient) -> None:
    price = client.ask("ticker/price", symbol="BTCUSDT").json["price"]
    assert price in {row["price"] for row in client.ask("trades", symbol="BTCUSDT").json}


def test_klines_are_contiguous_and_end_now(client: VenueClient) -> None:
    rows = client.ask("klines", symbol="BTCUSDT", interval="5m", limit=50).json
    assert len(rows) == 50
    assert all(len(row) == 12 for row in rows)
    opens = [row[0] for row in rows]
    assert {b - a for a, b in itertools.pairwise(opens)} == {300_000}
    assert rows[-1][0] <= now_ms() <= rows[-1][6]
    for _, opened, high, low, closed, *_ in rows:
        assert Decimal(low) <= min(Decimal(opened), Decimal(closed))
        assert Decimal(high) >= max(Decimal(opened), Decimal(closed))


@pytest.mark.parametrize("interval", ["1s", "1m", "1h", "1d", "1w", "1M"])
def test_klines_know_every_interval(client: VenueClient, interval: str) -> None:
    assert len(client.ask("klines", symbol="BTCUSDT", interval=interval, limit=3).json) == 3


def test_klines_from_a_start_time(client: VenueClient) -> None:
    start = (now_ms() // 60_000 - 10) * 60_000
    rows = client.ask("klines", symbol="BTCUSDT", interval="1m", startTime=start, limit=4).json
    assert [row[0] for row in rows] == [start + n * 60_000 for n in range(4)]


def test_klines_refuse_an_unknown_interval(client: VenueClient) -> None:
    assert client.ask("klines", symbol="BTCUSDT", interval="7m").code == -1120


def test_average_price(client: VenueClient) -> None:
    reply = client.ask("avgPrice", symbol="BTCUSDT").json
    assert reply["mins"] == 5
    assert 49_000 < float(reply["price"]) < 51_000


def test_aggregate_trades(client: VenueClient) -> None:
    row = client.ask("aggTrades", symbol="BTCUSDT", limit=1).json[0]
    assert set(row) == {"a", "p", "q", "f", "l", "T", "m", "M"}
