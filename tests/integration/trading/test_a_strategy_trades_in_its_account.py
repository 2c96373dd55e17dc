"""A mapped strategy trades in its own account, any other in the default one."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from audit.models import Event
from exchanges.models import VenueAccount
from trading.models import Position, VirtualAccount
from trading.services.money import accounts

pytestmark = pytest.mark.django_db


@pytest.fixture
def second(venue) -> VirtualAccount:
    """Another ledger over the same venue account."""
    first = VirtualAccount.objects.get(name="simulator")
    return VirtualAccount.objects.create(name="second", venue_account=first.venue_account)


def test_a_mapped_strategy_trades_in_its_account(send, second):
    accounts.map_strategy("skew", second, actor="ann")
    assert send(strategy_id="skew").decision.account == second
    assert send(strategy_id="momentum").decision.account.name == "simulator"


def test_two_accounts_over_one_venue_account_keep_books_of_their_own(send, second):
    accounts.map_strategy("skew", second, actor="ann")
    send(strategy_id="skew", quantity=0.02)
    send(strategy_id="momentum", quantity=0.01)
    held = dict(Position.objects.values_list("account__name", "quantity"))
    assert held["second"] > held["simulator"] > 0


def test_simulate_stays_with_a_simulated_account(send, second):
    accounts.map_strategy("skew", second, actor="ann")
    assert send(strategy_id="skew", simulate=True).decision.account == second


def test_simulate_leaves_an_account_of_any_other_environment(venue):
    testnet = VenueAccount.objects.create(environment="testnet")
    account = VirtualAccount.objects.create(name="far", venue_account=testnet)
    accounts.map_strategy("skew", account, actor="ann")
    assert accounts.for_intent(strategy_id="skew", simulate=False) == account
    assert accounts.for_intent(strategy_id="skew", simulate=True).name == "simulator"


def test_mapping_is_on_record_and_twice_is_once(second):
    assert accounts.map_strategy("skew", second, actor="ann")
    assert not accounts.map_strategy("skew", second, actor="ann")
    [event] = Event.objects.filter(kind="account.strategy_mapped")
    assert (event.data["before"], event.data["after"]) == ("default", "second")


def test_unmapping_gives_it_back_to_the_default(send, second):
    accounts.map_strategy("skew", second, actor="ann")
    accounts.map_strategy("skew", None, actor="ann")
    assert send(strategy_id="skew").decision.account.name == "simulator"


def test_a_strategy_without_a_name_cannot_be_mapped(second):
    with pytest.raises(ValidationError):
        accounts.map_strategy("  ", second, actor="ann")
