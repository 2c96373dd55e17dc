from __future__ import annotations

from decimal import Decimal

import pytest

from trading.models import Order, Position
from trading.services.protection import keeper

pytestmark = pytest.mark.django_db


@pytest.fixture
def held(send):
    send(stop_loss=44000, take_profit=47000)
    position = Position.objects.get()
    keeper.ensure(position.pk, actor="test")
    return position


def test_a_close_cancels_the_protection_and_sells_all(send, held):
    outcome = send(action="sell", quantity=None)

    assert outcome.order is not None
    assert outcome.order.status == "FILLED"
    held.refresh_from_db()
    assert held.quantity < Decimal("0.00001")
    assert not Order.objects.filter(status="OPEN").exists()


def test_a_partial_exit_leaves_the_rest_protected_again(send, held):
    outcome = send(action="sell", quantity=0.004)

    assert outcome.order is not None
    assert outcome.order.status == "FILLED"
    assert outcome.positions == {held.pk}
    assert keeper.ensure(held.pk, actor="test")
    stop = Order.objects.get(role="stop_loss", status="OPEN")
    assert stop.quantity == Decimal("0.00599")


def test_a_resting_target_exit_travels_with_a_stop(send, held):
    outcome = send(action="sell", quantity=0.00999, order_type="limit", price=46000)

    assert outcome.order is not None
    assert outcome.order.status == "OPEN"
    stop = Order.objects.get(role="stop_loss", status="OPEN")
    assert stop.order_list_id == outcome.order.order_list_id
    assert keeper.ensure(held.pk, actor="test")
    assert Order.objects.filter(status="OPEN").count() == 2


def test_a_stop_exit_rests_and_counts_as_protection(send, held):
    outcome = send(action="sell", quantity=0.00999, order_type="stop", stop_price=43000)

    assert outcome.order is not None
    assert outcome.order.status == "OPEN"
    assert keeper.ensure(held.pk, actor="test")
    assert list(Order.objects.filter(status="OPEN")) == [outcome.order]


def test_a_sell_with_nothing_held_is_denied(send, venue):
    outcome = send(action="sell")

    assert outcome.decision is not None
    assert outcome.decision.code == "NO_POSITION_TO_CLOSE"


def test_exits_work_while_everything_is_halted(send, held):
    from trading.services.control import kill_switch

    kill_switch.engage(actor="test", reason="drill")

    assert send().decision.code == "TRADING_HALTED"
    assert send(action="close", quantity=None).order.status == "FILLED"
