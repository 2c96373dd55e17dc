"""What is missing of the candles somebody asked for, in words: a run over a hole is allowed, but
it is never silent about it."""

from __future__ import annotations

import numpy as np

from exchanges.domain.candles import DAY_MS, Candles, length_ms, opened_at
from signals_app.backtest.metrics import day_of

MOST_NAMED = 5


def warnings(candles: Candles, start_ms: int | None, end_ms: int | None) -> list[str]:
    """Return what to say about candles of [start_ms, end_ms); None: from the first, to the last."""
    length = length_ms(candles.interval)
    first, last = int(candles.opened_ms[0]), int(candles.opened_ms[-1]) + length
    begins = first if start_ms is None else min(first, _next_opening(candles.interval, start_ms))
    ends = last if end_ms is None else max(last, _next_opening(candles.interval, end_ms))
    edges = [(begins, first), (last, ends)]
    missing = sorted([*candles.gaps(), *(edge for edge in edges if edge[0] < edge[1])])
    if not missing:
        return []
    count, wanted = sum(b - a for a, b in missing) // length, (ends - begins) // length
    words = (
        f"{count:,} of {wanted:,} candles of this time are missing{_days(candles, begins, ends)}"
    )
    named = [f"{day_of(a)} to {day_of(b)}" for a, b in _longest(missing)]
    more = f" and {len(missing) - len(named):,} shorter ones" if len(missing) > len(named) else ""
    return [f"{words}: {', '.join(named)}{more}; nothing was traded there."]


def _next_opening(interval: str, at_ms: int) -> int:
    """Return when the first candle opens at a moment or after it."""
    opened = opened_at(interval, at_ms)
    return opened if opened == at_ms else opened + length_ms(interval)


def _days(candles: Candles, begins: int, ends: int) -> str:
    if length_ms(candles.interval) > DAY_MS:
        return ""
    days = (ends - 1) // DAY_MS - begins // DAY_MS + 1
    empty = days - len(np.unique(candles.opened_ms // DAY_MS))
    return f" ({empty:,} of {days:,} days have no candles)" if empty else ""


def _longest(missing: list[tuple[int, int]]) -> list[tuple[int, int]]:
    return sorted(sorted(missing, key=lambda gap: gap[0] - gap[1])[:MOST_NAMED])
