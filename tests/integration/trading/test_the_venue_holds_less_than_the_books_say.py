from __future__ import annotations

from decimal import Decimal

import pytest

from audit.models import Event
from exchanges.models import VenueAccount
from tests.integration.trading.clock import time_passes
from tests.integration.trading.withdrawals import a_minute_passes, look, withdraw
from trading.models import Order, Position
from trading.services.execution import reconciliation
from trading.services.money import balances
from trading.services.protection import keeper

pytestmark = pytest.mark.django_db


@pytest.fixture
def held(send) -> Position:
    """A protected position of 0.00999 BTC whose last fill is a minute old."""
    send(stop_loss=44000, take_profit=47000)
    position = Position.objects.get()
    assert keeper.ensure(position.pk, actor="test")
    a_minute_passes()
    return position


def cancel_by_hand(venue) -> None:
    [stop] = stops()
    venue.cancel_at_venue(stop.client_order_id)


def stops() -> list[Order]:
    return list(Order.objects.filter(role="stop_loss", status="OPEN"))


def test_nothing_rings_while_the_venue_has_it_all(held):
    assert look(held).alarm == ""
    assert not Event.objects.filter(kind="position.alarm").exists()


def test_coins_that_were_withdrawn_ring_and_the_rest_stays_protected(held, venue):
    withdraw(venue, "0.002")

    assert "the venue holds 0.00799 to sell, the books say 0.00999" in look(held).alarm
    assert [s.quantity for s in stops()] == [Decimal("0.00799")]


def test_looking_again_and_again_leaves_that_protection_alone(held, venue):
    withdraw(venue, "0.002")
    look(held)
    rests = [s.client_order_id for s in stops()]

    for _ in range(3):
        assert "the venue holds 0.00799" in look(held).alarm
        a_minute_passes()

    assert [s.client_order_id for s in stops()] == rests


def test_the_alarm_ends_when_the_coins_are_back(held, venue):
    withdraw(venue, "0.002")
    look(held)
    venue.deposit("BTC", "0.002")

    assert look(held).alarm == ""
    assert sum(s.quantity for s in stops()) == Decimal("0.00999")


def test_a_balance_from_before_the_last_fill_says_nothing(held, send):
    balances.refresh(VenueAccount.objects.get())
    send(quantity=0.01, stop_loss=44000, take_profit=47000)

    assert keeper.ensure(held.pk, actor="test")

    held.refresh_from_db()
    assert held.alarm == ""
    assert sum(s.quantity for s in stops()) == Decimal("0.01998")


def test_a_balance_from_while_our_stop_locked_the_coins_is_no_loss(held, venue):
    balances.refresh(VenueAccount.objects.get())  # all is locked: nothing is free
    cancel_by_hand(venue)
    time_passes(10)
    reconciliation.run()

    assert keeper.ensure(held.pk, actor="test")

    held.refresh_from_db()
    assert held.alarm == ""
    assert [s.quantity for s in stops()] == [Decimal("0.00999")]


def test_a_stop_that_fired_and_nobody_told_us_is_no_loss(held, venue):
    venue.move("BTCUSDT", "43900")

    assert look(held).quantity < Decimal("0.00001")
    assert held.alarm == ""
    assert not Event.objects.filter(kind="position.alarm").exists()


def test_a_refusal_for_funds_makes_us_ask_what_there_is(held, venue):
    cancel_by_hand(venue)
    venue.deposit("BTC", "-0.002")
    time_passes(10)
    reconciliation.run()
    a_minute_passes()  # the balance we know is from before

    assert keeper.ensure(held.pk, actor="test")

    held.refresh_from_db()
    assert "the venue holds 0.00799" in held.alarm
    assert [s.quantity for s in stops()] == [Decimal("0.00799")]


def test_a_sale_in_flight_is_no_loss(held, venue, send):
    venue.lose_reply_next(executed=True)
    send(action="sell", quantity=0.004)
    a_minute_passes()

    assert look(held).alarm == ""
