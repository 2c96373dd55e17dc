"""On spot there is nothing to sell before the entry has filled."""

from __future__ import annotations

from decimal import Decimal

import pytest

from exchanges.domain.orders import Side
from tests.integration.trading.clock import time_passes
from tests.places import account_at
from trading.models import Order, Position
from trading.services.execution import reconciliation
from trading.services.orders import fills
from trading.services.protection import keeper

pytestmark = pytest.mark.django_db


@pytest.fixture
def resting(send) -> Order:
    return send(order_type="limit", price=44000, stop_loss=43000).order


def everything_looks() -> None:
    time_passes(10)
    for position_id in reconciliation.run():
        keeper.ensure(position_id, actor="test")


def sales(venue) -> list[Decimal | None]:
    return [order.quantity for order in venue.placed if order.side is Side.SELL]


def test_a_resting_entry_has_no_order_that_sells(resting, venue):
    everything_looks()

    assert sales(venue) == []


def test_after_a_part_only_that_part_is_protected(resting, venue):
    report = venue.fill(resting.client_order_id, quantity="0.004")
    fills.apply(report, account=account_at(), actor="user stream")
    everything_looks()

    assert sales(venue) == [Decimal("0.00399")]


def test_after_the_whole_all_of_it_is(resting, venue):
    venue.move("BTCUSDT", 43900)
    everything_looks()

    assert sales(venue) == [Decimal("0.00999")]
    assert Position.objects.get().naked_since is None
