from __future__ import annotations

from decimal import Decimal

import pytest
from django.urls import reverse

from tests.integration.trading.withdrawals import a_minute_passes, look, withdraw
from tests.people import logged_in
from trading.models import Position, PositionAdjustment
from trading.services.protection import keeper

pytestmark = pytest.mark.django_db
MAY = ("trading.view_position", "trading.settle_shortfall")


@pytest.fixture
def short(send, venue) -> Position:
    send(stop_loss=44000, take_profit=47000)
    position = Position.objects.get()
    keeper.ensure(position.pk, actor="test")
    a_minute_passes()
    withdraw(venue, "0.002")
    return look(position)


def page(browser, position: Position) -> str:
    return browser.get(
        reverse("admin:trading_position_change", args=(position.pk,))
    ).content.decode()


def settle(browser, position: Position, reason: str = "sold by hand"):
    address = reverse("admin:trading_position_settle", args=(position.pk,))
    return browser.post(address, {"reason": reason}, follow=True)


def test_the_page_says_what_is_missing_and_asks_for_a_reason(short):
    shown = page(logged_in(*MAY), short)
    assert "0.002" in shown
    assert "Settle the shortfall" in shown


def test_it_is_settled_in_the_persons_name(short):
    answer = settle(logged_in(*MAY), short).content.decode()

    assert "0.002 BTCUSDT are off the books" in answer
    row = PositionAdjustment.objects.get()
    assert (row.actor, row.reason) == ("ann", "sold by hand")
    assert "Settled shortfalls" in answer


def test_a_refusal_is_told(short, venue):
    venue.deposit("BTC", "0.002")
    answer = settle(logged_in(*MAY), short).content.decode()
    assert "The venue was asked just now: 0 BTC is missing, not 0.002" in answer


def test_without_a_reason_nothing_happens(short):
    assert "Say where the coins went" in settle(logged_in(*MAY), short, " ").content.decode()
    assert not PositionAdjustment.objects.exists()


def test_without_the_permission_there_is_no_button_and_no_way(short):
    browser = logged_in("trading.view_position")
    assert "Settle the shortfall" not in page(browser, short)
    assert settle(browser, short).status_code == 403
    short.refresh_from_db()
    assert short.quantity == Decimal("0.00999")
