"""Technical strategies: a year of candles through each, and the pass at candle close."""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np

from benchmarks.stage import stage
from exchanges.domain.candles import Candles, length_ms
from signals_app.strategies.technical import STRATEGIES
from signals_app.strategies.technical.base import TechnicalStrategy

YEAR_15M = 365 * 96
YEAR_1M = 365 * 1440
START_MS = 1_735_689_600_000  # 2025-01-01
PASSES = 20
# All of 15m, 1h and 4h close at midnight: the dearest pass of the day.
PASS = """
import json, time
from datetime import UTC, datetime, timedelta
from benchmarks.technical import walk
from exchanges.domain.venues import venue
from exchanges.history import store
from signals_app.models import CandleRun
from signals_app.services import candle_runs
from signals_app.strategies.technical import BY_ID
midnight = datetime(2025, 6, 1, tzinfo=UTC)
now, wanted = midnight + timedelta(seconds=1), candle_runs.wanted()
for number, ((symbol, interval), asked) in enumerate(wanted.items()):
    count = 1 + max(BY_ID[one.strategy_id].lookback(one.params) for one in asked)
    series = walk(count, interval, seed=number, end_ms=int(midnight.timestamp() * 1000))
    store.store(venue=venue("simulator"), symbol=symbol, interval=interval, rows=series)
times, said = [], 0
for _ in range({passes} + 1):
    CandleRun.objects.update(candle_ms=None)
    started = time.perf_counter()
    judged = candle_runs.run_due(now)
    times.append(time.perf_counter() - started)
    said = sum(len(one.said) for one in judged)
idle = []
for _ in range({passes}):
    started = time.perf_counter()
    candle_runs.run_due(now)
    idle.append(time.perf_counter() - started)
asked = sum(len(one) for one in candle_runs.wanted().values())
print(json.dumps([asked, len(wanted), said, times, idle]))
"""


def walk(count: int, interval: str, *, seed: int = 1, end_ms: int = 0) -> Candles:
    """Return a seeded random walk of candles, the last one closing at `end_ms`."""
    rng = np.random.default_rng(seed)
    length = length_ms(interval)
    start = end_ms - count * length if end_ms else START_MS
    close = 60_000 * np.exp(np.cumsum(rng.normal(0, 0.002, count)))
    opened = np.concatenate(([60_000.0], close[:-1]))
    wick = np.abs(rng.normal(0, 0.001, count))
    volume = rng.lognormal(4, 1, count)
    return Candles(
        "BTCUSDT",
        interval,
        start + np.arange(count) * length,
        opened,
        np.maximum(opened, close) * (1 + wick),
        np.minimum(opened, close) * (1 - wick),
        close,
        volume,
        volume * close,
        np.full(count, 100),
        volume / 2,
        volume * close / 2,
    )


def measure(database_url: str = "") -> dict[str, Any]:
    """Return seconds of each strategy over a year of candles, and those of the runner's pass."""
    quarters, minutes = walk(YEAR_15M, "15m"), walk(YEAR_1M, "1m")
    STRATEGIES[0].calls(quarters, STRATEGIES[0].spec.defaults())  # TA-Lib is imported here
    by_15m = {one.spec.strategy_id: _seconds(one, quarters) for one in STRATEGIES}
    by_1m = {one.spec.strategy_id: _seconds(one, minutes) for one in STRATEGIES}
    return {
        "database": "PostgreSQL" if database_url else "SQLite",
        "all_28_year_of_15m_s": round(sum(by_15m.values()), 3),
        "all_28_year_of_1m_s": round(sum(by_1m.values()), 3),
        "each_year_of_15m_s": by_15m,
        "each_year_of_1m_s": by_1m,
        **_passes(database_url),
    }


def _seconds(strategy: TechnicalStrategy, series: Candles) -> float:
    """Return the middle of three runs."""
    times = []
    for _ in range(3):
        started = time.perf_counter()
        strategy.calls(series, strategy.spec.defaults())
        times.append(time.perf_counter() - started)
    return round(sorted(times)[1], 4)


def _passes(database_url: str) -> dict[str, Any]:
    with stage(database_url) as made:
        told = made.shell(PASS.format(passes=PASSES)).splitlines()[-1]
    asked, series, said, times, idle = json.loads(told)
    return {
        "pass_asks": f"{asked} questions of 28 strategies on {series} series, {said} signals",
        "pass_first_with_imports_s": round(times[0], 3),
        "pass_at_midnight_median_s": round(float(np.median(times[1:])), 3),
        "pass_at_midnight_worst_s": round(max(times[1:]), 3),
        "pass_with_nothing_due_median_s": round(float(np.median(idle)), 4),
    }
