from decimal import Decimal
from itertools import product

import pytest

from exchanges.domain.orders import VenueStatus
from trading.domain import order_states
from trading.domain.order_states import OrderStatus

ONE = Decimal(1)
HALF = Decimal("0.5")

# Rows: current status. Columns: what the venue reports, without any executed quantity.
# A dot is old news, = is no change (also None).
COLUMNS = ("PENDING", "OPEN", "PARTIALLY_FILLED", "FILLED", "CANCELED", "EXPIRED", "REJECTED")
NEWS = {
    "NEW": "PENDING OPEN PARTIALLY_FILLED FILLED CANCELED EXPIRED REJECTED",
    "SUBMITTING": "PENDING OPEN PARTIALLY_FILLED FILLED CANCELED EXPIRED REJECTED",
    "PENDING": "= OPEN PARTIALLY_FILLED FILLED CANCELED EXPIRED REJECTED",
    "OPEN": ". = PARTIALLY_FILLED FILLED CANCELED EXPIRED REJECTED",
    "PARTIALLY_FILLED": ". . = FILLED CANCELED EXPIRED .",
    "FILLED": ". . . = . . .",
    "CANCELED": ". . . FILLED = . .",
    "EXPIRED": ". . . FILLED . = .",
    "REJECTED": "PENDING OPEN PARTIALLY_FILLED FILLED CANCELED EXPIRED =",
    "NOT_PLACED": "PENDING OPEN PARTIALLY_FILLED FILLED CANCELED EXPIRED REJECTED",
}
PAIRS = [
    (current, reported, word)
    for current, row in NEWS.items()
    for reported, word in zip(COLUMNS, row.split(), strict=True)
]

OUR_MOVES = {
    ("NEW", "SUBMITTING"),
    ("NEW", "NOT_PLACED"),
    ("SUBMITTING", "NEW"),
    ("SUBMITTING", "NOT_PLACED"),
}


@pytest.mark.parametrize(("current", "reported", "word"), PAIRS)
def test_every_pair_of_status_and_news_has_the_outcome_of_the_table(current, reported, word):
    expected = None if word in ".=" else OrderStatus(word)
    got = order_states.next_status(OrderStatus(current), VenueStatus(reported), None, ONE)
    assert got is expected


@pytest.mark.parametrize(("current", "target"), list(product(OrderStatus, OrderStatus)))
def test_every_pair_of_statuses_is_legal_only_by_news_or_by_our_own_move(current, target):
    by_news = current in NEWS and target.value in NEWS[current].split()
    by_us = (current.value, target.value) in OUR_MOVES
    assert order_states.can_move(current, target) is (by_news or by_us)


def test_the_table_has_a_row_for_every_status():
    assert set(order_states.TRANSITIONS) == set(OrderStatus)


@pytest.mark.parametrize("status", OrderStatus)
def test_no_status_moves_to_itself(status):
    assert not order_states.can_move(status, status)


@pytest.mark.parametrize("status", OrderStatus)
def test_every_status_is_new_open_or_final_and_only_one_of_them(status):
    kinds = (
        status is OrderStatus.NEW,
        order_states.is_open(status),
        order_states.is_final(status),
    )
    assert sum(kinds) == 1


class TestFillsCorrectTheWord:
    def test_a_cancel_that_lost_the_race_is_filled(self):
        got = order_states.next_status(OrderStatus.OPEN, VenueStatus.CANCELED, ONE, ONE)
        assert got is OrderStatus.FILLED

    def test_a_partial_report_whose_figure_is_the_whole_is_filled(self):
        got = order_states.next_status(OrderStatus.OPEN, VenueStatus.PARTIALLY_FILLED, ONE, ONE)
        assert got is OrderStatus.FILLED

    def test_an_open_report_with_fills_is_partially_filled(self):
        got = order_states.next_status(OrderStatus.SUBMITTING, VenueStatus.OPEN, HALF, ONE)
        assert got is OrderStatus.PARTIALLY_FILLED

    def test_an_expiry_with_part_filled_is_expired(self):
        got = order_states.next_status(OrderStatus.SUBMITTING, VenueStatus.EXPIRED, HALF, ONE)
        assert got is OrderStatus.EXPIRED

    def test_a_part_filled_after_the_cancel_leaves_it_canceled(self):
        got = order_states.next_status(
            OrderStatus.CANCELED, VenueStatus.PARTIALLY_FILLED, HALF, ONE
        )
        assert got is None

    def test_the_rest_filled_after_the_cancel_makes_it_filled(self):
        got = order_states.next_status(OrderStatus.CANCELED, VenueStatus.CANCELED, ONE, ONE)
        assert got is OrderStatus.FILLED

    def test_an_order_by_quote_amount_has_no_quantity_to_compare(self):
        got = order_states.next_status(OrderStatus.OPEN, VenueStatus.PARTIALLY_FILLED, ONE, None)
        assert got is OrderStatus.PARTIALLY_FILLED


class TestLateArrivals:
    @pytest.mark.parametrize("current", [OrderStatus.NOT_PLACED, OrderStatus.REJECTED])
    def test_an_order_proven_absent_that_turns_up_is_a_late_arrival(self, current):
        moved = order_states.next_status(current, VenueStatus.FILLED, ONE, ONE)
        assert moved is OrderStatus.FILLED
        assert order_states.is_late_arrival(current, moved)

    def test_a_fill_after_a_cancel_is_no_late_arrival(self):
        assert not order_states.is_late_arrival(OrderStatus.CANCELED, OrderStatus.FILLED)
