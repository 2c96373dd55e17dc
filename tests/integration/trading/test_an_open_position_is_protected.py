from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import timezone

from tests.integration.trading.clock import time_passes
from trading.models import Order, Position
from trading.services.execution import reconciliation
from trading.services.orders import order_factory
from trading.services.protection import keeper

pytestmark = pytest.mark.django_db


def legs(status: str = "OPEN") -> list[Order]:
    return list(
        Order.objects.filter(role__in=("stop_loss", "take_profit"), status=status).order_by("role")
    )


def test_a_filled_entry_gets_one_oco_for_what_it_holds(send):
    outcome = send(stop_loss=44000, take_profit=47000)
    position = Position.objects.get()

    assert position.naked_since is not None
    assert keeper.ensure(position.pk, actor="test")

    stop, target = legs()
    assert (stop.stop_price, target.price) == (Decimal(44000), Decimal(47000))
    assert stop.quantity == target.quantity == Decimal("0.00999")
    assert stop.order_list_id == target.order_list_id
    assert stop.signal_uid == outcome.signal.uid
    position.refresh_from_db()
    assert position.naked_since is None


def test_adding_gets_a_list_of_its_own_and_takes_none_away(send):
    for _ in range(2):
        send(stop_loss=44000, take_profit=47000)
        assert keeper.ensure(Position.objects.get().pk, actor="test")

    assert [o.quantity for o in legs()] == [Decimal("0.00999")] * 4
    assert not legs("CANCELED")
    assert Position.objects.get().naked_since is None


def test_looking_again_changes_nothing(send, venue):
    send(stop_loss=44000)
    pk = Position.objects.get().pk
    keeper.ensure(pk, actor="test")
    calls = len(venue.calls)

    assert keeper.ensure(pk, actor="test")
    assert not [c for c in venue.calls[calls:] if c[0].startswith(("place", "cancel"))]


def test_a_stop_that_fires_closes_the_position_and_its_target(send, venue):
    send(stop_loss=44000, take_profit=47000)
    position = Position.objects.get()
    keeper.ensure(position.pk, actor="test")

    venue.move("BTCUSDT", "43900")
    time_passes(10)
    reconciliation.run()

    position.refresh_from_db()
    assert not position.is_open or position.quantity < Decimal("0.00001")
    assert {o.status for o in Order.objects.exclude(role="entry")} == {"FILLED", "EXPIRED"}


def test_an_executed_placing_whose_reply_was_lost_is_asked_for_and_found(send, venue):
    send(stop_loss=44000)
    position = Position.objects.get()
    venue.lose_reply_next(executed=True)

    assert keeper.ensure(position.pk, actor="test")

    assert [o.status for o in Order.objects.filter(role="stop_loss")] == ["OPEN"]
    position.refresh_from_db()
    assert position.naked_since is None


def test_a_lost_placing_that_never_arrived_is_followed_by_another_at_once(send, venue):
    send(stop_loss=44000)
    position = Position.objects.get()
    venue.lose_reply_next(executed=False)

    assert keeper.ensure(position.pk, actor="test")

    statuses = [o.status for o in Order.objects.filter(role="stop_loss").order_by("pk")]
    assert statuses == ["SUBMITTING", "OPEN"]
    position.refresh_from_db()
    assert position.naked_since is None


def in_flight_asked() -> None:
    time_passes(1)
    for order in reconciliation.in_flight(timezone.now(), is_entry=False):
        for position_id in reconciliation.take_step(order):
            keeper.ensure(position_id, actor="test")


@pytest.mark.parametrize("others", [0, 1])
def test_a_lost_placing_that_the_venue_hides_is_not_placed_twice(send, venue, others):
    """The balance shows its coins locked, whether or not others are free."""
    send(stop_loss=44000)
    venue.deposit("BTC", str(others))
    position = Position.objects.get()
    venue.lose_reply_next(executed=True)
    venue.hide_from_queries(1)

    assert not keeper.ensure(position.pk, actor="test")
    assert len(venue.open_orders("BTCUSDT")) == 1
    in_flight_asked()

    assert keeper.ensure(position.pk, actor="test")
    assert [o.status for o in Order.objects.filter(role="stop_loss")] == ["OPEN"]


def test_a_late_first_placing_that_stands_beside_the_second_is_cancelled(send, venue):
    """It executes after the balance was read; other coins on the account let both stand."""
    send(stop_loss=44000)
    venue.deposit("BTC", "1")
    position = Position.objects.get()
    venue.lose_reply_next(executed=False)
    keeper.ensure(position.pk, actor="test")
    first, second = Order.objects.filter(role="stop_loss").order_by("pk")
    assert (first.status, second.status) == ("SUBMITTING", "OPEN")

    venue.place_order(order_factory.request_of(first))
    in_flight_asked()

    assert len(venue.open_orders("BTCUSDT")) == 1
    assert sorted(o.status for o in Order.objects.filter(role="stop_loss")) == ["CANCELED", "OPEN"]


def test_a_venue_that_refuses_the_pair_gets_a_lone_stop(send, venue):
    send(stop_loss=44000, take_profit=47000)
    venue.reject_next(-2010, "The relationship of the prices for the orders is not correct.")

    assert keeper.ensure(Position.objects.get().pk, actor="test")
    assert [o.role for o in legs()] == ["stop_loss"]
