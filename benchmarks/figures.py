"""Quantiles and tables."""

from __future__ import annotations

from collections.abc import Sequence


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
