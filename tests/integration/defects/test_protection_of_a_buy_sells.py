from __future__ import annotations

from decimal import Decimal

import pytest

from exchanges.domain.orders import OrderType, Side
from trading.models import Order, Position
from trading.services.protection import keeper

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("word", ["buy", "BUY", "Buy"])
def test_stop_and_target_of_a_buy_are_sales_on_both_sides_of_it(send, venue, word):
    send(action=word, stop_loss=44000, take_profit=47000)
    keeper.ensure(Position.objects.get().pk, actor="test")

    entry, *legs = venue.placed
    assert entry.side is Side.BUY
    assert [leg.side for leg in legs] == [Side.SELL, Side.SELL]
    prices = {leg.type: leg.stop_price or leg.price for leg in legs}
    assert prices == {OrderType.STOP: Decimal(44000), OrderType.LIMIT_MAKER: Decimal(47000)}


def test_so_are_those_that_travel_with_a_limit_entry(send, venue):
    send(order_type="limit", price=44000, stop_loss=43000, take_profit=46000)

    assert [order.side for order in venue.placed] == [Side.BUY, Side.SELL, Side.SELL]


def test_nothing_protective_ever_buys(send, venue):
    send(stop_loss=44000, take_profit=47000)
    keeper.ensure(Position.objects.get().pk, actor="test")
    send(action="sell", quantity=0.004)
    keeper.ensure(Position.objects.get().pk, actor="test")

    sides = Order.objects.exclude(role="entry").values_list("side", flat=True)
    assert set(sides) == {"SELL"}
