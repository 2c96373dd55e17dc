"""An exit waits for no placing whose outcome is unknown, and takes no more than it needs."""

from __future__ import annotations

from decimal import Decimal

import pytest

from exchanges.domain import errors
from trading.models import Order, Position
from trading.services.protection import keeper

pytestmark = pytest.mark.django_db


@pytest.fixture
def in_doubt(send, venue) -> Position:
    """A position whose only protective placing was lost on its way."""
    send(stop_loss=44000)
    position = Position.objects.get()
    venue.lose_reply_next(executed=False)
    venue.fail_read_next(errors.NotSent("connection refused"))
    keeper.ensure(position.pk, actor="test")
    assert [o.status for o in Order.objects.filter(role="stop_loss")] == ["SUBMITTING"]
    return position


def test_a_close_sells_at_once(send, venue, in_doubt):
    outcome = send(action="close", quantity=None)

    assert outcome.order.status == "FILLED"
    assert Position.objects.get().quantity < Decimal("0.00001")


def test_a_stop_passed_meanwhile_is_sold(venue, in_doubt):
    venue.set_quote("BTCUSDT", "43000", "43001")

    keeper.ensure(in_doubt.pk, actor="test")

    assert Order.objects.get(role="exit").status == "FILLED"


def test_a_reduce_leaves_the_other_parts_their_stops(send, venue):
    for _ in range(2):
        send(stop_loss=44000)
        keeper.ensure(Position.objects.get().pk, actor="test")
    before = set(Order.objects.filter(role="stop_loss", status="OPEN").values_list("pk", flat=True))

    send(action="sell", quantity=0.004)

    after = set(Order.objects.filter(role="stop_loss", status="OPEN").values_list("pk", flat=True))
    assert len(before & after) == 1, "one of the two lists stands all the time"
    covered = sum(o.quantity for o in Order.objects.filter(pk__in=after))
    assert covered == Decimal("0.01598")


def test_a_stop_the_venue_will_not_let_go_of_at_first_is_cancelled_again(send, venue):
    """Right after a placing some venues refuse the cancel, and show the order open."""
    send(stop_loss=44000)
    keeper.ensure(Position.objects.get().pk, actor="test")
    venue.reject_cancel_next(-2011, "Unknown order sent.")

    outcome = send(action="close", quantity=None)

    assert outcome.order.status == "FILLED"
    assert Order.objects.filter(role="exit").count() == 1


def test_a_second_resting_exit_frees_its_own_coins(send, venue):
    """The first one holds its part: only the protective list can give the second its coins."""
    send(stop_loss=44000, quantity=0.02)
    keeper.ensure(Position.objects.get().pk, actor="test")
    first = send(action="sell", quantity=0.004, order_type="stop", stop_price=43000).order
    assert first.status == "OPEN"

    second = send(action="sell", quantity=0.004, order_type="stop", stop_price=43000).order

    assert second.status == "OPEN"
    assert not Order.objects.filter(status="REJECTED").exists()
    covered = Order.objects.filter(type="STOP", status="OPEN")
    assert sum(o.quantity for o in covered) == Decimal("0.01998")
