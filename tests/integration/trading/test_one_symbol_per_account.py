"""An account kept to one symbol at a time, and how often its position is added to."""

from __future__ import annotations

import pytest

from tests.limits import set_limits

pytestmark = pytest.mark.django_db


def test_the_symbol_is_taken_until_the_account_is_flat(send):
    set_limits(one_symbol_per_account="on")
    assert send().decision.approved

    denied = send(symbol="ETHUSDT").decision
    assert denied.message == "ONE_SYMBOL_TAKEN: limit=BTCUSDT actual=ETHUSDT"
    assert send().decision.approved  # adds

    send(action="close", quantity=None)
    assert send(symbol="ETHUSDT").decision.approved
    assert send().decision.code == "ONE_SYMBOL_TAKEN"


def test_an_entry_on_its_way_takes_the_symbol(send, venue):
    set_limits(one_symbol_per_account="on")
    venue.rest_next()
    assert send(order_type="limit", price=44_000, stop_loss=43_000).decision.approved
    assert send(symbol="ETHUSDT").decision.code == "ONE_SYMBOL_TAKEN"


def test_a_rejected_entry_takes_nothing(send, venue):
    set_limits(one_symbol_per_account="on")
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
