"""What a position is protected at is a distance from what it cost, not from what it might have."""

from __future__ import annotations

import pytest

from tests.fakes.exchange import FakeExchange
from tests.places import account_at
from trading.models import Order, Position
from trading.services.orders import fills
from trading.services.protection import keeper

pytestmark = pytest.mark.django_db


def hear(report) -> None:
    assert fills.apply(report, account=account_at(), actor="user stream") is not None


def test_a_limit_far_above_the_market_is_stopped_below_what_it_paid(send, venue: FakeExchange):
    send(order_type="limit", price=46000)  # filled at 45,000

    position = Position.objects.get()
    assert position.average_entry_price >= 45000
    assert position.stop_price == 44100
    assert Order.objects.get().stop_loss == 44100


def test_its_stop_rests_at_the_venue(send, venue: FakeExchange):
    send(order_type="limit", price=46000)
    keeper.ensure(Position.objects.get().pk, actor="test")
    assert [o.stop_price for o in venue.placed if o.stop_price] == [44100]


def test_a_market_order_that_slips_is_stopped_below_its_fill(send, venue: FakeExchange):
    venue.fill_next_at("45300")
    send()
    assert Position.objects.get().stop_price == 44394


def test_a_named_stop_stays_where_it_was_named(send, venue: FakeExchange):
    venue.fill_next_at("45300")
    send(stop_loss=44000)
    assert Position.objects.get().stop_price == 44000


def test_an_atr_stop_keeps_its_distance(send, venue: FakeExchange):
    venue.fill_next_at("45300")
    send(atr=200)
    assert Position.objects.get().stop_price == 45000


def test_a_default_target_follows_the_fill_as_well(send, venue: FakeExchange):
    venue.fill_next_at("45300")
    send(stop_loss=44000, use_default_take_profit=True)
    assert Position.objects.get().target_price == 47565


def test_the_level_follows_the_average_of_the_parts(send, venue: FakeExchange):
    order = send(order_type="limit", price=44000).order
    hear(venue.fill(order.client_order_id, price="44000", quantity="0.005"))
    assert Position.objects.get().stop_price == 43120

    hear(venue.fill(order.client_order_id, price="43000", quantity="0.005"))
    assert Position.objects.get().stop_price == 42630  # 2 % below 43,500


def test_a_cheaper_part_does_not_lower_the_stop_of_another_entry(send, venue: FakeExchange):
    order = send(order_type="limit", price=44000).order
    send(stop_loss=42900)
    hear(venue.fill(order.client_order_id, price="44000", quantity="0.005"))
    hear(venue.fill(order.client_order_id, price="43000", quantity="0.005"))
    assert Position.objects.get().stop_price == 42900


def test_a_bracket_keeps_the_levels_that_travelled_with_it(send, venue: FakeExchange):
    send(order_type="limit", price=44000, use_default_take_profit=True)
    [entry] = Order.objects.filter(role="entry")
    venue.drain_news()
    venue.move("BTCUSDT", 43500)
    for report in venue.drain_news():
        hear(report)

    position = Position.objects.get()
    assert (entry.stop_distance, entry.target_distance) == ("", "")
    assert position.stop_price == 43120
    assert position.target_price == 46200
    keeper.ensure(position.pk, actor="test")
    assert venue.count("place_order_list") == 1
