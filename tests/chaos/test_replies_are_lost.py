"""The venue's answers get lost or say nothing: orders are asked for, never sent again."""

from __future__ import annotations

import pytest

from tests.chaos import flow

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
COUNT = 160
EACH = 6
ON_ORDERS = ("drop_reply", "drop_request", "timeout", "unavailable", "error", "garbled", "hang")


def test_what_became_of_an_order_is_asked_and_it_is_never_sent_again(tmp_path, tell):
    with flow.under_way(
        tmp_path,
        "replies",
        COUNT,
        BINANCE_TIMEOUT_SECONDS="2",
        MAX_VENUE_LATENCY_MS="0",  # else nothing new is sent
    ) as running:
        venue = running.product.venue
        running.reach(0.1)
        for kind in ON_ORDERS:
            extra = {"seconds": 4} if kind == "hang" else {}
            venue.fault(kind, method="POST", path="/api/v3/order", count=EACH, **extra)
        venue.fault("hide_order", count=EACH)
        figures = running.settle(150)
        unused = venue.control("faults")
    tell(**figures)
    assert not unused
    assert figures["orders_unknown_meanwhile"] >= EACH * len(ON_ORDERS)
    assert figures["FILLED"] >= COUNT - EACH * len(ON_ORDERS)


def test_an_order_the_venue_will_not_take_yet_is_sent_later(tmp_path, tell):
    with flow.under_way(tmp_path, "limits", 80) as running:
        running.reach(0.2)
        running.product.venue.fault("order_limit", method="POST", count=2, retry_after=2)
        figures = running.settle()
    tell(**figures)
    assert figures["orders_put_back"]
    assert figures["FILLED"] == 80


def test_while_nothing_may_be_asked_nothing_new_is_opened(tmp_path, tell):
    with flow.under_way(tmp_path, "weight", 80) as running:
        running.reach(0.2)
        running.product.venue.fault("weight_limit", method="POST", retry_after=4)
        figures = running.settle()
    tell(**figures)
    assert figures["QUOTE_UNKNOWN"]
    unseen = ("QUOTE_UNKNOWN", "QUOTE_STALE", "SLIPPAGE_UNKNOWN")  # a price may just still be there
    assert figures["FILLED"] + sum(figures.get(code, 0) for code in unseen) == 80
