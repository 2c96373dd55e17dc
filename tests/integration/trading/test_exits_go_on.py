"""What has to leave, leaves: an exit that ends short goes on until nothing is left to sell."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from audit.models import Event
from exchanges.models import VenueAccount
from tests.integration.trading.clock import time_passes
from tests.places import account_at
from trading.models import Order, Position
from trading.services.execution import exits, reconciliation
from trading.services.money import balances
from trading.services.orders import fills, lifecycle
from trading.services.protection import keeper

pytestmark = pytest.mark.django_db


@pytest.fixture
def held(send) -> Position:
    send(stop_loss=44000, take_profit=47000)
    position = Position.objects.get()
    keeper.ensure(position.pk, actor="test")
    return position


def sales() -> list[tuple[str, Decimal]]:
    rows = Order.objects.filter(role="exit").order_by("pk")
    return [(o.status, o.booked_quantity) for o in rows]


def timers_run(seconds: float) -> None:
    """The guard does what is due `seconds` later."""
    time_passes(seconds)
    now = timezone.now()
    Order.objects.filter(follow_up_at__isnull=False).update(follow_up_at=now)
    for order in reconciliation.in_flight(now, is_entry=False):
        for position_id in reconciliation.take_step(order):
            keeper.ensure(position_id, actor="test")
    for order in exits.due(timezone.now()):
        exits.follow_up(order, actor="test")


def test_what_expired_in_part_is_sold_to_the_end(send, held, venue):
    venue.fill_next_at("45000", quantity="0.004")
    outcome = send(action="close", quantity=None)

    assert sales() == [("EXPIRED", Decimal("0.004")), ("FILLED", Decimal("0.00599"))]
    assert outcome.order.status == "FILLED"
    assert sum(f.quantity for f in outcome.fills) == Decimal("0.00999")


def test_one_the_venue_never_got_is_sent_again_when_that_is_proved(send, held, venue):
    venue.lose_reply_next(executed=False)
    send(action="close", quantity=None)
    assert sales() == [("SUBMITTING", Decimal(0))]

    for _ in range(3):
        timers_run(1)

    assert sales() == [("NOT_PLACED", Decimal(0)), ("FILLED", Decimal("0.00999"))]


def test_before_that_is_proved_nothing_is_sent_again(send, held, venue):
    venue.lose_reply_next(executed=False)
    send(action="close", quantity=None)

    timers_run(0.1)

    assert sales() == [("SUBMITTING", Decimal(0))]


def test_one_that_executed_though_its_reply_was_lost_is_found_at_once(send, held, venue):
    venue.lose_reply_next(executed=True)
    send(action="close", quantity=None)

    assert sales() == [("FILLED", Decimal("0.00999"))]


def test_of_coins_that_are_missing_the_rest_is_sold(send, held, venue):
    [stop] = Order.objects.filter(role="stop_loss", status="OPEN")
    venue.cancel_at_venue(stop.client_order_id)
    venue.deposit("BTC", "-0.001")

    send(action="close", quantity=None)

    assert sales() == [("REJECTED", Decimal(0)), ("FILLED", Decimal("0.00899"))]
    held.refresh_from_db()
    assert held.shortfall == Decimal("0.001")
    assert "the venue holds" in held.alarm


def test_the_next_close_says_what_is_missing_and_is_refused_for_nothing(send, held, venue):
    test_of_coins_that_are_missing_the_rest_is_sold(send, held, venue)

    send(action="close", quantity=None)

    last = Order.objects.filter(role="exit").order_by("-pk")[0]
    assert last.status == "NOT_PLACED"
    assert "0.001 of it missing at the venue" in last.reason


def test_a_sale_that_fails_leaves_the_stop_in_place(send, held, venue):
    venue.reject_next(-2010, "Market is closed.")
    send(action="close", quantity=None)

    assert Order.objects.filter(role="stop_loss", status="OPEN").count() == 1
    [rejected, waiting] = Order.objects.filter(role="exit").order_by("pk")
    assert (rejected.status, waiting.status) == ("REJECTED", "NEW")
    assert waiting.next_check_at is not None
    assert waiting.next_check_at > timezone.now()


def test_retry_after_one_second_means_one_second(send, held, venue):
    venue.refuse_next(retry_after=1.0)
    send(action="close", quantity=None)

    assert Order.objects.filter(role="stop_loss", status="OPEN").count() == 1
    timers_run(1.01)
    assert sales() == [("FILLED", Decimal("0.00999"))]


def test_a_person_says_no(send, held, venue):
    venue.reject_next(-2010, "Market is closed.")
    order = send(action="close", quantity=None).order
    lifecycle.call_off(order, reason="cancelled by ann", actor="ann")
    timers_run(60)

    assert sales() == [("REJECTED", Decimal(0)), ("NOT_PLACED", Decimal(0))]
    assert Position.objects.get().is_open


def test_the_trail_tells_the_chain(send, held, venue):
    venue.fill_next_at("45000", quantity="0.004")
    send(action="close", quantity=None)

    told = Event.objects.get(kind="exit.carried_on")
    assert "0.00599 of 0.00999 are left to sell" in told.data["why"]


def test_one_that_executed_and_is_hidden_is_not_sold_twice(send, held, venue):
    """Other coins on the account would let a second sale through."""
    venue.deposit("BTC", "1")
    balances.refresh(VenueAccount.objects.get())
    venue.lose_reply_next(executed=True)
    venue.hide_from_queries(3)
    send(action="close", quantity=None)

    for _ in range(4):
        timers_run(1)

    assert venue.free("BTC") + venue.locked("BTC") == Decimal("1")
    [sale] = Order.objects.filter(role="exit")
    assert sale.status == "NOT_PLACED"  # so far: its news is taken whenever it comes

    [report] = [
        r for r in venue.drain_news() if getattr(r, "client_order_id", "") == sale.client_order_id
    ][-1:]
    fills.apply(report, account=account_at(), actor="stream")
    assert sales() == [("FILLED", Decimal("0.00999"))]


def test_a_chain_longer_than_one_breath_is_left_to_the_guards_timer(send, held, venue):
    for _ in range(3):
        venue.fill_next_at("45000", quantity="0.002")
    send(action="close", quantity=None)
    left = Order.objects.filter(role="exit").order_by("-pk")[0]
    assert (left.status, left.next_check_at is not None) == ("NEW", True)

    timers_run(1)

    assert sum(quantity for _, quantity in sales()) == Decimal("0.00999")


def test_coins_moved_away_before_it_was_sent_are_no_sign_that_a_lost_sale_executed(
    send, held, venue
):
    [stop] = Order.objects.filter(role="stop_loss", status="OPEN")
    venue.cancel_at_venue(stop.client_order_id)
    venue.deposit("BTC", "-0.005")
    Position.objects.update(updated_at=timezone.now() - timedelta(seconds=5))
    lifecycle.ask(stop, actor="test")
    keeper.ensure(held.pk, actor="test")
    venue.lose_reply_next(executed=False)
    send(action="close", quantity=None)

    for _ in range(3):
        timers_run(1)

    assert sales()[-1] == ("FILLED", Decimal("0.00499"))
