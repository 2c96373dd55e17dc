"""An account kept to one symbol at a time, and how often its position is added to."""

from __future__ import annotations

import pytest

from exchanges.models import VenueAccount
from tests.limits import set_limits
from trading.models import VirtualAccount
from trading.services.control import limits
from trading.services.money import account_settings, accounts

pytestmark = pytest.mark.django_db


def keep_to_one_symbol() -> None:
    """Take the exception of the first account back."""
    accounts.ensure_first()
    set_limits(scope="account", key="simulator", one_symbol_per_account=None)


def test_the_symbol_is_taken_until_the_account_is_flat(send):
    keep_to_one_symbol()
    assert send().decision.approved

    denied = send(symbol="ETHUSDT").decision
    assert denied.message == "ONE_SYMBOL_TAKEN: limit=BTCUSDT actual=ETHUSDT"
    assert send().decision.approved  # adds

    send(action="close", quantity=None)
    assert send(symbol="ETHUSDT").decision.approved
    assert send().decision.code == "ONE_SYMBOL_TAKEN"


def test_an_entry_on_its_way_takes_the_symbol(send, venue):
    keep_to_one_symbol()
    venue.rest_next()
    assert send(order_type="limit", price=44_000, stop_loss=43_000).decision.approved
    assert send(symbol="ETHUSDT").decision.code == "ONE_SYMBOL_TAKEN"


def test_a_rejected_entry_takes_nothing(send, venue):
    keep_to_one_symbol()
    venue.reject_next()
    send()
    assert send(symbol="ETHUSDT").decision.approved


def test_five_positions_in_five_symbols_where_it_is_off(send):
    set_limits(max_spread_bps=0)
    for symbol in ("BTCUSDT", "ETHUSDT"):
        assert send(symbol=symbol).decision.approved


def test_a_position_is_added_to_so_often_and_no_more(send, venue):
    set_limits(max_entries_per_position=2)
    venue.reject_next()
    send()  # bought nothing: no entry of the position
    assert send().decision.approved
    assert send().decision.approved
    assert send().decision.code == "ENTRIES_PER_POSITION_AT_MAX"

    send(action="close", quantity=None)
    assert send().decision.approved
    assert send().decision.approved
    assert send().decision.code == "ENTRIES_PER_POSITION_AT_MAX"


def test_entries_on_their_way_count_as_adds(send, venue):
    set_limits(max_entries_per_position=2)
    assert send().decision.approved
    venue.rest_next()
    assert send(order_type="limit", price=44_000, stop_loss=43_000).decision.approved
    assert send().decision.code == "ENTRIES_PER_POSITION_AT_MAX"


def test_the_accounts_of_the_first_boot_are_left_out_and_later_ones_are_not(db):
    accounts.ensure_first()
    first = VirtualAccount.objects.get(name="simulator")
    assert limits.value_of(first, "one_symbol_per_account") is False
    later = VirtualAccount(name="later", venue_account=VenueAccount.objects.get())
    account_settings.create(later, actor="test")
    assert limits.value_of(later, "one_symbol_per_account") is True


def test_where_the_environment_says_so_no_account_is_left_out(db, settings):
    keep_to_one_symbol()
    VirtualAccount.objects.all().delete()
    settings.ONE_SYMBOL_PER_ACCOUNT_GIVEN = True
    accounts.ensure_first()
    first = VirtualAccount.objects.get(name="simulator")
    assert limits.value_of(first, "one_symbol_per_account") is True


def test_five_open_positions_are_five_entries_in_the_one_symbol(send):
    keep_to_one_symbol()
    set_limits(max_open_positions=3)
    for _ in range(3):
        assert send().decision.approved
    assert send().decision.message == "OPEN_POSITIONS_AT_MAX: limit=3 actual=3"
    send(action="close", quantity=None)
    assert send().decision.approved
