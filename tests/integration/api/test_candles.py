from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from exchanges.domain.venues import venue
from exchanges.history import funding, store
from exchanges.models import Outage, Series
from exchanges.venues.binance.kline_rows import Funding
from tests.fakes.candles import START_MS, candle, candles
from tests.places import SIMULATOR

pytestmark = pytest.mark.django_db
MINUTE = 60_000
BTC: dict[str, Any] = {"venue": SIMULATOR, "symbol": "BTCUSDT", "interval": "1m"}
CANDLES = "/api/v1/candles?symbol=BTCUSDT&interval=1m"


@pytest.fixture(autouse=True)
def _ten_candles(db, settings):
    settings.VENUE_ENVIRONMENT = "simulator"
    store.store(**BTC, rows=candles(10))


def walk(client, address: str) -> list[list[int]]:
    """Follow `next` to the end; return the minutes of each page."""
    pages = []
    while address:
        body = client.get(address).json()
        pages.append([(ms - START_MS) // MINUTE for ms in body["candles"]["opened_ms"]])
        address = body["next"]
    return pages


def test_columns_tell_what_was_stored(api_client):
    body = api_client.get(CANDLES + "&limit=1").json()

    of = {**SIMULATOR.columns(), "symbol": "BTCUSDT", "interval": "1m", "count": 1}
    assert {name: body[name] for name in of} == of
    last = candles(10)[-1]
    assert {name: column[0] for name, column in body["candles"].items()} == last._asdict()


def test_without_a_start_pages_go_back_from_the_newest(api_client):
    assert walk(api_client, CANDLES + "&limit=4") == [[6, 7, 8, 9], [2, 3, 4, 5], [0, 1]]


def test_with_a_start_pages_go_forward(api_client):
    start = START_MS + 2 * MINUTE

    pages = walk(api_client, f"{CANDLES}&limit=5&start={start}&end={start + 7 * MINUTE}")

    assert pages == [[2, 3, 4, 5, 6], [7, 8]]


def test_a_start_of_zero_is_a_start(api_client):
    assert walk(api_client, CANDLES + "&limit=6&start=0") == [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9]]


def test_times_may_be_words(api_client):
    window = "&start=2024-08-09T00:02:00Z&end=2024-08-09T02:04:00%2B02:00"

    assert walk(api_client, CANDLES + window) == [[2, 3]]


def test_other_markets_are_empty(api_client):
    body = api_client.get(CANDLES + "&market=usdm").json()

    assert (body["count"], body["next"], body["candles"]["close"]) == (0, None, [])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("symbol=BTCUSDT", "interval"),
        ("interval=1m", "symbol"),
        ("symbol=BTCUSDT&interval=7m", "interval"),
        ("symbol=btc/usdt&interval=1m", "symbol"),
        ("symbol=BTCUSDT&interval=1m&market=coinm", "market"),
        ("symbol=BTCUSDT&interval=1m&environment=moon", "environment"),
        ("symbol=BTCUSDT&interval=1m&limit=0", "limit"),
        ("symbol=BTCUSDT&interval=1m&limit=5001", "limit"),
        ("symbol=BTCUSDT&interval=1m&start=yesterday", "start"),
        ("symbol=BTCUSDT&interval=1m&start=2024-08-09T00:00:00", "start"),
        ("symbol=BTCUSDT&interval=1m&end=99999999999999999999", "end"),
        ("symbol=BTCUSDT&interval=1m&start=5&end=5", "start"),
        ("symbol=BTCUSDT&interval=1m&from=5", "from"),
        ("symbol=BTCUSDT&interval=1m&end=", "end"),
    ],
)
def test_a_bad_parameter_is_named(api_client, query, field):
    answer = api_client.get(f"/api/v1/candles?{query}")

    assert answer.status_code == 400
    assert field in str(answer.json())


def test_nobody_reads_without_a_login(anonymous_client):
    for address in (CANDLES, "/api/v1/candle-series", "/api/v1/funding-rates?symbol=BTCUSDT"):
        assert anonymous_client.get(address).status_code == 401


def test_a_page_costs_two_queries_and_counts_nothing(api_client):
    with CaptureQueriesContext(connection) as seen:
        api_client.get(CANDLES)

    assert len(seen) == 2
    assert not [q for q in seen.captured_queries if "count(" in q["sql"].lower()]


def test_the_series_tell_what_there_is_and_what_is_missing(api_client):
    store.store(**BTC, rows=[candle(START_MS + 12 * MINUTE)])
    one = Series.objects.get()
    Outage.objects.create(
        series=one, start_ms=START_MS, end_ms=START_MS + 1, asked_at="2024-08-09T00:00:00Z"
    )

    [listed] = api_client.get("/api/v1/candle-series?symbol=BTCUSDT").json()["results"]
    shown = api_client.get(f"/api/v1/candle-series/{one.pk}").json()

    assert (listed["first_at"], listed["last_ms"]) == (
        "2024-08-09T00:00:00Z",
        START_MS + 12 * MINUTE,
    )
    assert (listed["count"], listed["missing"], listed["absent"]) == (11, 2, 0)
    assert shown["outages"][0]["start_ms"] == START_MS


def test_funding_rates_are_paged(api_client):
    rows = [Funding(START_MS + i * 8 * 3_600_000, i / 1e4, None, "Regular") for i in range(5)]
    funding.store(venue=venue("simulator", "usdm"), symbol="BTCUSDT", rows=rows)

    newest = api_client.get("/api/v1/funding-rates?symbol=BTCUSDT&limit=3").json()
    older = api_client.get(newest["next"]).json()
    forward = api_client.get(f"/api/v1/funding-rates?symbol=BTCUSDT&limit=4&start={START_MS}")

    assert newest["rates"]["rate"] == [0.0002, 0.0003, 0.0004]
    assert (older["rates"]["rate"], older["next"]) == ([0.0, 0.0001], None)
    assert forward.json()["rates"]["mark_price"] == [None] * 4
    assert len(api_client.get(forward.json()["next"]).json()["rates"]["rate"]) == 1
