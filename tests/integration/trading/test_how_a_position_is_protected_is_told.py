"""One sentence with the number and what to do, the same on every page."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from trading.models import Order, Position
from trading.services.control import leases
from trading.services.protection import keeper
from trading.services.reports import cover
from trading.services.reports.cover import Cover, State

pytestmark = pytest.mark.django_db


@pytest.fixture
def held(send) -> Position:
    send(stop_loss=44000)
    position = Position.objects.get()
    keeper.ensure(position.pk, actor="test")
    position.refresh_from_db()
    return position


def told(position: Position, **fields: object) -> Cover:
    Position.objects.filter(pk=position.pk).update(**fields)
    return cover.of(Position.objects.all())[position.pk]


def ago(seconds: float):
    return timezone.now() - timedelta(seconds=seconds)


def naked(position: Position, **fields: object) -> Cover:
    Order.objects.filter(role="stop_loss").update(status="CANCELED")
    return told(position, naked_since=ago(30), **fields)


def test_a_stop_at_the_venue(held):
    shown = told(held)
    assert (shown.state, shown.stops, shown.covered) == (State.PROTECTED, 1, Decimal("0.00999"))
    assert shown.lines == ("1 stop at the venue covers 0.00999 of 0.00999.",)


def test_a_stop_that_our_guard_holds(held):
    leases.take(leases.GUARD, "here")
    shown = told(held, guarded_quantity=Decimal("0.004"))
    assert shown.state is State.GUARDED
    assert shown.lines[0] == (
        "Our guard holds the stop of 0.004 at 44000: "
        "the venue takes no more conditional orders in BTCUSDT."
    )


def test_a_guard_that_does_not_run_guards_nothing(held):
    shown = naked(held, guarded_quantity=Decimal("0.004"))
    assert shown.state is State.NAKED
    assert "The guard that should hold the stop of 0.004 does not run" in shown.lines[0]


def test_no_stop_at_all(held):
    shown = naked(held)
    assert shown.state is State.NAKED
    assert shown.lines[0].startswith("0.00999 of 0.00999 without a stop since ")
    assert shown.lines[0].endswith(" UTC: it is tried again within a second.")


def test_a_part_that_has_none(held):
    shown = told(held, naked_since=ago(30), quantity=Decimal("0.01999"))
    assert shown.state is State.PARTLY
    assert shown.lines[0].startswith("0.01 of 0.01999 without a stop since ")


def test_refusals_are_one_line_with_a_count(held):
    shown = naked(held, refused_count=7, refused_until=timezone.now() + timedelta(seconds=9))
    assert "the venue refused it 7 times in a row, the next try is at" in shown.lines[0]


def test_a_shortfall_and_what_to_do(held):
    shown = told(held, shortfall=Decimal("0.002"))
    assert shown.lines[0] == (
        "0.002 of 0.00999 is not at the venue: find out where it went, then settle it."
    )


def test_the_longest_gap(held):
    assert told(held, gap_ms=35).lines[-1] == "Longest gap while a stop was replaced: 35 ms."


def test_a_fill_a_moment_ago(held):
    assert told(held, naked_since=ago(0)).state is State.PLACING


def test_a_flat_one_says_nothing(held):
    assert told(held, is_open=False, quantity=Decimal(0)) == Cover(State.FLAT)


def test_many_cost_no_more_queries_than_one(held, django_assert_max_num_queries):
    rows = list(Position.objects.all()) * 20
    with django_assert_max_num_queries(2):
        cover.of(rows)
