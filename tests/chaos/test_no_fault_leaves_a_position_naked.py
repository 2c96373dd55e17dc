"""A small table of faults on the whole product keeps what docs/reliability.md promises."""

from __future__ import annotations

import pytest

from tests.chaos import table
from tests.chaos.referee import longest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]
NAKED_SECONDS = 3.0
SOLD_SECONDS = 5.0


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> table.Outcome:
    asked = table.parse(["--quick", "--parts", "table,quiet"])
    return table.run(tmp_path_factory.mktemp("chaos"), asked)


def test_nothing_is_doubled_lost_or_sold_twice(found: table.Outcome, tell) -> None:
    whole = found.whole
    tell(signals=found.signals, entries=whole.entries, faults=whole.faults, load=max(found.loads))
    assert (whole.doubled, whole.lost, whole.unasked, whole.beyond) == ((), (), (), ())


def test_no_single_fault_leaves_a_position_naked_for_long(found: table.Outcome) -> None:
    late = [
        (cell.scenario.name, cell.fault, longest(report.naked_unguarded))
        for cell, report in found.cells
        if cell.killed == "nothing" and longest(report.naked_unguarded) > NAKED_SECONDS
    ]
    assert late == []


def test_every_exit_is_carried_out(found: table.Outcome) -> None:
    late = [
        (cell.scenario.name, cell.fault, sale.seconds)
        for cell, report in found.cells
        for sale in report.exits
        if cell.killed == "nothing" and (sale.seconds is None or sale.seconds > SOLD_SECONDS)
    ]
    assert late == []


def test_without_faults_nothing_is_ever_naked_for_long(found: table.Outcome) -> None:
    [story] = found.stories
    assert longest(story.report.naked) < 1.0
