"""Run the table of faults on the whole product and write what the referee saw into the docs.

    python -m tests.chaos.table [--quick] [--parts table,quiet,slow,twenty,mixed] ...

On PostgreSQL when DATABASE_URL says so, else on SQLite. Everything it starts is its own.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from tests.chaos import drills, figures, promises, referee
from tests.chaos.bench import Bench, bench
from tests.chaos.drills import KILLED, Drill
from tests.chaos.promises import Verdict
from tests.chaos.referee import Report
from tests.chaos.scenarios import FAULTS, Cell
from tests.product import COMMANDS, ROOT

PAGE = ROOT / "docs" / "reliability.md"
PARTS = ("table", "quiet", "slow", "twenty", "mixed")
QUICK_FAULTS = ("none", "request lost (reset)", "executed, -1007", "429, Retry-After 1")
TABLES = {
    "Longest time naked, seconds, one fault alone (median / maximum):": "naked",
    "The same, without the times in which a guard of ours watched:": "unguarded",
    "Longest time in which a part was uncovered:": "uncovered",
    "From the signal (or the stop's price) to sold:": "sold",
}


@dataclass
class Outcome:
    """Everything one run found. `whole` is the referee's word on all of it together."""

    cells: list[tuple[Cell, Report]] = field(default_factory=list)
    stories: list[Drill] = field(default_factory=list)
    whole: Report = field(default_factory=Report)
    signals: int = 0
    loads: list[float] = field(default_factory=list)
    seconds: float = 0.0

    def verdicts(self) -> list[Verdict]:
        return promises.verdicts(self.whole, self.cells, self.stories)


def run(folder: Path, asked: argparse.Namespace) -> Outcome:
    """Run what was asked for on one product and have it judged."""
    began = time.monotonic()
    found = Outcome()
    with bench(folder) as on:
        cells = _rounds(on, asked) if "table" in asked.parts else []
        found.stories = [story for part in asked.parts for story in _story(on, part, asked)]
        on.settle()
        found.whole = referee.judge(on.rows, on.sent, outcomes=on.outcomes(), guarded=on.guarded())
        found.signals, found.loads = len(on.sent), on.loads
        if asked.keep:
            _keep(on, cells, asked.keep)
    found.cells = [(c, found.whole.of(c.symbol, c.begun_ms, c.ended_ms)) for c in cells]
    found.seconds = time.monotonic() - began
    return found


def _rounds(on: Bench, asked: argparse.Namespace) -> list[Cell]:
    victims = [v for v in asked.killed if v == "nothing" or v in COMMANDS]
    cells: list[Cell] = []
    for fault, victim in drills.combinations(asked.faults, victims):
        began = time.monotonic()
        played = drills.play(on, fault, victim, asked.copies)
        cells += played
        open_ends = [cell.scenario.name for cell in played if not cell.is_done]
        _say(f"{fault}, {victim} killed: {time.monotonic() - began:.0f} s, not over: {open_ends}")
    return cells


def _story(on: Bench, part: str, asked: argparse.Namespace) -> list[Drill]:
    if part == "quiet":
        stories = [drills.quiet(on, 60 if asked.quick else 300)]
    elif part == "mixed":
        stories = [drills.mixed(on, 120 if asked.quick else 600)]
    elif part == "slow":
        stories = [drills.slow(on)]
    elif part == "twenty":
        stories = [drills.twenty(on)]
    else:
        return []
    _say(figures.of_drills(stories).splitlines()[-1])
    return stories


def _keep(on: Bench, cells: Sequence[Cell], path: Path) -> None:
    """Write the diary, the signals and the cells down, to be looked at later."""
    import json

    told = {
        "rows": on.rows,
        "sent": [vars(s) for s in on.sent],
        "cells": [
            [c.scenario.name, c.fault, c.killed, c.symbol, c.begun_ms, c.ended_ms, c.is_done]
            for c in cells
        ],
    }
    path.write_text(json.dumps(told, default=str))


def written(found: Outcome, commit: str) -> str:
    """Return the run as Markdown."""
    whole = found.whole
    database = (
        "PostgreSQL" if os.environ.get("DATABASE_URL", "").startswith("postgres") else "SQLite"
    )
    lines = [
        f"Commit {commit}, {datetime.now(UTC):%Y-%m-%d}, {database}, {os.cpu_count()} cores, "
        f"load average {median(found.loads):.1f} (median) and {max(found.loads):.1f} (maximum), "
        f"{found.seconds / 60:.0f} minutes.",
        "",
        f"{found.signals} signals, {whole.entries} entries at the venue, "
        f"{whole.faults} faults struck: {len(whole.doubled)} doubled, {len(whole.lost)} lost, "
        f"{len(whole.unasked)} unasked, {len(whole.beyond)} sold beyond what was bought.",
        "",
        figures.of_verdicts(found.verdicts()),
    ]
    if found.cells:
        alone = [f for f in found.cells if f[0].killed == "nothing"]
        for words, measure in TABLES.items() if alone else ():
            lines += ["", words, "", figures.by_fault(alone, measure)]
        lines += ["", "With a process killed while the fault strikes, over all faults:", ""]
        lines += [figures.by_kill(found.cells)]
    if found.stories:
        lines += ["", figures.of_drills(found.stories)]
    return "\n".join(lines)


def into_page(marker: str, text: str, page: Path = PAGE) -> None:
    """Put a text between the page's markers of that name. ValueError when it has none."""
    begin, end = f"<!-- chaos:{marker} begin -->", f"<!-- chaos:{marker} end -->"
    content = page.read_text(encoding="utf-8")
    if begin not in content or end not in content:
        raise ValueError(f"{page.name} has no {begin} ... {end}")
    head, _, rest = content.partition(begin)
    _, _, tail = rest.partition(end)
    page.write_text(f"{head}{begin}\n{text}\n{end}{tail}", encoding="utf-8")


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short=7", "HEAD"], cwd=ROOT, capture_output=True, text=True
    )
    return done.stdout.strip() or "unknown"


def _say(text: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S} {text}", flush=True)  # noqa: T201


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.table", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small table, minutes")
    parser.add_argument("--parts", default=",".join(PARTS), help="what to run, by name")
    parser.add_argument("--faults", default="", help="part of a name each, separated by ;")
    parser.add_argument("--killed", default="", help=f"of {', '.join(KILLED)}")
    parser.add_argument("--copies", type=int, default=0, help="symbols per scenario at once")
    parser.add_argument(
        "--marker", help="write between these markers of the page; default for a full run: measured"
    )
    parser.add_argument("--commit", default="", help="what was measured, if it is not HEAD")
    parser.add_argument("--keep", type=Path, help="write the venue's diary into this file")
    asked = parser.parse_args(arguments)
    is_full = not (asked.quick or asked.faults or asked.killed or asked.parts != ",".join(PARTS))
    if asked.marker is None:
        asked.marker = "measured" if is_full else ""
    asked.parts = [part for part in asked.parts.split(",") if part]
    if unknown := set(asked.parts) - set(PARTS):
        parser.error(f"no part is called {', '.join(sorted(unknown))}")
    wanted = [text for text in re.split(";", asked.faults) if text]
    every = QUICK_FAULTS if asked.quick else tuple(FAULTS)
    asked.faults = [f for f in FAULTS if any(w in f for w in wanted)] if wanted else list(every)
    killed = asked.killed or ("nothing,worker" if asked.quick else ",".join(KILLED))
    asked.killed = killed.split(",")
    asked.copies = asked.copies or (1 if asked.quick else 2)
    return asked


def main(arguments: Sequence[str] | None = None) -> int:
    asked = parse(arguments)
    with tempfile.TemporaryDirectory(prefix="petrosa-chaos-") as folder:
        found = run(Path(folder), asked)
    text = written(found, asked.commit or _commit())
    _say("\n" + text)
    for fault in (
        *found.whole.doubled,
        *found.whole.lost,
        *found.whole.unasked,
        *found.whole.beyond,
    ):
        _say(f"FAULT: {fault}")
    if asked.marker:
        into_page(asked.marker, text)
    return 0 if all(verdict.is_kept for verdict in found.verdicts()) else 1


if __name__ == "__main__":
    sys.exit(main())
