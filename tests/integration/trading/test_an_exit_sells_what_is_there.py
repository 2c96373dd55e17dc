"""An exit from a position that is short of coins sells what is there, and frees it first."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.integration.trading.withdrawals import a_minute_passes, look, withdraw
from trading.models import Order, Position
from trading.services.protection import keeper

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def short(send, venue) -> Position:
    """0.00999 BTC in the books, 0.00799 at the venue, all of it under a stop."""
    send(stop_loss=44000, take_profit=47000)
    position = Position.objects.get()
    keeper.ensure(position.pk, actor="test")
    a_minute_passes()
    withdraw(venue, "0.002")
    keeper.ensure(position.pk, actor="test")
    return position


def sold() -> Decimal:
    rows = Order.objects.filter(role="exit")
    return sum((o.executed_quantity for o in rows), D(0))


def test_a_reduce_of_a_noted_shortfall_is_not_refused(short, send):
    assert look(short).shortfall == D("0.002")

    assert send(action="sell", quantity=0.001).order.status == "FILLED"

    assert sold() == D("0.001")
    assert not Order.objects.filter(status="REJECTED", role="exit").exists()


def test_a_reduce_of_a_shortfall_nobody_noted_is_refused_once(short, send):
    Position.objects.update(shortfall=0)

    send(action="sell", quantity=0.001)

    assert sold() == D("0.001")
    assert Order.objects.filter(status="REJECTED", role="exit").count() == 1


def test_a_close_sells_all_that_is_there(short, send):
    Position.objects.update(shortfall=0)

    send(action="close", quantity=None)

    assert sold() == D("0.00799")
    assert look(short).shortfall == D("0.002")


def test_what_is_left_after_a_reduce_is_protected_again(short, send):
    look(short)
    send(action="sell", quantity=0.001)

    stops = Order.objects.filter(role="stop_loss", status="OPEN")
    assert sum((o.quantity for o in stops), D(0)) == D("0.00699")
