"""A commit is lost and the venue has the order: it is booked, protected, and entries stop."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from django.utils import timezone

from audit.models import Event
from exchanges.domain.orders import OrderRequest, OrderType, Side
from exchanges.models import VenueAccount
from tests.fakes.exchange import FakeExchange
from tests.places import account_at
from trading.models import Fill, Order, Position, TradeCursor, TradingState, UnknownOrder
from trading.services.money import tie_out
from trading.services.orders import adoption, fills, venue_sweep
from trading.services.protection import keeper

pytestmark = pytest.mark.django_db


@pytest.fixture
def lost(send, venue: FakeExchange):
    """Trade, and lose what was written of it. The account was known before."""
    send(action="close", quantity=None)  # denied: it makes the accounts and nothing else

    def _lost(*, protected: bool = False, **fields) -> str:
        with transaction.atomic():
            order = send(**fields).order
            assert order is not None
            if protected:
                keeper.ensure(Position.objects.get().pk, actor="test")
            name = order.client_order_id
            transaction.set_rollback(True)
        assert not Order.objects.exists()
        return str(name)

    return _lost


def hear(venue: FakeExchange) -> None:
    for report in venue.drain_news():
        if hasattr(report, "reports"):
            continue
        fills.apply(report, account=account_at(), actor="user stream")


def adopt() -> set[int]:
    return adoption.run(now=timezone.now() + timedelta(seconds=3))


def sweep() -> None:
    venue_sweep.run(VenueAccount.objects.get(environment="simulator"))


def test_an_order_heard_of_is_noted_and_not_booked_yet(lost, venue):
    name = lost()
    hear(venue)
    assert UnknownOrder.objects.get().client_order_id == name
    assert not Order.objects.exists()
    assert adoption.run() == set()  # too early: the row may be about to come


def test_it_is_booked_by_its_trades(lost, venue):
    name = lost()
    hear(venue)
    adopt()

    order, fill = Order.objects.get(), Fill.objects.get()
    assert (order.client_order_id, order.role, order.status) == (name, "entry", "FILLED")
    assert order.adopted_at is not None
    assert fill.quantity == Decimal("0.01")
    assert Position.objects.get().quantity == Decimal("0.00999")


def test_its_position_gets_the_default_stop_from_the_fill(lost, venue):
    lost()
    hear(venue)
    for position_id in adopt():
        keeper.ensure(position_id, actor="test")

    assert Position.objects.get().stop_price == 44100
    assert [o.stop_price for o in venue.placed if o.stop_price] == [44100]


def test_entries_of_the_venue_stop_and_exits_go_on(lost, venue, send):
    lost()
    hear(venue)
    adopt()

    state = TradingState.objects.get()
    assert (state.scope, state.key, state.mode) == ("venue", "binance.spot.simulator", "HALTED")
    assert "tie_out" in state.reason
    assert send().decision.code == "TRADING_HALTED"
    assert send(action="close", quantity=None).order.status == "FILLED"


def test_the_trail_and_the_position_tell_of_it(lost, venue):
    name = lost()
    hear(venue)
    adopt()

    event = Event.objects.get(kind="order.adopted")
    assert event.data["client_order_id"] == name
    assert Event.objects.filter(kind="position.alarm").exists()
    assert "not in the books" in Position.objects.get().alarm


def test_heard_of_twice_it_is_adopted_once(lost, venue):
    name = lost()
    hear(venue)
    adopt()
    again = venue.query_order("BTCUSDT", name)
    fills.apply(again, account=account_at(), actor="user stream")
    sweep()
    adopt()
    assert (Order.objects.count(), Fill.objects.count()) == (1, 1)
    assert Event.objects.filter(kind="order.adopted").count() == 1


def test_an_executed_order_is_found_though_nobody_told_of_it(lost, venue):
    name = lost()
    sweep()
    assert UnknownOrder.objects.get().client_order_id == name
    adopt()
    assert Fill.objects.count() == 1


def test_trades_are_gone_through_once(lost, venue):
    lost()
    sweep()
    adopt()
    for order in venue.book.orders:
        order.fills[:] = [_earlier(fill) for fill in order.fills]
    sweep()
    assert TradeCursor.objects.get().trade_id == int(Fill.objects.get().venue_trade_id)
    asked = venue.count("find_order")
    sweep()
    assert venue.count("find_order") == asked


def _earlier(fill):
    began = VenueAccount.objects.get().virtual_accounts.get()
    type(began).objects.update(created_at=timezone.now() - timedelta(hours=1))
    return replace(fill, traded_at=fill.traded_at - timedelta(seconds=30))


def test_trades_before_the_books_began_are_not_ours(lost, venue):
    lost()
    account = VenueAccount.objects.get().virtual_accounts.get()
    type(account).objects.update(created_at=timezone.now() + timedelta(seconds=1))
    sweep()
    assert not UnknownOrder.objects.exists()


def test_a_row_that_came_late_is_left_as_it_is(lost, send, venue):
    order = send(order_type="limit", price=44000, stop_loss=43000).order
    with transaction.atomic():
        Order.objects.filter(pk=order.pk).update(client_order_id="ptr-e-elsewhere")
        sweep()
        Order.objects.filter(pk=order.pk).update(client_order_id=order.client_order_id)
    adopt()
    assert "second look" in UnknownOrder.objects.get().outcome
    assert not TradingState.objects.exists()


def test_a_stop_nobody_knew_of_becomes_a_leg_of_its_position(lost, venue):
    lost(protected=True, stop_loss=43000, take_profit=47000)
    sweep()
    for position_id in adopt():
        assert keeper.ensure(position_id, actor="test")

    position = Position.objects.get()
    assert position.stop_price == 43000
    assert position.target_price == 47000
    assert position.naked_since is None
    assert sorted(Order.objects.values_list("role", flat=True)) == [
        "entry",
        "stop_loss",
        "take_profit",
    ]
    assert venue.count("place_order_list") == 1  # what rests is what it was


def test_a_later_protection_of_a_known_position_is_adopted_too(lost, send, venue):
    send(stop_loss=43000)
    with transaction.atomic():
        keeper.ensure(Position.objects.get().pk, actor="test")
        transaction.set_rollback(True)
    sweep()
    [position_id] = adopt() or {Position.objects.get().pk}
    assert keeper.ensure(position_id, actor="test")

    position = Position.objects.get()
    assert position.protection_sequence == 1
    assert Order.objects.get(role="stop_loss").status == "OPEN"
    assert [o.stop_price for o in venue.placed if o.stop_price] == [43000]


def test_a_whole_round_trip_is_booked_in_its_order(lost, send, venue):
    with transaction.atomic():
        send()
        send(action="close", quantity=None)
        transaction.set_rollback(True)
    sweep()
    adopt()
    position = Position.objects.get()
    assert position.excess_sold == 0
    assert sorted(Order.objects.values_list("role", flat=True)) == ["entry", "exit"]


def test_the_books_tie_out_afterwards(lost, venue):
    lost(protected=True)
    sweep()
    for position_id in adopt():
        keeper.ensure(position_id, actor="test")
    assert tie_out.run(VenueAccount.objects.get()).differences == []


def test_an_order_that_ended_without_a_trade_stops_nothing(lost, venue):
    name = lost(order_type="limit", price=44000)
    sweep()
    venue.cancel_at_venue(name)
    adopt()
    assert UnknownOrder.objects.get().outcome == "it ended without a trade"
    assert not TradingState.objects.exists()
    assert not Order.objects.exists()


def test_a_venue_that_does_not_answer_is_asked_again(lost, venue):
    lost()
    hear(venue)
    venue.go_down()
    assert adopt() == set()
    venue.come_back()
    adopt()
    assert Order.objects.count() == 1


def test_many_foreign_orders_are_looked_up_in_rounds(lost, venue, monkeypatch):
    monkeypatch.setattr(venue_sweep, "MOST_LOOKUPS", 2)
    for number in range(3):
        venue.place_order(
            OrderRequest(f"hand-{number}", "BTCUSDT", Side.BUY, OrderType.MARKET, Decimal("0.01"))
        )
    name = lost()
    for order in venue.book.orders:
        order.fills[:] = [_earlier(fill) for fill in order.fills]
    sweep()
    assert not UnknownOrder.objects.exists()
    sweep()
    assert UnknownOrder.objects.get().client_order_id == name


def test_foreign_orders_are_left_alone(lost, venue, send):
    venue.place_order(
        OrderRequest("by-hand", "BTCUSDT", Side.BUY, OrderType.MARKET, Decimal("0.01"))
    )
    sweep()
    assert not UnknownOrder.objects.exists()


def test_an_id_used_again_is_recognised(lost, send, venue):
    """A backup that was put back counts its protections from further back."""
    send(stop_loss=43000)
    position_id = Position.objects.get().pk
    with transaction.atomic():
        keeper.ensure(position_id, actor="test")
        transaction.set_rollback(True)
    keeper.ensure(position_id, actor="test")
    assert Order.objects.filter(role="stop_loss", reason="Duplicate order sent.").exists()

    for touched in adopt():
        keeper.ensure(touched, actor="test")
    [live] = Order.objects.filter(role="stop_loss", status="OPEN")
    assert live.reason == "Duplicate order sent."
    assert live.adopted_at is not None
    assert Position.objects.get().naked_since is None


def test_such_a_row_says_what_is_at_the_venue(lost, send, venue):
    send(stop_loss=43000)
    position_id = Position.objects.get().pk
    with transaction.atomic():
        send(quantity=0.02)
        keeper.ensure(position_id, actor="test")
        transaction.set_rollback(True)
    keeper.ensure(position_id, actor="test")
    sweep()
    for touched in adopt():
        keeper.ensure(touched, actor="test")

    position = Position.objects.get()
    assert position.quantity == Decimal("0.02997")
    [live] = Order.objects.filter(role="stop_loss", status="OPEN")
    assert live.quantity == Decimal("0.02997")
    assert venue.locked("BTC") == Decimal("0.02997")


def test_a_stop_found_first_waits_for_its_entry(lost, venue):
    """Its entry is looked for at once, or it would look like a stop of a position that is gone."""
    lost(protected=True)
    stop = next(o for o in venue.book.orders if o.request.stop_price)
    fills.apply(venue.query_order("BTCUSDT", stop.client_order_id), account=account_at(),
                actor="user stream")  # fmt: skip
    assert UnknownOrder.objects.count() == 1
    for position_id in adopt():
        keeper.ensure(position_id, actor="test")
    assert Order.objects.get(role="entry").status == "FILLED"
    assert Order.objects.get(role="stop_loss").status == "OPEN"
    assert Position.objects.get().naked_since is None
