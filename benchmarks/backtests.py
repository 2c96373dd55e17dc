"""How long a year of one-minute candles takes: strategy, engine, metrics and report apart."""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import numpy as np

from exchanges.domain.candles import Candles
from exchanges.domain.orders import OrderType
from exchanges.venues.simulator.instruments import listings
from signals_app.backtest import candles as candle_run
from signals_app.backtest import metrics, report
from signals_app.backtest.setup import Setup
from signals_app.strategies import technical
from signals_app.strategies.technical.base import TechnicalStrategy
from trading.domain.risk.types import Limits, SizingModel

YEAR = 525_600
MINUTE = 60_000
START_MS = 1_735_689_600_000
ROUNDS = 3
D = Decimal
LIMITS = Limits(
    min_confidence=D("0.5"),
    max_age_seconds=60,
    quote_max_age_seconds=D(2),
    balance_max_age_seconds=D(120),
    max_open_positions=5,
    max_position_notional=D(10_000),
    sizing_model=SizingModel.PERCENT_OF_BALANCE,
    position_pct=D("0.02"),
    default_quote_amount=D(100),
    default_order_type=OrderType.MARKET,
    require_stop=True,
    stop_loss_pct=D(2),
    take_profit_pct=D(5),
    max_orders_per_day=2000,
    max_repeats=10,
    one_symbol_per_account=True,
    cooldown_after_losses=3,
    daily_loss_reduce_pct=D(3),
    weekly_loss_reduce_pct=D(6),
    drawdown_reduce_pct=D(15),
    max_spread_bps=D(10),
    max_slippage_bps=D(5),
)


def measure(database_url: str = "") -> dict[str, Any]:
    """Return medians of three runs for every technical strategy, and the slowest of them."""
    market = year()
    rows = {s.spec.strategy_id: _one(s, market, rounds=1) for s in technical.STRATEGIES}
    slowest = max(rows, key=lambda name: rows[name]["seconds"])
    busiest = max(rows, key=lambda name: rows[name]["fills"])
    again = {
        name: _one(technical.BY_ID[name], market, rounds=ROUNDS)
        for name in dict.fromkeys((slowest, busiest))
    }
    return {
        "database": "none",
        "candles": YEAR,
        "strategies": len(rows),
        "median_seconds": round(statistics.median(r["seconds"] for r in rows.values()), 2),
        "slowest": {"strategy": slowest, **again[slowest]},
        "busiest": {"strategy": busiest, **again[busiest]},
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def year(seed: int = 7) -> Candles:
    """Return a seeded random walk of a year of minutes."""
    random = np.random.default_rng(seed)
    close = np.round(50_000 * np.exp(np.cumsum(random.normal(0, 0.0007, YEAR))), 2)
    first = np.concatenate(([50_000.0], close[:-1]))
    high = np.round(np.maximum(first, close) * (1 + abs(random.normal(0, 0.0003, YEAR))), 2)
    low = np.round(np.minimum(first, close) * (1 - abs(random.normal(0, 0.0003, YEAR))), 2)
    volume = random.gamma(2.0, 5.0, YEAR)
    opened = START_MS + np.arange(YEAR, dtype=np.int64) * MINUTE
    trades = np.full(YEAR, 100, dtype=np.int64)
    return Candles(
        "BTCUSDT", "1m", opened, first, high, low, close,
        volume, volume * close, trades, volume / 2, volume * close / 2,
    )  # fmt: skip


def _one(strategy: TechnicalStrategy, market: Candles, *, rounds: int) -> dict[str, Any]:
    spec = strategy.spec
    setup = Setup(
        spec.strategy_id, "BTCUSDT", listings()["BTCUSDT"].entry, LIMITS, spec.defaults(),
        interval="1m",
    )  # fmt: skip
    parts: dict[str, list[float]] = {"calls": [], "engine": [], "metrics": [], "report": []}
    for _ in range(rounds):
        with _timed(parts["calls"]):
            calls = strategy.calls(market, setup.params)
        with _timed(parts["engine"]):
            result = candle_run.run(strategy, market, setup, calls=calls)
        with _timed(parts["metrics"]):
            figures = metrics.of(result)
        with _timed(parts["report"]):
            report.document(result, figures, market)
    seconds = {name: round(statistics.median(times), 2) for name, times in parts.items()}
    return {
        "seconds": round(sum(seconds.values()), 2),
        **seconds,
        "said": result.said.calls,
        "fills": len(result.fills),
        "trades": len(result.trades),
    }


@contextmanager
def _timed(times: list[float]) -> Iterator[None]:
    started = time.perf_counter()
    yield
    times.append(time.perf_counter() - started)
