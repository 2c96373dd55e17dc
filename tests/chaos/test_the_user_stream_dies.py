"""The user stream is dead while orders that rest at the venue fill: reconciliation books them."""

from __future__ import annotations

import time

import pytest

from tests.chaos import flow, load
from tests.product import a_signal

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
HIT = ("ETHUSDT", "SOLUSDT", "XRPUSDT", "ADAUSDT")


def test_stops_and_resting_entries_that_fill_meanwhile_are_booked(tmp_path, tell):
    with flow.under_way(tmp_path, "stream", 40) as running:
        product = running.product
        running.reach(1)
        resting = a_signal(
            symbol="LTCUSDT", price=80, quantity=0.5, order_type="limit", stop_loss=70,
            take_profit=95, strategy_id="stream", signal_uid="stream-resting",
        )  # fmt: skip
        assert product.post("/trade", resting).body["result"]["status"] == "open"
        running.payloads.append(resting)
        load.wait_until_settled(product, 41, 60)
        product.kill("userstream")
        started = time.monotonic()
        for symbol in HIT:
            half = load.SIZES[symbol][0] / 2
            product.venue.control("price", {"symbol": symbol, "price": str(half)})
        product.venue.control("price", {"symbol": "LTCUSDT", "price": "79"})
        product.eventually(lambda: still_open(product) == 0, 60)
        product.eventually(lambda: resting_status(product) == "FILLED", 60)
        seconds = time.monotonic() - started
        product.start("userstream")
        figures = running.settle()
        stops = product.rows("SELECT status FROM trading_order WHERE role = 'stop_loss'")
    tell(noticed_after_s=f"{seconds:.1f}", **figures)
    assert sum(o["status"] == "FILLED" for o in stops) >= len(HIT)
    assert seconds < 30


def still_open(product):
    marks = ", ".join("?" * len(HIT))
    held = "SELECT count(*) FROM trading_position WHERE is_open AND NOT is_dust"
    return product.value(f"{held} AND symbol IN ({marks})", *HIT)


def resting_status(product):
    return product.value(
        "SELECT status FROM trading_order WHERE role = 'entry' AND signal_uid = ?", "stream-resting"
    )
