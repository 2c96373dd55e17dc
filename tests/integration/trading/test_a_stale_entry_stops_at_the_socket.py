"""An entry's age counts from its signal, and is looked at right before the socket."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from trading.models import Order
from trading.services.execution import reconciliation
from trading.services.orders import lifecycle

pytestmark = pytest.mark.django_db


def seconds_ago(seconds: float) -> str:
    return (timezone.now() - timedelta(seconds=seconds)).isoformat()


@pytest.fixture
def make(send, venue) -> Callable[..., list[Order]]:
    """An approved order that was not sent yet, of a signal as old as told."""

    def _make(*, emitted: float, status: str, **fields: object) -> list[Order]:
        order = send(**fields).order
        decision = order.decision
        decision.intent = {**decision.intent, "emitted_at": seconds_ago(emitted)}
        decision.save()
        now = timezone.now()
        Order.objects.filter(pk=order.pk).update(
            status=status,
            client_order_id=f"ptr-e-stale-{order.pk}",
            created_at=now,
            submitted_at=now if status == "SUBMITTING" else None,
            next_check_at=now,
            booked_quantity=0,
            executed_quantity=0,
            booked_quote=0,
            executed_quote=0,
            acknowledged_at=None,
            closed_at=None,
        )
        venue.calls.clear()
        return lifecycle.load(order.pk)

    return _make


@pytest.mark.parametrize("status", ["NEW", "SUBMITTING"])
def test_an_entry_of_an_old_signal_is_not_sent(make, venue, status):
    rows = make(emitted=61, status=status)

    assert not lifecycle.submit(rows, actor="test", claimed=status == "SUBMITTING").was_sent

    assert venue.count("place_order") == 0
    order = Order.objects.get(pk=rows[0].pk)
    assert order.status == "NOT_PLACED"
    assert order.reason.startswith("ORDER_STALE: limit=60 actual=61 (seconds since the signal")


@pytest.mark.parametrize("status", ["NEW", "SUBMITTING"])
def test_an_entry_of_a_fresh_signal_is_sent(make, venue, status):
    rows = make(emitted=50, status=status)

    assert lifecycle.submit(rows, actor="test", claimed=status == "SUBMITTING").was_sent


def test_the_sweep_sends_no_old_entry_that_was_put_back(make, venue):
    rows = make(emitted=61, status="NEW")
    Order.objects.update(created_at=timezone.now() - timedelta(seconds=5))

    reconciliation.run()

    assert venue.count("place_order") == 0
    assert Order.objects.get(pk=rows[0].pk).status == "NOT_PLACED"


def test_an_exit_leaves_however_old_its_signal_is(send, venue):
    send()
    outcome = send(action="close", quantity=None, timestamp=seconds_ago(3600))

    assert outcome.order.status == "FILLED"
