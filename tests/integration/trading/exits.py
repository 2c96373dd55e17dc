"""Exits that ended short, as a venue that refuses them leaves them."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from tests.fakes.exchange import FakeExchange
from trading.models import Order


def waiting_to_go_on(send, venue: FakeExchange) -> Order:
    """A close that was refused, whose successor waits to be sent; returns the successor."""
    send(stop_loss=44000)
    venue.reject_next(-1013, "Market is closed.")
    send(action="close", quantity=None)
    return Order.objects.get(role="exit", status="NEW")


def about_to_go_on(send, venue: FakeExchange) -> Order:
    """A close that was refused and has no successor yet."""
    successor = waiting_to_go_on(send, venue)
    order = successor.continues
    successor.delete()
    assert order is not None
    order.follow_up_at = timezone.now() + timedelta(seconds=30)
    order.save()
    return order
