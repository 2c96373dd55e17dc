"""Accounts that share a venue account share its places for stops: what has none is not bought."""

from __future__ import annotations

import pytest

from exchanges.models import VenueAccount
from tests.limits import set_limits
from trading.models import Order, Position, VirtualAccount
from trading.services.money import account_settings, accounts, balances
from trading.services.protection import keeper

pytestmark = pytest.mark.django_db
NAMES = tuple(f"va-{number}" for number in range(6))


@pytest.fixture(autouse=True)
def six(venue) -> None:
    accounts.ensure_first()
    at = VenueAccount.objects.get(environment="simulator")
    balances.refresh(at)
    for name in NAMES:
        row = VirtualAccount(name=name, venue_account=at)
        accounts.map_strategy(name, account_settings.create(row, actor="test"), actor="test")
    set_limits(max_open_positions_total=0)


@pytest.fixture
def five_hold(send) -> None:
    for name in NAMES[:5]:
        assert send(strategy_id=name).decision.approved
    for position in Position.objects.all():
        assert keeper.ensure(position.pk, actor="test")


def test_the_sixth_is_denied_before_it_buys(send, five_hold):
    denied = send(strategy_id=NAMES[5]).decision
    assert denied.message == "STOPS_AT_MAX: limit=5 actual=5"


def test_entries_on_their_way_have_their_place(send, venue):
    for name in NAMES[:5]:
        venue.rest_next()
        send(strategy_id=name)
    assert Order.objects.filter(role="entry", status="OPEN").count() == 5
    assert send(strategy_id=NAMES[5]).decision.code == "STOPS_AT_MAX"


def test_another_symbol_has_places_of_its_own(send, five_hold):
    assert send(strategy_id=NAMES[5], symbol="ETHUSDT", quantity=0.1).decision.approved


def test_who_holds_may_add(send, five_hold):
    assert send(strategy_id=NAMES[0]).decision.approved


def test_who_sells_makes_room(send, five_hold):
    send(strategy_id=NAMES[0], action="close", quantity=None)
    keeper.ensure(Position.objects.order_by("pk")[0].pk, actor="test")
    assert send(strategy_id=NAMES[5]).decision.approved
