from __future__ import annotations

import pytest

from trading.models import Order, Position
from trading.services.protection import keeper

pytestmark = pytest.mark.django_db


def test_nothing_is_sold_that_is_not_held(send, venue):
    outcome = send(action="sell", quantity=0.01)

    assert outcome.decision.code == "NO_POSITION_TO_CLOSE"
    assert venue.placed == []


def test_a_sale_carries_no_levels_of_its_own(send, venue):
    """A default stop above the price of a sale would be the stop of a short."""
    send(quantity=0.01)

    order = send(action="sell", quantity=0.004, stop_loss=46000, take_profit=43000).order

    assert order.status == "FILLED"
    assert (order.stop_loss, order.take_profit) == (None, None)


def test_what_is_left_keeps_the_stop_below(send, venue):
    send(quantity=0.01, stop_loss=44000)
    send(action="sell", quantity=0.004)
    position = Position.objects.get()
    keeper.ensure(position.pk, actor="test")

    stop = Order.objects.get(role="stop_loss", status="OPEN")
    assert stop.stop_price == position.stop_price == 44000
    assert stop.side == "SELL"
