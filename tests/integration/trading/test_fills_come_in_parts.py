from __future__ import annotations

from decimal import Decimal

import pytest

from exchanges.domain.orders import VenueStatus
from tests.integration.trading.clock import time_passes
from tests.places import account_at
from trading.models import Fill, Order, Position
from trading.services.execution import reconciliation
from trading.services.orders import fills

pytestmark = pytest.mark.django_db


@pytest.fixture
def resting(send) -> Order:
    """A limit buy of 0.01 BTC at 44000 that waits below the market, without legs."""
    outcome = send(order_type="limit", price=44000, stop_loss=43000)
    assert outcome.order is not None
    assert outcome.order.status == "OPEN"
    return outcome.order


def hear(report) -> fills.Applied:
    applied = fills.apply(report, account=account_at(), actor="user stream")
    assert applied is not None
    return applied


def test_a_part_opens_the_position_and_the_order_stays_open(resting, venue):
    hear(venue.fill(resting.client_order_id, quantity="0.004"))

    resting.refresh_from_db()
    position = Position.objects.get()
    assert resting.status == "PARTIALLY_FILLED"
    assert resting.booked_quantity == Decimal("0.004")
    assert position.is_open
    assert position.quantity == Decimal("0.004") * Decimal("0.999")
    assert position.naked_since is not None


def test_more_parts_at_other_prices_add_up_and_average(resting, venue):
    for price, quantity in (("44000", "0.004"), ("43900", "0.001"), ("43800", "0.005")):
        hear(venue.fill(resting.client_order_id, price=price, quantity=quantity))

    resting.refresh_from_db()
    paid = sum(f.quote_quantity for f in Fill.objects.all())
    assert resting.status == "FILLED"
    assert resting.booked_quantity == resting.quantity == Decimal("0.01")
    assert resting.average_price == paid / Decimal("0.01") == Decimal("43890")
    assert Position.objects.get().quantity == Decimal("0.00999")


def test_parts_nobody_told_us_of_are_fetched_with_the_next_one(resting, venue):
    for _ in range(3):
        venue.fill(resting.client_order_id, quantity="0.002")  # the stream was deaf
    applied = hear(venue.fill(resting.client_order_id, quantity="0.002"))
    assert applied.fills_missing

    time_passes(10)
    reconciliation.run()

    resting.refresh_from_db()
    assert resting.booked_quantity == resting.executed_quantity == Decimal("0.008")
    assert Fill.objects.count() == 4
    assert not resting.fills_missing


def test_a_part_and_then_a_cancel_keeps_what_was_bought(resting, venue):
    hear(venue.fill(resting.client_order_id, quantity="0.004"))
    hear(venue.cancel_at_venue(resting.client_order_id))

    resting.refresh_from_db()
    assert resting.status == "CANCELED"
    assert resting.booked_quantity == Decimal("0.004")
    assert Position.objects.get().is_open


def test_a_fill_that_the_cancel_overtook_is_booked_all_the_same(resting, venue):
    late = venue.fill(resting.client_order_id, quantity="0.004")
    hear(venue.cancel_at_venue(resting.client_order_id))
    hear(late)

    resting.refresh_from_db()
    assert resting.status == "CANCELED"
    assert resting.booked_quantity == Decimal("0.004")
    assert Position.objects.get().quantity == Decimal("0.003996")


@pytest.mark.parametrize("time_in_force", ["IOC", "FOK"])
def test_an_immediate_order_that_took_only_a_part_is_expired_with_its_fill(
    send, venue, time_in_force
):
    venue.fill_next_at(45000, quantity="0.004")

    outcome = send(order_type="limit", price=45100, time_in_force=time_in_force, stop_loss=44000)

    assert outcome.order is not None
    order = outcome.order
    assert order.status == VenueStatus.EXPIRED.value
    assert order.booked_quantity == Decimal("0.004")
    position = Position.objects.get()
    assert position.is_open
    assert position.stop_price == Decimal(44000)
    assert outcome.positions == {position.pk}  # its protection is looked at


def test_an_immediate_order_that_took_nothing_opens_nothing(send, venue):
    outcome = send(order_type="limit", price=44000, time_in_force="IOC", stop_loss=43000)

    assert outcome.order is not None
    assert outcome.order.status == "EXPIRED"
    assert outcome.order.booked_quantity == 0
    assert not Fill.objects.exists()
    assert not Position.objects.filter(is_open=True).exists()


def test_a_market_order_the_book_could_not_fill_whole_keeps_its_part(send, venue):
    venue.fill_next_at(45000, quantity="0.006")

    outcome = send(stop_loss=44000)

    assert outcome.order is not None
    assert outcome.order.status == "EXPIRED"
    assert Position.objects.get().quantity == Decimal("0.006") * Decimal("0.999")
