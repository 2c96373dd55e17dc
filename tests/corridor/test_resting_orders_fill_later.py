"""A resting entry that the market comes to: told by the user stream, or found without it."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest

from tests.product import a_signal

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def rest_and_fill(whole):
    """Rest a limit entry below the market of SYMBOL, then bring the market to it."""
    moved = []

    def act(symbol, market, limit, quantity, **fields):
        moved.append((symbol, market))
        sent = a_signal(symbol=symbol, price=limit, quantity=quantity, order_type="limit", **fields)
        answer = whole.post("/trade", sent)
        assert answer.status == 200, answer
        assert answer.body["result"]["status"] == "open"
        whole.venue.control("price", {"symbol": symbol, "price": str(limit - limit / 1000)})
        started = time.monotonic()
        order = whole.eventually(lambda: filled(whole, sent["signal_uid"]), 60)
        return order, time.monotonic() - started

    yield act
    for symbol, market in moved:
        whole.venue.control("price", {"symbol": symbol, "price": str(market)})


def filled(product, uid):
    """The entry when it is filled and its trades are booked: reconciliation learns them second."""
    orders = product.get(f"/api/v1/signals/{uid}/").body["orders"]
    entry = next(o for o in orders if o["role"] == "entry")
    return entry if entry["status"] == "FILLED" and entry["fills"] else None


def who_told(product, uid):
    query = f"/api/v1/audit/?signal_uid={uid}&kind=order.filled"
    return product.get(query).body["results"][-1]["actor"]


def test_the_user_stream_brings_the_fill_at_once(whole, rest_and_fill):
    order, seconds = rest_and_fill(
        "LTCUSDT", 85, 84.0, 0.5, stop_loss=80, take_profit=90, signal_uid="resting-by-stream"
    )
    assert who_told(whole, "resting-by-stream") == "user stream"
    assert seconds < 4  # reconciliation looks every five
    assert sum(Decimal(f["quantity"]) for f in order["fills"]) == Decimal("0.5")
    assert all(f["is_maker"] for f in order["fills"])
    position = whole.eventually(lambda: protected(whole, "LTCUSDT"))
    assert Decimal(position["stop_price"]) == 80


def test_without_the_user_stream_reconciliation_finds_the_fill(whole, rest_and_fill):
    whole.stop("userstream")
    try:
        order, _ = rest_and_fill(
            "BCHUSDT", 480, 470.0, 0.1, stop_loss=440, take_profit=520, signal_uid="resting-by-rest"
        )
    finally:
        whole.start("userstream")
    assert who_told(whole, "resting-by-rest") == "reconciliation"
    assert sum(Decimal(f["quantity"]) for f in order["fills"]) == Decimal("0.1")
    position = whole.eventually(lambda: protected(whole, "BCHUSDT"))
    assert Decimal(position["stop_price"]) == 440


def test_what_was_missed_while_the_stream_was_away_is_caught_up_on_return(whole):
    sent = a_signal(
        symbol="ATOMUSDT", price=4.7, quantity=10, order_type="limit", stop_loss=4.4, take_profit=5
    )
    whole.stop("userstream")
    assert whole.post("/trade", sent).body["result"]["status"] == "open"
    whole.venue.control("price", {"symbol": "ATOMUSDT", "price": "4.69"})
    whole.start("userstream")
    try:
        whole.eventually(lambda: filled(whole, sent["signal_uid"]), 60)
        whole.eventually(lambda: protected(whole, "ATOMUSDT"))
    finally:
        whole.venue.control("price", {"symbol": "ATOMUSDT", "price": "4.8"})


def protected(product, symbol):
    found = product.get(f"/api/v1/positions/?symbol={symbol}").body["results"]
    good = [p for p in found if p["is_open"] and p["naked_since"] is None]
    return good[0] if good else None


def test_a_stop_that_fires_closes_the_position_and_takes_its_target_along(whole):
    sent = a_signal(symbol="AVAXUSDT", price=22, quantity=2, stop_loss=21, take_profit=24)
    assert whole.post("/trade", sent).status == 200
    whole.eventually(lambda: protected(whole, "AVAXUSDT"))
    whole.venue.control("price", {"symbol": "AVAXUSDT", "price": "20.9"})
    try:
        whole.eventually(lambda: sold(whole, "AVAXUSDT"))
        whole.eventually(lambda: not resting(whole, "AVAXUSDT"))
    finally:
        whole.venue.control("price", {"symbol": "AVAXUSDT", "price": "22"})


def sold(product, symbol):
    [found] = product.get(f"/api/v1/positions/?symbol={symbol}").body["results"]
    return Decimal(found["quantity"]) < Decimal("0.01")


def resting(product, symbol):
    return [
        o
        for o in product.venue.control("ledger")["orders"]
        if o["symbol"] == symbol and o["status"] in ("NEW", "PARTIALLY_FILLED", "PENDING_NEW")
    ]
