"""Quantiles and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def summary(seconds: Sequence[float]) -> dict[str, float]:
    """Return count, p50, p90 and p99 in milliseconds."""
    return {
        "count": len(seconds),
        "p50_ms": round(quantile(seconds, 0.5) * 1000, 3),
        "p90_ms": round(quantile(seconds, 0.9) * 1000, 3),
        "p99_ms": round(quantile(seconds, 0.99) * 1000, 3),
    }


def table(machine: Mapping[str, Any], results: Sequence[Mapping[str, Any]]) -> str:
    """Return the results as one Markdown table, a row for each figure."""
    told = ", ".join(f"{name} {value}" for name, value in machine.items())
    lines = [told, "", "| measurement | database | figure | value |", "|---|---|---|---|"]
    for result in results:
        for name, value in result.items():
            if name in ("name", "database"):
                continue
            shown = (
                ", ".join(f"{k} {v}" for k, v in value.items())
                if isinstance(value, Mapping)
                else str(value)
            )
            row = (result["name"], result["database"], name.replace("_", " "), shown)
            lines.append(f"| {' | '.join(row)} |")
    return "\n".join(lines) + "\n"
