from __future__ import annotations

import time

from exchanges.matching import NewOrder, OrderType, Side
from tests.unit.matching.venue import BTC, D, Venue, rows


def test_a_market_order_costs_well_under_a_millisecond():
    # It measures some 40 us; the bound leaves room for a loaded machine, not for a slow design.
    venue = Venue(order_limits=[])
    venue.quotes(rows((99, 100)), rows((101, 100)))
    best = 1.0
    for _ in range(5):
        started = time.thread_time()
        for side in (Side.BUY, Side.SELL) * 50:
            venue.engine.place(
                "a", NewOrder(BTC, side, OrderType.MARKET, quantity=D("0.1")), venue.now
            )
        best = min(best, (time.thread_time() - started) / 100)
    assert best < 0.0004
