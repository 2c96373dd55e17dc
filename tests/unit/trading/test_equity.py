"""Worth, its course through days and weeks, and how far it fell."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from trading.domain.equity import (
    Books,
    Worth,
    cash_of,
    end_of_day,
    end_of_week,
    falls,
    follow,
    profit_of,
)

D = Decimal
UTC_DESK = ZoneInfo("UTC")
FRIDAY = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def worth(profit, base=10_000) -> Worth:
    return Worth(D(base) + D(profit), D(profit))


def course_of(*looks, desk=UTC_DESK):
    """Follow (hours since Friday noon, profit) pairs."""
    course = None
    for hours, profit in looks:
        now = FRIDAY + timedelta(hours=hours)
        course = follow(course, worth(profit), now=now, desk=desk)
    return course


def test_profit_is_realised_and_open_together():
    held = Books(D(2), D(100), D("-5"), mark=D(110))
    flat = Books(D(0), D(0), D(7), mark=None)
    assert profit_of([held, flat]) == 22


def test_a_holding_nobody_can_price_makes_profit_unknown():
    assert profit_of([Books(D(2), D(100), D(0), mark=None)]) is None


def test_cash_is_capital_less_what_is_held_and_what_was_lost():
    held = Books(D(2), D(100), D("-5"), mark=None)
    assert cash_of(D(1000), [held]) == 795


def test_the_first_look_is_no_loss():
    course = course_of((0, -500))
    assert falls(course, worth(-500)).drawdown == 0


def test_todays_loss_is_percent_of_what_was_there_at_midnight():
    course = course_of((0, 0), (6, 1000), (13, 450))
    assert falls(course, worth(450)).daily == 5  # of 11,000


def test_a_day_begins_with_the_last_look_before_it():
    course = course_of((0, 0), (11, 200), (20, 100))
    assert course.day_profit == 200


def test_the_week_runs_on_over_days():
    course = course_of((0, 0), (20, -100), (40, -300))
    got = falls(course, worth(-300))
    assert got.daily == D(200) / D(9900) * 100
    assert got.weekly == 3


def test_monday_begins_a_week():
    course = course_of((0, 0), (48, -300), (70, -300))
    assert falls(course, worth(-300)).weekly == 0


def test_the_desks_midnight_counts_not_utcs():
    tokyo = ZoneInfo("Asia/Tokyo")  # midnight there is 15:00 UTC
    course = course_of((0, 0), (2.9, -100), (3.1, -100), desk=tokyo)
    assert falls(course, worth(-100)).daily == 0


def test_drawdown_is_from_the_best():
    course = course_of((0, 0), (1, 2000), (2, 800))
    assert falls(course, worth(800)).drawdown == 10


def test_money_put_in_is_no_win_and_money_taken_out_no_loss():
    course = course_of((0, 0), (1, 100))
    for base in (5_000, 50_000):
        moved = worth(100, base)
        after = follow(course, moved, now=FRIDAY + timedelta(hours=2), desk=UTC_DESK)
        assert falls(after, moved).daily == falls(after, moved).drawdown == 0


def test_nothing_left_is_a_whole_loss():
    course = course_of((0, 0))
    assert falls(course, Worth(D(-10), D(-10))).daily == 100


def test_an_older_look_changes_nothing():
    course = course_of((5, 100))
    assert follow(course, worth(-500), now=FRIDAY, desk=UTC_DESK) == course


def test_days_and_weeks_end_at_the_desks_midnight():
    berlin = ZoneInfo("Europe/Berlin")
    assert end_of_day(FRIDAY, berlin).isoformat() == "2026-11-21T00:00:00+01:00"
    assert end_of_week(FRIDAY, berlin).isoformat() == "2026-11-23T00:00:00+01:00"


MONEY = st.decimals("-5000", "5000", places=2)


@given(st.lists(MONEY, min_size=1, max_size=40))
def test_no_loss_is_missed_however_it_came_about(profits):
    course = course_of(*[(hours, profit) for hours, profit in enumerate(profits)])
    last = profits[-1]
    got = falls(course, worth(last))
    best = max(profits)
    assert course.high_profit == best
    assert got.drawdown == (best - last) / (10_000 + best) * 100
    assert got.drawdown >= max(got.daily, D(0)) - D("1e-20")
