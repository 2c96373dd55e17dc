"""The referee's findings as tables of Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from statistics import median

from tests.chaos.drills import Drill
from tests.chaos.promises import Verdict
from tests.chaos.referee import Gap, Report, longest
from tests.chaos.scenarios import SCENARIOS, Cell

Found = tuple[Cell, Report]
NAKED = {s.name for s in SCENARIOS} - {"flatten", "flatten, 10 % missing"}
SOLD = {s.name for s in SCENARIOS} - {"first entry", "add-on", "limit bracket"}


def by_fault(found: Sequence[Found], measure: str) -> str:
    """Lay out faults down and scenarios across: median / maximum of the cells' longest seconds."""
    wanted = SOLD if measure == "sold" else NAKED
    names = [s.name for s in SCENARIOS if s.name in wanted]
    faults = list(dict.fromkeys(cell.fault for cell, _ in found))
    rows = []
    for fault in faults:
        row = [fault]
        for name in names:
            here = [f for f in found if f[0].fault == fault and f[0].scenario.name == name]
            figures = _pair([MEASURES[measure](report) for _, report in here])
            never = sum(len(report.unsold) for _, report in here) if measure == "sold" else 0
            unstruck = sum(cell.fault != "none" and not cell.is_struck for cell, _ in here)
            words = [figures] + ([f"{never} never"] if never else [])
            row.append(", ".join([*words, f"{unstruck} not struck"] if unstruck else words))
        rows.append(row)
    return _table(["fault", *names], rows)


def by_kill(found: Sequence[Found]) -> str:
    """Lay out what was killed down, and every figure over all faults and scenarios across."""
    rows = []
    for victim in dict.fromkeys(cell.killed for cell, _ in found):
        here = [report for cell, report in found if cell.killed == victim]
        rows.append(
            [
                victim,
                str(len(here)),
                *(_pair([MEASURES[m](r) for r in here]) for m in MEASURES),
                str(sum(len(r.unsold) for r in here)),
                str(sum(len(r.refused_again) for r in here)),
            ]
        )
    heads = "killed|cells|naked s|unguarded s|uncovered s|sold s|never sold|sale refused again"
    return _table(heads.split("|"), rows)


def of_verdicts(found: Iterable[Verdict]) -> str:
    rows = [[v.promise, v.limit, v.measured, "yes" if v.is_kept else "**no**"] for v in found]
    return _table(["promise", "limit", "measured", "kept"], rows)


def of_drills(drills: Iterable[Drill]) -> str:
    rows = []
    for drill in drills:
        seen = drill.report
        sold = [e.seconds for e in seen.exits if e.seconds is not None]
        rows.append(
            [
                drill.name,
                str(drill.signals),
                str(seen.entries),
                str(seen.faults),
                str(len(seen.doubled)),
                str(len(seen.lost)),
                str(len(seen.beyond)),
                _gaps(seen.naked),
                f"{longest(seen.naked_unguarded):.1f}",
                f"{longest(seen.uncovered):.1f}",
                _pair(sold),
                str(len(seen.unsold)),
                f"{drill.load:.1f}",
                drill.notes,
            ]
        )
    heads = (
        "story|signals|entries|faults|doubled|lost|beyond|naked s|unguarded max s|uncovered max s"
    )
    return _table([*heads.split("|"), "sold s", "unsold", "load", ""], rows)


def _sold(report: Report) -> float | None:
    """Return the longest time to a sale; None when nothing was to be sold."""
    known = [e.seconds for e in report.exits if e.seconds is not None]
    return max(known) if known else None


MEASURES: dict[str, Callable[[Report], float | None]] = {
    "naked": lambda report: longest(report.naked),
    "unguarded": lambda report: longest(report.naked_unguarded),
    "uncovered": lambda report: longest(report.uncovered),
    "sold": _sold,
}


def _pair(figures: Sequence[float | None]) -> str:
    known = [figure for figure in figures if figure is not None]
    if len(known) == 1:
        return f"{known[0]:.1f}"
    return f"{median(known):.1f} / {max(known):.1f}" if known else "-"


def _gaps(gaps: Sequence[Gap]) -> str:
    return _pair([gap.seconds for gap in gaps])


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])
