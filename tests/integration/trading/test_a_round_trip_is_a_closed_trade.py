"""From the first fill in to the last one out: what a trade was, and what it earned after fees."""

from __future__ import annotations

from decimal import Decimal

import pytest

from audit.models import Event
from tests.fakes.exchange import FakeExchange
from trading.models import ClosedTrade, Position
from trading.services.execution import reconciliation
from trading.services.protection import keeper

pytestmark = pytest.mark.django_db
D = Decimal


def out(send, **fields):
    """Sell: all of it, unless a quantity is given."""
    return send(**{"action": "sell", "strategy_id": "another", "quantity": None} | fields)


def sums_agree() -> bool:
    position = Position.objects.get()
    told = sum((trade.profit for trade in ClosedTrade.objects.all()), D(0))
    return told == position.settled_profit and (
        position.trade_opened_at is not None or told == position.realised_pnl
    )


def test_a_loss_after_fees_is_a_loss(send, venue: FakeExchange):
    send(quantity=0.02, strategy_id="skew")
    out(send)
    trade = ClosedTrade.objects.get()
    assert (trade.outcome, trade.strategy_id) == ("loss", "skew")
    assert trade.profit == Position.objects.get().realised_pnl
    assert trade.bought == D("0.02")
    assert trade.entry_price == trade.exit_price
    assert trade.fees == -trade.profit


def test_a_win_is_a_win(send, venue: FakeExchange):
    send(quantity=0.02)
    venue.move("BTCUSDT", "46000")
    out(send)
    trade = ClosedTrade.objects.get()
    assert trade.outcome == "win"
    assert trade.exit_price > trade.entry_price
    assert sums_agree()


def test_adds_and_parts_are_one_trade(send, venue: FakeExchange):
    send(quantity=0.02)
    venue.move("BTCUSDT", "45500")  # below the default target, which would sell it all
    send(quantity=0.02)
    out(send, quantity=0.01)
    assert not ClosedTrade.objects.exists()
    out(send)
    trade = ClosedTrade.objects.get()
    assert trade.bought == D("0.04")
    assert sums_agree()


def test_what_is_left_as_dust_ends_the_trade_and_counts_into_the_next(send, venue):
    send(quantity=0.02)
    out(send, quantity=0.01997)
    assert Position.objects.get().quantity == D("0.00001")  # half a dollar: nobody buys that
    venue.move("BTCUSDT", "46000")
    send(quantity=0.02)
    out(send)
    assert ClosedTrade.objects.count() == 2
    assert sums_agree()


def test_the_next_trade_is_its_own_strategys(send, venue):
    send(quantity=0.02, strategy_id="skew")
    out(send)
    send(quantity=0.02, strategy_id="momentum")
    out(send)
    assert set(ClosedTrade.objects.values_list("strategy_id", flat=True)) == {"skew", "momentum"}


def test_a_stop_that_fills_closes_the_trade(send, venue: FakeExchange):
    send(quantity=0.02, stop_loss=44000)
    position = Position.objects.get()
    keeper.ensure(position.pk, actor="test")
    [stop] = [o for o in venue.book.orders if o.request.stop_price]
    venue.trigger(stop.client_order_id, price=43990)
    reconciliation.catch_up(position.account.venue_account)
    trade = ClosedTrade.objects.get()
    assert trade.outcome == "loss"
    assert trade.exit_price == D(43990)


def test_the_trail_tells_of_it(send, venue):
    send(quantity=0.02)
    out(send)
    [event] = Event.objects.filter(kind="trade.closed")
    assert event.data["outcome"] == "loss"
    assert event.data["opened_by"] == "test"
