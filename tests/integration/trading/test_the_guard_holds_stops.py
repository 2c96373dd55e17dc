"""Where the venue takes no more conditional orders, the guard holds the stop: leased and fenced."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from audit.models import Event
from exchanges import quotes
from tests.integration.trading.clock import time_passes
from tests.places import SIMULATOR
from trading.guard import Guard
from trading.models import ForeignConditionals, GuardLease, Order, Position
from trading.services.control import leases
from trading.services.protection import keeper

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def full(venue):
    """Somebody else has taken every place in the symbol."""
    venue.take_conditional_places("BTCUSDT", 5)
    return venue


@pytest.fixture
def guard() -> Guard:
    made = Guard(holder="one")
    made.look()
    made.wait()
    assert made.held is not None
    return made


@pytest.fixture
def guarded(send, full, guard) -> Position:
    send(stop_loss=44000)
    position = Position.objects.get()
    assert keeper.ensure(position.pk, actor="test")
    position.refresh_from_db()
    return position


def fall(venue) -> None:
    """The market falls through the stop, and its stream says so."""
    venue.set_quote("BTCUSDT", "43900", "43901")
    quotes.put(SIMULATOR, venue.quote("BTCUSDT"))


def looks(guard: Guard) -> None:
    Position.objects.update(next_look_at=timezone.now())
    guard.look()
    guard.wait()


def test_it_says_so_and_the_position_is_not_naked(guarded):
    assert guarded.guarded_quantity == Decimal("0.00999")
    assert guarded.naked_since is None
    told = Event.objects.get(kind="position.guarded")
    assert "our guard holds the stop" in told.data["why"]


def test_a_stop_that_is_passed_is_sold_at_market(guarded, guard, venue):
    fall(venue)
    looks(guard)

    sale = Order.objects.get(role="exit")
    assert (sale.status, sale.type) == ("FILLED", "MARKET")
    assert "at or below the stop" in sale.reason


def test_above_the_stop_nothing_is_sold(guarded, guard):
    looks(guard)
    assert not Order.objects.filter(role="exit").exists()


def test_a_place_that_is_free_again_takes_the_stop(guarded, guard, venue):
    venue.give_conditional_places_back("BTCUSDT")
    ForeignConditionals.objects.update(seen_at=timezone.now() - timedelta(seconds=3))
    looks(guard)

    guarded.refresh_from_db()
    assert guarded.guarded_quantity == 0
    assert Order.objects.filter(role="stop_loss", status="OPEN").count() == 1
    assert Event.objects.filter(kind="position.unguarded").exists()


def test_refusals_are_few_and_back_off(guarded, guard):
    for _ in range(5):
        looks(guard)
    assert Order.objects.filter(role="stop_loss").count() == 1


def test_another_takes_over_when_the_lease_has_run_out(guarded, guard, venue):
    GuardLease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    fall(venue)
    second = Guard(holder="two")
    looks(second)

    assert second.held is not None
    assert Order.objects.get(role="exit").status == "FILLED"


def test_one_that_was_asleep_writes_nothing_any_more(guarded, guard, venue):
    old = guard.held
    GuardLease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert leases.take(leases.GUARD, "two") is not None
    fall(venue)

    with pytest.raises(leases.Lost):
        keeper.ensure(guarded.pk, actor="test", lease=old)
    assert not Order.objects.filter(role="exit").exists()


def test_a_second_one_stands_by(guard):
    second = Guard(holder="two")
    second.look()
    assert second.held is None


def test_without_any_guard_it_is_sold_after_a_while(send, full, settings):
    send(stop_loss=44000)
    position = Position.objects.get()
    keeper.ensure(position.pk, actor="test")
    position.refresh_from_db()
    assert "no guard process is running" in position.alarm

    Position.objects.update(naked_since=timezone.now() - timedelta(seconds=16))
    keeper.ensure(position.pk, actor="test")

    sale = Order.objects.get(role="exit")
    assert sale.status == "FILLED"
    assert "without a stop for 16 s" in sale.reason


def test_our_own_conditional_entry_gives_up_its_place(send, venue, guard):
    venue.take_conditional_places("BTCUSDT", 3)
    entry = send(order_type="stop", stop_price=46000, stop_loss=44000).order
    assert entry.status == "OPEN"
    venue.take_conditional_places("BTCUSDT", 1)
    send(strategy_id="another", stop_loss=44000)

    keeper.ensure(Position.objects.get().pk, actor="test")

    entry.refresh_from_db()
    assert entry.status == "CANCELED"
    assert Order.objects.filter(role="stop_loss", status="OPEN").count() == 1


def test_time_of_a_lost_placing_is_kept_by_the_guard(send, venue, guard):
    """Nobody but the guard asks: the proof of absence is drawn when it is due."""
    send(stop_loss=44000)
    venue.lose_reply_next(executed=False)
    position = Position.objects.get()
    keeper.ensure(position.pk, actor="test")
    lost = Order.objects.filter(role="stop_loss").order_by("pk")[0]
    assert lost.status == "SUBMITTING"

    Order.objects.filter(pk=lost.pk).update(unknown_since=timezone.now() - timedelta(seconds=2))
    time_passes(2)
    looks(guard)

    lost.refresh_from_db()
    assert lost.status == "NOT_PLACED"
