"""Whatever happens to its protection: told as failed, it would be sent again by its sender."""

from __future__ import annotations

import pytest
from django.utils import timezone

from audit.models import Event
from trading.models import Order, Position
from trading.services.protection import keeper

pytestmark = pytest.mark.django_db


@pytest.fixture
def bought(send, venue):
    """An entry that is filled, at a venue that then refuses every stop and target."""
    outcome = send(stop_loss=44000, take_profit=47000)
    for _ in range(4):
        venue.reject_next(-2010, "This action is disabled on this account.")
    keeper.ensure(Position.objects.get().pk, actor="test")
    return outcome


def test_the_outcome_is_the_fill(bought):
    assert bought.order.status == "FILLED"
    assert Order.objects.get(role="entry").status == "FILLED"


def test_the_position_rings_until_it_is_protected(bought, venue):
    position = Position.objects.get()
    assert position.naked_since is not None
    assert "This action is disabled on this account." in position.alarm
    assert Event.objects.filter(kind="position.alarm").exists()

    for _ in range(2):  # each look asks for a pair, then for a stop alone
        Position.objects.update(refused_until=timezone.now())
        keeper.ensure(position.pk, actor="test")

    mended = Position.objects.get()
    assert mended.naked_since is None
    assert mended.alarm == ""


def test_a_repeat_of_the_signal_buys_nothing_more(send, venue, bought):
    repeat = bought.signal.uid

    send(signal_uid=repeat)

    assert Order.objects.filter(role="entry").count() == 1
