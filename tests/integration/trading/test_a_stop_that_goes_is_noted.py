"""A position that had a stop and has none any more counts as naked from then on."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import Event
from tests.integration.trading.withdrawals import a_minute_passes
from trading.models import ForeignConditionals, GuardLease, Order, Position
from trading.services.control import leases
from trading.services.protection import keeper

pytestmark = pytest.mark.django_db


@pytest.fixture
def guarded(send, venue) -> Position:
    """A position whose stop our guard holds: others have taken every place in the symbol."""
    leases.take(leases.GUARD, "here")
    send(stop_loss=44000)
    position = Position.objects.get()
    ForeignConditionals.objects.create(
        venue_account=position.account.venue_account,
        symbol="BTCUSDT",
        count=5,
        seen_at=timezone.now(),
    )
    assert keeper.ensure(position.pk, actor="test")
    position.refresh_from_db()
    assert (position.guarded_quantity, position.naked_since) == (position.quantity, None)
    return position


def look(position: Position) -> Position:
    keeper.ensure(position.pk, actor="test")
    position.refresh_from_db()
    return position


def test_a_guard_that_is_gone_leaves_it_naked(guarded):
    GuardLease.objects.update(expires_at=timezone.now())

    assert look(guarded).naked_since is not None
    assert Event.objects.filter(kind="position.naked").count() == 1
    assert "no guard process is running" in guarded.alarm


def test_the_clock_starts_once(guarded):
    GuardLease.objects.update(expires_at=timezone.now())
    since = look(guarded).naked_since
    assert since is not None
    assert look(guarded).naked_since == since


def test_it_is_sold_when_nobody_guards_it_for_too_long(guarded, settings):
    settings.NAKED_EXIT_AFTER_SECONDS = 15
    GuardLease.objects.update(expires_at=timezone.now())
    look(guarded)
    long_ago = timezone.now() - timedelta(seconds=16)
    Position.objects.exclude(naked_since=None).update(naked_since=long_ago)
    a_minute_passes()

    look(guarded)

    assert Order.objects.get(role="exit").status == "FILLED"


def test_a_guard_that_is_back_ends_it(guarded):
    GuardLease.objects.update(expires_at=timezone.now())
    look(guarded)
    leases.take(leases.GUARD, "there")

    assert look(guarded).naked_since is None
