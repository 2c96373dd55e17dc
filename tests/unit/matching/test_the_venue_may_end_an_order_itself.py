"""The venue's own end of an order: money comes back, its list ends with it."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from exchanges.matching import VenueRefusal
from exchanges.matching.enums import ExpiryReason, OrderStatus
from tests.unit.matching.venue import BTC, Venue

WHY = ExpiryReason.EXECUTION_RULE_PRICE_RANGE_EXCEEDED


def test_what_it_held_is_free_again() -> None:
    venue = Venue()
    order = venue.buy(1, 90).order
    venue.engine.expire("a", BTC, order.order_id, WHY, venue.now)
    ended = venue.engine.order("a", BTC, order_id=order.order_id)
    assert (ended.status, ended.expiry_reason) == (OrderStatus.EXPIRED, WHY)
    balances = {asset: (free, locked) for asset, free, locked in venue.engine.account("a").balances}
    assert balances["USDT"] == (D(10_000), D(0))


def test_what_is_over_cannot_end_again() -> None:
    venue = Venue()
    order = venue.buy(1, 90).order
    venue.engine.expire("a", BTC, order.order_id, WHY, venue.now)
    with pytest.raises(VenueRefusal, match="-2011"):
        venue.engine.expire("a", BTC, order.order_id, WHY, venue.now)
