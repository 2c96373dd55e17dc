from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from exchanges.models import VenueAccount
from tests.fakes.exchange import FakeExchange
from tests.places import SIMULATOR, TESTNET, account_at
from trading.models import Order, UnknownOrder
from trading.services.orders import fills

pytestmark = pytest.mark.django_db


def known(report) -> bool:
    return not fills.look([report], account=account_at()).fresh


@pytest.fixture
def report(send, venue: FakeExchange):
    order = send().order
    assert order.status == "FILLED"
    return venue.query_order(order.symbol, order.client_order_id)


def test_what_the_reply_told_is_known(report):
    assert known(report)


def test_another_status_is_news(report):
    assert not known(replace(report, status="CANCELED"))


def test_more_executed_is_news(report):
    assert not known(replace(report, executed_quantity=report.executed_quantity + Decimal("0.001")))


def test_trades_not_booked_yet_are_news(report):
    Order.objects.update(booked_quantity=Decimal("0.005"))
    assert not known(report)


def test_the_first_word_of_an_order_is_news(report):
    Order.objects.update(acknowledged_at=None)
    assert not known(report)


def test_an_order_of_another_environment_is_not_ours_to_know(report):
    assert fills.look([report], account=account_at(TESTNET)).fresh == [report]


def test_a_report_without_a_status_is_news(report):
    assert not known(replace(report, status=None))


def test_what_a_second_account_of_the_same_wallet_hears_is_known_too(report):
    """Two rows with the same keys hear each other's orders: neither may take them for unknown."""
    twin = VenueAccount.objects.create(**SIMULATOR.columns(), label="later")
    assert not fills.look([report], account=twin).fresh
    applied = fills.apply(report, account=twin, actor="user stream")
    assert applied is not None
    assert not UnknownOrder.objects.exists()
