"""An adopted order goes to the account it belongs to, as far as that can be told."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from exchanges.domain.orders import OrderListRequest, OrderRequest, OrderType, Side, TimeInForce
from exchanges.models import VenueAccount
from tests.fakes.exchange import FakeExchange
from tests.places import account_at
from trading.models import Order, OrderList, Position, VirtualAccount
from trading.services.orders import adoption, fills, venue_sweep
from trading.services.protection import keeper

pytestmark = pytest.mark.django_db


@pytest.fixture
def main(send) -> VirtualAccount:
    send(action="close", quantity=None)  # denied: it makes the default account and nothing else
    return VirtualAccount.objects.get()


def another(name: str, **fields) -> VirtualAccount:
    venue_account = VenueAccount.objects.get(environment="simulator")
    return VirtualAccount.objects.create(name=name, venue_account=venue_account, **fields)


def buy(venue: FakeExchange, name: str = "ptr-e-lost") -> None:
    venue.place_order(OrderRequest(name, "BTCUSDT", Side.BUY, OrderType.MARKET, Decimal("0.01")))


def adopt() -> set[int]:
    venue_sweep.run(VenueAccount.objects.get(environment="simulator"))
    return adoption.run(now=timezone.now() + timedelta(seconds=3))


def test_the_only_account_that_is_on_takes_it(main, venue):
    another("old", enabled=False, allowed_symbols=["BTCUSDT"])
    buy(venue)
    adopt()
    assert Order.objects.get().account == main


def test_of_several_the_one_that_holds_the_symbol_takes_it(main, venue, send):
    holder = another("holder")
    Position.objects.create(
        account=holder, symbol="BTCUSDT", is_open=True, quantity=1, updated_at=timezone.now()
    )
    buy(venue)
    adopt()
    assert Order.objects.get().account == holder


def test_else_the_one_made_for_the_symbol(main, venue):
    made_for_it = another("bitcoin", allowed_symbols=["BTCUSDT"])
    buy(venue)
    adopt()
    assert Order.objects.get().account == made_for_it


def test_else_the_default_one(main, venue):
    another("a-second")
    buy(venue)
    adopt()
    assert Order.objects.get().account == main
    assert main.is_default


def test_a_protective_id_proves_whose_it_is(main, venue, send):
    other = another("other")
    send()
    position = Position.objects.get()
    with transaction.atomic():
        keeper.ensure(position.pk, actor="test")
        transaction.set_rollback(True)
    Position.objects.create(
        account=other, symbol="BTCUSDT", is_open=True, quantity=1, updated_at=timezone.now()
    )
    adopt()
    assert Order.objects.get(role="stop_loss").account == main


def test_a_bracket_is_adopted_with_its_legs_as_one_list(main, venue):
    def leg(name: str, side: Side, kind: OrderType, **prices: str) -> OrderRequest:
        figures: dict[str, Any] = {key: Decimal(value) for key, value in prices.items()}
        good = TimeInForce.GTC if kind is OrderType.LIMIT else None
        return OrderRequest(
            name, "BTCUSDT", side, kind, Decimal("0.01"), time_in_force=good, **figures
        )

    venue.place_order_list(
        OrderListRequest(
            "ptr-b-lost",
            "BTCUSDT",
            working=leg("ptr-e-lost", Side.BUY, OrderType.LIMIT, price="44000"),
            target=leg("ptr-t-lost", Side.SELL, OrderType.LIMIT_MAKER, price="46000"),
            stop=leg("ptr-s-lost", Side.SELL, OrderType.STOP, stop_price="43000"),
        )
    )
    adopt()

    [order_list] = OrderList.objects.all()
    assert (order_list.kind, order_list.list_client_order_id) == ("OTOCO", "ptr-b-lost")
    assert dict(order_list.orders.values_list("role", "status")) == {
        "entry": "OPEN",
        "take_profit": "PENDING",
        "stop_loss": "PENDING",
    }
    entry = order_list.orders.get(role="entry")
    assert entry.stop_loss == 43000
    assert entry.take_profit == 46000
    assert entry.stop_distance == ""
    venue.drain_news()
    venue.move("BTCUSDT", 44000)
    for report in venue.drain_news():
        fills.apply(report, account=account_at(), actor="user stream")
    assert Position.objects.get().stop_price == 43000


def test_an_entry_added_to_a_guarded_position_keeps_its_stop(main, venue, send):
    send(stop_loss=42000)
    buy(venue)
    adopt()
    assert Position.objects.get().stop_price == 42000


def test_a_conditional_entry_of_ours_is_an_entry(main, venue):
    venue.place_order(
        OrderRequest(
            "ptr-e-waits",
            "BTCUSDT",
            Side.BUY,
            OrderType.STOP,
            Decimal("0.01"),
            stop_price=Decimal(46000),
        )
    )
    adopt()
    order = Order.objects.get()
    assert (order.role, order.type, order.status) == ("entry", "STOP", "OPEN")
    assert order.stop_distance == "2%"
