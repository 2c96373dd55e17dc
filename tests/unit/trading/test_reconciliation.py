from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.unit.trading.situations import NOW, ago
from trading.domain import reconciliation
from trading.domain.order_states import FINAL_STATUSES, OrderStatus
from trading.domain.reconciliation import (
    Done,
    FetchTrades,
    MarkNotPlaced,
    OrderFacts,
    Query,
    Send,
    Wait,
)

D = Decimal


def an_order(status=OrderStatus.SUBMITTING, *, age=30, **changes):
    ordinary = OrderFacts(status=status, created_at=ago(age), submitted_at=ago(age))
    return replace(ordinary, **changes)


def step(facts, **kwargs):
    return reconciliation.next_step(facts, now=NOW, **kwargs)


class TestNeverSent:
    def test_a_young_order_is_left_to_whoever_stored_it(self):
        got = step(an_order(OrderStatus.NEW, age=1))
        assert got == Wait(ago(1) + timedelta(seconds=2))

    def test_an_order_a_crash_left_behind_is_sent_while_fresh(self):
        assert step(an_order(OrderStatus.NEW, age=30)) == Send()

    def test_an_old_wish_to_buy_dies(self):
        got = step(an_order(OrderStatus.NEW, age=61))
        assert got == MarkNotPlaced("never sent: 61 s old, limit 60 s")

    def test_an_old_wish_to_leave_does_not(self):
        assert step(an_order(OrderStatus.NEW, age=3600, goes_stale=False)) == Send()


class TestMaybeSent:
    def test_it_is_asked_for_and_never_sent_again(self):
        assert step(an_order()) == Query()

    def test_the_first_question_waits_a_moment(self):
        assert step(an_order(age=0)) == Wait(NOW + timedelta(seconds=1))

    @pytest.mark.parametrize(("queries", "seconds"), [(1, 1), (2, 2), (3, 4), (4, 5), (40, 5)])
    def test_further_questions_back_off(self, queries, seconds):
        facts = an_order(last_query_at=NOW, queries=queries)
        assert step(facts) == Wait(NOW + timedelta(seconds=seconds))

    def test_not_found_right_after_sending_proves_nothing(self):
        facts = an_order(
            age=19, not_found=9, last_not_found_at=NOW, last_query_at=ago(9), queries=9
        )
        assert step(facts) == Query()

    def test_not_found_asked_before_the_venue_could_be_done_proves_nothing(self):
        facts = an_order(not_found=9, last_not_found_at=ago(11), last_query_at=ago(11), queries=9)
        assert step(facts) == Query()

    def test_one_answer_is_no_proof(self):
        facts = an_order(not_found=1, last_not_found_at=ago(5), last_query_at=ago(5), queries=1)
        assert step(facts) == Query()

    def test_two_answers_once_it_can_no_longer_be_under_way_are_proof(self):
        facts = an_order(not_found=2, last_not_found_at=ago(5), last_query_at=ago(5), queries=2)
        assert isinstance(step(facts), MarkNotPlaced)

    def test_a_sick_venue_proves_nothing(self):
        facts = an_order(not_found=2, last_not_found_at=ago(5), last_query_at=ago(5), queries=2)
        assert step(facts, venue_healthy=False) == Query()

    def test_the_moment_of_proof_counts_window_engine_and_margin(self):
        at = reconciliation.absence_provable_at(an_order(age=0))
        assert at == NOW + timedelta(seconds=20)

    def test_an_order_the_venue_has_shown_is_never_proven_absent(self):
        facts = an_order(OrderStatus.OPEN, not_found=9, last_not_found_at=NOW)
        assert step(facts) == Query()


class TestResting:
    @pytest.mark.parametrize(("queries", "seconds"), [(1, 5), (2, 10), (9, 10)])
    def test_it_is_looked_at_every_five_to_ten_seconds(self, queries, seconds):
        facts = an_order(OrderStatus.OPEN, last_query_at=NOW, queries=queries)
        assert step(facts) == Wait(NOW + timedelta(seconds=seconds))


class TestMissingFills:
    @pytest.mark.parametrize("status", [OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.OPEN])
    def test_trades_are_fetched_while_the_venues_figure_is_ahead(self, status):
        facts = an_order(status, executed_quantity=D(3), booked_quantity=D(1))
        assert step(facts) == FetchTrades(D(2))

    def test_fetching_backs_off_too(self):
        facts = an_order(OrderStatus.FILLED, executed_quantity=D(3), last_query_at=NOW, queries=1)
        assert isinstance(step(facts), Wait)


@pytest.mark.parametrize("status", sorted(FINAL_STATUSES))
def test_a_final_order_that_is_fully_booked_is_done(status):
    assert step(an_order(status, executed_quantity=D(1), booked_quantity=D(1))) == Done()
