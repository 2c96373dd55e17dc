"""The role of an order decides the purpose of its request, and the purpose its budget."""

from __future__ import annotations

import pytest

from exchanges.domain.orders import OrderListRequest, OrderRequest, Purpose
from trading.models import Position
from trading.services.protection import keeper

pytestmark = pytest.mark.django_db


def purposes(venue) -> list[Purpose]:
    asked = [request for _, request in venue.calls]
    return [one.purpose for one in asked if isinstance(one, OrderRequest | OrderListRequest)]


def test_a_market_entry_is_an_entry_and_its_stop_protection(send, venue):
    send(stop_loss=44000)
    keeper.ensure(Position.objects.get().pk, actor="test")

    assert purposes(venue) == [Purpose.ENTRY, Purpose.PROTECTION]


def test_a_close_is_an_exit(send, venue):
    send()
    send(action="close", quantity=None)

    assert purposes(venue)[-1] is Purpose.EXIT


def test_an_entry_that_travels_with_stop_and_target_is_an_entry(send, venue):
    send(order_type="limit", price=44000, stop_loss=43000, take_profit=46000)

    assert purposes(venue) == [Purpose.ENTRY]


def test_a_resting_exit_that_travels_with_the_stop_is_an_exit(send, venue):
    send(stop_loss=44000)
    send(action="close", quantity=None, order_type="limit", price=46000)

    assert purposes(venue)[-1] is Purpose.EXIT
