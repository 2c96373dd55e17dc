"""What docs/reliability.md promises, held against what the referee saw."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from tests.chaos.drills import TWENTY, Drill
from tests.chaos.referee import Exit, Gap, Report, longest
from tests.chaos.scenarios import Cell

Found = Sequence[tuple[Cell, Report]]
LOST = ("request lost (reset)", "request lost (-1007)")
PLACING = ("first entry", "add-on")


@dataclass(frozen=True)
class Verdict:
    """One promise: what was measured beside its limit."""

    promise: str
    limit: str
    measured: str
    is_kept: bool


def verdicts(whole: Report, cells: Found, stories: Iterable[Drill]) -> list[Verdict]:
    """Judge every promise of which something was measured."""
    found = [_exactly(whole)]
    alone = [(cell, report) for cell, report in cells if cell.killed == "nothing"]
    if alone:
        found += _of_single_faults(alone)
    for story in stories:
        found += _of_story(story)
    return found


def _exactly(whole: Report) -> Verdict:
    counts = [len(x) for x in (whole.doubled, whole.lost, whole.unasked, whole.beyond)]
    words = "doubled / lost / unasked / sold beyond"
    return Verdict(words, "0 / 0 / 0 / 0", " / ".join(map(str, counts)), not any(counts))


def _of_single_faults(alone: Found) -> list[Verdict]:
    naked = [longest(report.naked_unguarded) for _, report in alone]
    lost = [
        longest(report.naked_unguarded)
        for cell, report in alone
        if cell.fault in LOST and cell.scenario.name in PLACING
    ]
    exits = [sale for _, report in alone for sale in report.exits]
    again = sum(len(report.refused_again) for _, report in alone)
    told = [_most("one fault alone: naked", naked, 3.0)]
    if lost:
        told.append(_most("one lost request: naked, median", [median(lost)], 1.0))
    told.append(_sales("one fault alone: from signal to sold", exits, 5.0))
    told.append(Verdict("sales refused twice for one reason", "0", str(again), not again))
    return told


def _of_story(story: Drill) -> list[Verdict]:
    seen = story.report
    if story.kind == "quiet":
        first, later = _first_and_later(seen.naked)
        return [
            _most("no faults: naked once a first stop stands", [longest(later)], 0.0),
            _most("no faults: from a first fill to its stop", [longest(first)], 0.2),
        ]
    if story.kind == "mixed":
        naked = [longest(seen.naked_unguarded)]
        return [
            _most("mixed faults with kills: naked", naked, 5.0),
            _sales("mixed faults with kills: from signal to sold", seen.exits, 5.0),
        ]
    if story.kind == "slow":
        return [_most("eight 12 s answers: a close is later by", [story.delay], 1.0)]
    held, wanted = story.held, len(TWENTY)
    return [
        Verdict("twenty positions with stops: held", str(wanted), str(held), held >= wanted),
        _most("twenty positions: naked and not guarded", [longest(seen.naked_unguarded)], 3.0),
        _sales("a crash through twenty stops: sold", seen.exits, 3.0),
    ]


def _first_and_later(gaps: Iterable[Gap]) -> tuple[list[Gap], list[Gap]]:
    """Tell the gap between a first fill and its stop, which no client can avoid, from the rest."""
    first: dict[object, Gap] = {}
    later = []
    for gap in sorted(gaps, key=lambda gap: gap.from_ms):
        if gap.place in first:
            later.append(gap)
        else:
            first[gap.place] = gap
    return list(first.values()), later


def _most(promise: str, seconds: Sequence[float], limit: float) -> Verdict:
    worst = max(seconds)
    return Verdict(promise, f"{limit:g} s", f"{worst:.2f} s", worst <= limit)


def _sales(promise: str, exits: Sequence[Exit], limit: float) -> Verdict:
    never = sum(sale.seconds is None for sale in exits)
    worst = max((sale.seconds for sale in exits if sale.seconds is not None), default=0.0)
    words = f"{worst:.1f} s" + (f", {never} never" if never else "")
    return Verdict(promise, f"{limit:.1f} s", words, not never and worst <= limit)
