from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from trading.models import Order
from trading.services.orders import lifecycle

pytestmark = pytest.mark.django_db


@pytest.fixture
def claimed(send) -> list[Order]:
    """An entry as its decider leaves it: on its way, and not sent."""
    order = send().order
    order.pk = order.decision = None
    order.client_order_id = "ptr-e-heldup"
    order.status = "SUBMITTING"
    order.created_at = order.submitted_at = timezone.now()
    order.booked_quantity = order.executed_quantity = 0
    order.booked_quote = order.executed_quote = 0
    order.acknowledged_at = order.closed_at = None
    order.save()
    return [order]


def test_one_that_comes_in_time_sends(claimed, venue):
    before = venue.count("place_order")
    assert lifecycle.submit(claimed, actor="test", claimed=True).was_sent
    assert venue.count("place_order") == before + 1


def test_one_that_was_held_up_does_not(claimed, venue):
    before = venue.count("place_order")
    claimed[0].submitted_at -= timedelta(seconds=20)

    assert not lifecycle.submit(claimed, actor="test", claimed=True).was_sent

    assert venue.count("place_order") == before
    assert claimed[0].status == "NOT_PLACED"
    assert "held up" in claimed[0].reason
