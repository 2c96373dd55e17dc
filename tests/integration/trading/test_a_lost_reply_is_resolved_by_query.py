from __future__ import annotations

import pytest
from django.utils import timezone

from tests.integration.trading.clock import time_passes
from trading.models import Fill, Order, Position
from trading.services.execution import reconciliation

pytestmark = pytest.mark.django_db


def test_an_order_that_executed_is_found_and_booked(send, venue):
    venue.lose_reply_next(executed=True)
    outcome = send()
    assert outcome.order is not None
    assert outcome.order.status == "SUBMITTING"
    assert outcome.order.unknown_since is not None

    time_passes(5)
    touched = reconciliation.run()

    order = Order.objects.get(role="entry")
    assert order.status == "FILLED"
    assert order.booked_quantity == order.quantity
    assert Fill.objects.count() == 1
    assert Position.objects.get().pk in touched
    assert len([c for c in venue.calls if c[0] == "place_order"]) == 1


def test_an_order_that_never_arrived_is_declared_not_placed_after_proof(send, venue):
    venue.lose_reply_next(executed=False)
    send()

    time_passes(5)
    reconciliation.run()
    assert Order.objects.get().status == "SUBMITTING"  # not found is no proof yet

    for _ in range(4):
        time_passes(30)
        reconciliation.run()

    assert Order.objects.get().status == "NOT_PLACED"
    assert len([c for c in venue.calls if c[0] == "place_order"]) == 1


def test_an_order_that_was_not_sent_is_sent_while_fresh(send, venue):
    venue.drop_next()
    outcome = send()
    assert outcome.order is not None
    assert outcome.order.status == "NEW"

    time_passes(5)
    reconciliation.run()

    assert Order.objects.get(role="entry").status == "FILLED"


def test_an_old_entry_is_called_off_instead_of_sent(send, venue):
    venue.drop_next()
    send()

    time_passes(120)
    reconciliation.run()

    order = Order.objects.get(role="entry")
    assert order.status == "NOT_PLACED"
    assert "old" in order.reason


def test_missing_fills_are_fetched(send, venue):
    venue.acknowledge_next()
    send()

    time_passes(5)
    reconciliation.run()

    order = Order.objects.get(role="entry")
    assert order.status == "FILLED"
    assert not order.fills_missing
    assert Fill.objects.filter(order=order).exists()
    assert timezone.now() > order.created_at
