"""Run measurements and write them as JSON and a table: `python -m benchmarks [names]`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks import rest_latency

RESULTS = Path(__file__).parent / "results"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=["rest"])
    parser.add_argument("--postgres", default="", help="URL of a server that may create databases")
    options = parser.parse_args()
    measurements = {"rest": rest_latency.measure}
    results: list[dict[str, Any]] = []
    for name in options.names:
        for url in ("", options.postgres) if options.postgres else ("",):
            results.append({"name": name, **measurements[name](url)})
            print(json.dumps(results[-1]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
