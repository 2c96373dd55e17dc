from __future__ import annotations

from decimal import Decimal

import pytest

from audit.models import Event
from signals_app.models import Signal
from trading.models import Fill, Order, Position

pytestmark = pytest.mark.django_db


def test_a_buy_is_filled_and_booked(send):
    outcome = send()

    assert outcome.signal.status == Signal.Status.ROUTED
    assert outcome.decision is not None
    assert outcome.decision.approved, outcome.decision.message
    assert outcome.order is not None
    assert outcome.order.status == "FILLED"
    assert Fill.objects.filter(order=outcome.order).exists()
    position = Position.objects.get()
    assert position.is_open
    # Binance takes the fee of a buy out of what was bought.
    assert position.quantity == Decimal("0.01") * Decimal("0.999")
    assert outcome.positions == {position.pk}


def test_every_step_leaves_its_line_in_the_trail(send):
    outcome = send()

    kinds = Event.objects.filter(signal_uid=outcome.signal.uid).order_by("pk")
    assert list(kinds.values_list("kind", flat=True)) == [
        "signal.received",
        "decision.approved",
        "order.created",
        "order.submitting",
        "fill.booked",
        "order.filled",
    ]


def test_acting_twice_trades_once(send, venue):
    from signals_app.services import routing

    outcome = send()
    again = routing.act_on(outcome.signal.pk)

    assert again.order == outcome.order
    assert not again.acted_now
    assert Order.objects.filter(role="entry").count() == 1
    assert len([c for c in venue.calls if c[0] == "place_order"]) == 1


def test_the_balance_is_promised_at_once(send):
    from exchanges.models import Balance

    send(quantity=0.1)

    assert Balance.objects.get(asset="USDT").free < Decimal("95500")
