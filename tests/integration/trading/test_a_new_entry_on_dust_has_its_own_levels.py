"""What a fee leaves of a closed trade must not hand the next trade its stop and target."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.fakes.exchange import FakeExchange
from tests.limits import set_limits
from trading.models import Position
from trading.services.protection import keeper

pytestmark = pytest.mark.django_db


@pytest.fixture
def dust(send) -> Position:
    """A position that was closed but for what the lot grid could not sell."""
    send(quantity="0.00333", stop_loss=44990, take_profit=45100)
    keeper.ensure(Position.objects.get().pk, actor="test")
    send(action="close", quantity=None)
    position = Position.objects.get()
    assert position.is_open
    assert 0 < position.quantity < Decimal("0.00001")
    return position


def test_it_takes_nothing_over_from_the_trade_before(send, venue: FakeExchange, dust):
    send(strategy_id="innocent", stop_loss=43000)

    position = Position.objects.get()
    assert position.stop_price == 43000
    assert position.target_price is None
    assert position.opened_at > dust.opened_at
    assert not position.is_dust


def test_what_rests_at_the_venue_is_what_it_asked_for(send, venue: FakeExchange, dust):
    send(strategy_id="innocent", stop_loss=43000)
    keeper.ensure(Position.objects.get().pk, actor="test")

    [order] = [o for o in venue.placed if o.stop_price == 43000]
    assert order.quantity == Decimal("0.00999")


def test_adding_to_a_real_position_still_keeps_the_tighter_stop(send):
    send(stop_loss=44500)
    send(stop_loss=43000)
    assert Position.objects.get().stop_price == 44500


def test_a_stop_above_the_price_just_paid_is_not_kept(send, venue: FakeExchange):
    send(stop_loss=44500)
    venue.move("BTCUSDT", "44000")
    send(stop_loss=43000)
    assert Position.objects.get().stop_price == 43000


def test_such_a_stop_stays_when_the_entry_brings_none(send, venue: FakeExchange):
    send(stop_loss=44500)
    set_limits(require_stop=False)
    venue.move("BTCUSDT", "44000")
    send()
    assert Position.objects.get().stop_price == 44500
