"""Each promise is kept or broken by the figures alone, and only what was measured is judged."""

from __future__ import annotations

from decimal import Decimal

from tests.chaos import promises
from tests.chaos.drills import Drill
from tests.chaos.promises import Verdict
from tests.chaos.referee import Exit, Gap, Place, Refusal, Report
from tests.chaos.scenarios import SCENARIOS, Cell

HERE = Place("1", "ETHUSDT")
ENTRY, CLOSE = SCENARIOS[0], SCENARIOS[3]


def naked(seconds: float) -> Report:
    gap = Gap(HERE, 0, int(seconds * 1000), Decimal(1))
    return Report(naked=(gap,), naked_unguarded=(gap,))


def sold(seconds: float | None) -> Report:
    return Report(exits=(Exit("z", HERE, 0, None if seconds is None else int(seconds * 1000)),))


def judged(report: Report, fault: str = "none", scenario=ENTRY) -> dict[str, Verdict]:
    cell = Cell(scenario, fault, "nothing", "ETHUSDT")
    return {v.promise: v for v in promises.verdicts(Report(), [(cell, report)], [])}


def test_three_seconds_naked_are_kept_and_more_are_not():
    promise = "one fault alone: naked"
    assert judged(naked(3.0))[promise].is_kept
    assert not judged(naked(3.1))[promise].is_kept


def test_the_median_of_lost_requests_is_a_promise_of_its_own():
    promise = "one lost request: naked, median"
    assert promise not in judged(naked(2.0))
    assert not judged(naked(2.0), "request lost (reset)")[promise].is_kept


def test_an_exit_that_never_came_is_told():
    verdict = judged(sold(None), scenario=CLOSE)["one fault alone: from signal to sold"]
    assert (verdict.measured, verdict.is_kept) == ("0.0 s, 1 never", False)


def test_a_killed_process_is_not_one_fault_alone():
    cell = Cell(ENTRY, "none", "worker", "ETHUSDT")
    assert len(promises.verdicts(Report(), [(cell, naked(9))], [])) == 1


def test_a_sale_refused_again_breaks_its_promise():
    refusal = Refusal("ETHUSDT", 0, "-2010")
    report = Report(refusals=(refusal, refusal))
    assert not judged(report)["sales refused twice for one reason"].is_kept


def test_a_doubled_entry_breaks_the_first_promise():
    [verdict] = promises.verdicts(Report(doubled=("x",)), [], [])
    assert (verdict.measured, verdict.is_kept) == ("1 / 0 / 0 / 0", False)


def test_a_delayed_close_is_measured_by_its_delay():
    story = Drill("slow", "slow", 10, Report(), 1.0, 60.0, delay=1.2)
    assert [v.is_kept for v in promises.verdicts(Report(), [], [story])] == [True, False]
