"""Run measurements and write them as JSON and a table: `python -m benchmarks [names]`."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import (
    backtests,
    history,
    market_flow,
    nats_flow,
    pipeline,
    rest_latency,
    strategies,
    technical,
)
from benchmarks.figures import table

RESULTS = Path(__file__).parent / "results"
WITHOUT_DATABASE = (
    "pipeline",
    "market",
    "backtest",
    "strategies",
    "strategies-nats",
    "strategies-memory",
)
MEASUREMENTS: dict[str, Callable[[str], dict[str, Any]]] = {
    "backtest": backtests.measure,
    "pipeline": pipeline.measure,
    "rest": rest_latency.measure,
    "nats": nats_flow.latency,
    "sustained": nats_flow.sustained,
    "desk": nats_flow.desk,
    "technical": technical.measure,
    "market": market_flow.measure,
    "strategies": strategies.measure,
    "strategies-nats": strategies.through_nats,
    "strategies-memory": strategies.memory,
    "history": history.measure,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(MEASUREMENTS)}; all by default")
    parser.add_argument("--postgres", default="", help="URL of a server that may create databases")
    parser.add_argument("--keep", action="store_true", help="write benchmarks/results")
    options = parser.parse_args()
    if unknown := set(options.names) - set(MEASUREMENTS):
        parser.error(f"no such measurement: {', '.join(sorted(unknown))}")
    results: list[dict[str, Any]] = []
    for name in options.names or MEASUREMENTS:
        on_both = options.postgres and name not in WITHOUT_DATABASE
        for url in ("", options.postgres) if on_both else ("",):
            results.append({"name": name, **MEASUREMENTS[name](url)})
            print(json.dumps(results[-1], indent=2), flush=True)
    if options.keep:
        _keep(results)
    return 0


def _keep(results: list[dict[str, Any]]) -> None:
    RESULTS.mkdir(exist_ok=True)
    machine = {
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "measured_on": datetime.now(UTC).date().isoformat(),
    }
    told = {"machine": machine, "results": results}
    (RESULTS / "latest.json").write_text(json.dumps(told, indent=2) + "\n")
    (RESULTS / "latest.md").write_text(table(machine, results))


if __name__ == "__main__":
    sys.exit(main())
