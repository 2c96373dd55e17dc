from __future__ import annotations

from decimal import Decimal

import pytest

from tests.fakes.exchange import FakeExchange
from tests.limits import set_limits
from trading.models import Order, Position
from trading.services.protection import keeper

pytestmark = pytest.mark.django_db


@pytest.fixture
def leaving(send, venue: FakeExchange) -> Order:
    """All of a position is on offer, far above the market."""
    send(stop_loss=44000)
    keeper.ensure(Position.objects.get().pk, actor="test")
    outcome = send(action="sell", quantity="0.01", order_type="limit", price=50000)
    keeper.ensure(Position.objects.get().pk, actor="test")
    assert outcome.order.status == "OPEN", outcome.order.reason
    return outcome.order


def test_a_close_cancels_the_exit_and_gets_out(send, leaving):
    outcome = send(action="close", quantity=None)

    assert outcome.order.status == "FILLED", outcome.order.reason
    leaving.refresh_from_db()
    assert leaving.status == "CANCELED"
    assert Position.objects.get().quantity < Decimal("0.00001")


def test_no_coin_is_sold_twice(send, venue: FakeExchange, leaving):
    send(action="close", quantity=None)
    again = send(action="close", quantity=None)

    assert again.order is None
    assert sum(o.booked_quantity for o in Order.objects.filter(side="SELL")) == Decimal("0.00999")


def test_a_second_close_on_its_way_counts_as_selling(send, venue: FakeExchange):
    send(stop_loss=44000)
    venue.lose_reply_next(executed=True)  # of the close: its outcome is unknown
    venue.hide_from_queries(2)
    first = send(action="close", quantity=None)
    assert first.order.status == "SUBMITTING"

    again = send(action="close", quantity=None)

    assert again.decision.code == "POSITION_ALREADY_EXITING"


def test_a_reduce_leaves_the_exit_and_says_what_is_in_the_way(send, leaving):
    outcome = send(action="sell", quantity="0.004")

    assert outcome.decision.code == "POSITION_ALREADY_EXITING"
    leaving.refresh_from_db()
    assert leaving.status == "OPEN"


def test_a_position_on_offer_is_no_dust(leaving):
    position = Position.objects.get()
    assert not position.is_dust
    assert position.naked_since is None


def test_a_position_on_offer_still_takes_its_slot(send, leaving):
    set_limits(max_open_positions=1)

    outcome = send(symbol="ETHUSDT", quantity="1", stop_loss=2900)

    assert outcome.decision.code == "OPEN_POSITIONS_AT_MAX"
