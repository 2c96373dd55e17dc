"""Adopted by many at the same time, an order is adopted once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from audit.models import Event
from exchanges.domain.orders import OrderRequest, OrderType, Side
from exchanges.models import VenueAccount
from foundation import locks
from trading.models import Fill, Order, Position, TradingState, UnknownOrder
from trading.services.orders import adoption, venue_sweep

pytestmark = pytest.mark.django_db(transaction=True)
MANY = 4


@contextmanager
def granted_to_everybody(what, **_):
    """What a lost Redis comes to: nobody is kept out."""
    yield True


def adopt() -> None:
    try:
        adoption.run(now=timezone.now() + timedelta(seconds=3))
    finally:
        connection.close()


def test_adopted_by_many_it_is_booked_once(venue, send, monkeypatch):
    monkeypatch.setattr(locks, "at", granted_to_everybody)
    send(action="close", quantity=None)
    venue.place_order(
        OrderRequest("ptr-e-lost", "BTCUSDT", Side.BUY, OrderType.MARKET, Decimal("0.01"))
    )
    venue_sweep.run(VenueAccount.objects.get(environment="simulator"))

    with ThreadPoolExecutor(MANY) as pool:
        for done in [pool.submit(adopt) for _ in range(MANY)]:
            done.result()
    adopt()

    assert (Order.objects.count(), Fill.objects.count()) == (1, 1)
    assert Event.objects.filter(kind="order.adopted").count() == 1
    assert Position.objects.get().quantity == Decimal("0.00999")
    assert UnknownOrder.objects.filter(settled_at=None).count() == 0
    assert TradingState.objects.count() == 1
