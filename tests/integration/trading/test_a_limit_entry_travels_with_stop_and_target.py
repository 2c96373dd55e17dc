from __future__ import annotations

from decimal import Decimal

import pytest

from tests.integration.trading.clock import time_passes
from tests.places import account_at
from trading.models import Order, OrderList, Position
from trading.services.execution import reconciliation
from trading.services.orders import fills, lifecycle
from trading.services.protection import keeper

pytestmark = pytest.mark.django_db


@pytest.fixture
def entry(send, venue) -> Order:
    outcome = send(order_type="limit", price=44000, stop_loss=43000, take_profit=46000)
    assert outcome.order is not None
    venue.drain_news()
    return outcome.order


def states() -> dict[str, str]:
    return dict(Order.objects.order_by("pk").values_list("role", "status"))


def hear_all(venue) -> None:
    for report in venue.drain_news():
        fills.apply(report, account=account_at(), actor="user stream")


def test_it_is_one_list_of_three_and_its_legs_lock_nothing_yet(entry, venue):
    assert OrderList.objects.get().kind == OrderList.Kind.OTOCO
    assert states() == {"entry": "OPEN", "take_profit": "PENDING", "stop_loss": "PENDING"}
    assert venue.count("place_order_list") == 1
    assert venue.count("place_order") == 0
    assert venue.locked("BTC") == 0


def test_its_fill_wakes_the_legs_at_the_venue_and_nothing_more_is_placed(entry, venue):
    venue.move("BTCUSDT", 44000)
    hear_all(venue)

    position = Position.objects.get()
    assert states() == {"entry": "FILLED", "take_profit": "OPEN", "stop_loss": "OPEN"}
    assert keeper.ensure(position.pk, actor="test")
    position.refresh_from_db()
    assert position.naked_since is None
    assert venue.count("place_order_list") == 1


def test_the_legs_never_sell_more_than_arrived_after_the_fee(entry):
    for leg in Order.objects.exclude(role="entry"):
        assert leg.quantity <= entry.quantity * Decimal("0.999")


def test_a_stop_that_fires_ends_the_target(entry, venue):
    venue.move("BTCUSDT", 44000)
    venue.move("BTCUSDT", 43000)
    hear_all(venue)

    assert states() == {"entry": "FILLED", "take_profit": "EXPIRED", "stop_loss": "FILLED"}
    assert Position.objects.get().quantity < Decimal("0.00001")
    assert venue.locked("BTC") == 0


def test_a_target_that_is_reached_ends_the_stop(entry, venue):
    venue.move("BTCUSDT", 44000)
    venue.move("BTCUSDT", 46000)
    hear_all(venue)

    assert states() == {"entry": "FILLED", "take_profit": "FILLED", "stop_loss": "EXPIRED"}
    position = Position.objects.get()
    assert position.quantity < Decimal("0.00001")
    assert position.realised_pnl > 0
    assert position.excess_sold == 0  # never both


def test_without_a_stream_the_same_is_found_by_asking(entry, venue):
    venue.move("BTCUSDT", 44000)
    venue.move("BTCUSDT", 43000)
    for _ in range(3):
        time_passes(15)
        for position_id in reconciliation.run():
            keeper.ensure(position_id, actor="test")

    assert states() == {"entry": "FILLED", "take_profit": "EXPIRED", "stop_loss": "FILLED"}
    assert Position.objects.get().excess_sold == 0


def test_calling_the_entry_off_takes_its_legs_along(entry):
    lifecycle.cancel(entry, actor="ann")

    assert set(states().values()) == {"CANCELED"}


def test_a_list_whose_reply_was_lost_is_found_leg_by_leg_and_not_sent_again(send, venue):
    venue.lose_reply_next(executed=True)
    send(order_type="limit", price=44000, stop_loss=43000, take_profit=46000)
    assert set(states().values()) == {"SUBMITTING"}

    time_passes(5)
    reconciliation.run()

    assert states() == {"entry": "OPEN", "take_profit": "PENDING", "stop_loss": "PENDING"}
    assert venue.count("place_order_list") == 1
