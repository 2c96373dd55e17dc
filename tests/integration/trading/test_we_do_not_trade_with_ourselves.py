"""Two accounts at one venue account: one's entry never meets the other's resting exit."""

from __future__ import annotations

import pytest

from tests.integration.trading.test_limits_over_all_accounts import another_account

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def two(send):
    another_account("second")


@pytest.fixture
def offer(send):
    """The default account holds BTC and offers it at 46,000, a little above the market."""
    send()
    assert send(action="sell", quantity="0.005", order_type="limit", price=46_000).order


def test_an_entry_as_high_as_our_own_offer_is_denied(send, offer):
    denied = send(strategy_id="second", order_type="limit", price=46_500).decision
    assert denied.message == "SELF_TRADE: limit=46000 actual=46500"


def test_at_the_market_below_it_both_may_trade(send, offer):
    assert send(strategy_id="second").decision.approved


def test_an_offer_at_the_market_is_not_bought_by_us(send, venue):
    send()
    venue.rest_next()
    send(action="sell", quantity="0.005", order_type="limit", price=45_000)
    assert send(strategy_id="second").decision.code == "SELF_TRADE"


def test_stops_of_ours_stand_in_nobodys_way(send):
    assert send(stop_loss=44_000).decision.approved
    assert send(strategy_id="second").decision.approved


def test_another_symbol_is_another_book(send, offer):
    assert send(strategy_id="second", symbol="ETHUSDT", quantity=0.1).decision.approved
