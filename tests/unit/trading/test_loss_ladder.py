"""Which step of a loss is due: the strictest, once for its day, week or best."""

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from trading.domain.equity import Course, Falls
from trading.domain.loss_limits import Loss, Step, steps_to_take
from trading.domain.risk.types import LossSteps

D = Decimal
DESK = ZoneInfo("UTC")
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
OFF = LossSteps()
LADDER = {
    Loss.DAILY: LossSteps(D(2), D(3), D(5)),
    Loss.WEEKLY: OFF,
    Loss.DRAWDOWN: OFF,
}


def due(daily="0", *, done=None, ladder=None, drawdown="0"):
    today = NOW.date()
    course = Course(NOW, D(1), D(0), today, D(0), today, D(0), D(0), NOW)
    falls = Falls(D(daily), D(0), D(drawdown))
    return steps_to_take(course, falls, ladder or LADDER, done or {}, now=NOW, desk=DESK)


def words(taken):
    return [one.step for one in taken]


def test_nothing_is_due_below_the_first_step():
    assert due("1.99") == []


def test_each_step_is_due_from_its_percent_on():
    assert words(due("2")) == [Step.WARN]
    assert words(due("3")) == [Step.REDUCE_ONLY]
    assert words(due("5")) == [Step.FLATTEN]


def test_a_step_is_taken_once_a_day():
    assert due("2.5", done={"daily": "2026-11-20 WARN"}) == []
    assert words(due("2.5", done={"daily": "2026-11-19 FLATTEN"})) == [Step.WARN]


def test_a_milder_step_does_not_follow_a_stricter_one():
    assert due("2.5", done={"daily": "2026-11-20 REDUCE_ONLY"}) == []


def test_a_stricter_step_follows_a_milder_one():
    assert words(due("6", done={"daily": "2026-11-20 REDUCE_ONLY"})) == [Step.FLATTEN]


def test_a_step_of_zero_is_left_out():
    ladder = LADDER | {Loss.DAILY: LossSteps(D(2), D(0), D(5))}
    assert words(due("4", ladder=ladder)) == [Step.WARN]


def test_a_daily_step_ends_with_the_day_and_a_drawdowns_does_not():
    [daily] = due("3")
    assert daily.until is not None
    assert daily.until.isoformat() == "2026-11-21T00:00:00+00:00"
    ladder = {Loss.DAILY: OFF, Loss.WEEKLY: OFF, Loss.DRAWDOWN: LossSteps(D(0), D(10))}
    [fallen] = due(drawdown="10", ladder=ladder)
    assert fallen.until is None
