"""Small markets, strategies and setups to put together a backtest in a line or two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np

from exchanges.domain.candles import Candle, Candles
from exchanges.domain.orders import OrderType
from exchanges.venues.simulator.instruments import listings
from signals_app.backtest import candles as candle_run
from signals_app.backtest.setup import Costs, Setup
from signals_app.strategies.spec import Family, Kind, Param, StrategySpec
from signals_app.strategies.technical.base import Calls
from trading.domain.risk.types import Limits, SizingModel

D = Decimal
SYMBOL = "BTCUSDT"
START_MS = 1_735_689_600_000  # 2025-01-01 00:00 UTC, a Wednesday
MINUTE = 60_000
FREE = Costs(fee_bps=D(0), spread_bps=D(0), slippage_bps=D(0), latency_ms=0)
ONE_COIN = Limits(
    min_confidence=D("0.5"),
    max_age_seconds=60,
    quote_max_age_seconds=D(2),
    balance_max_age_seconds=D(120),
    max_open_positions=1,
    max_position_notional=D(0),
    sizing_model=SizingModel.FIXED_BASE,
    position_pct=D("0.02"),
    default_quote_amount=D(100),
    default_order_type=OrderType.MARKET,
    require_stop=False,
    stop_loss_pct=D(2),
    take_profit_pct=D(5),
    default_base_quantity=D(1),
    one_symbol_per_account=True,
)


def setup(**changes: Any) -> Setup:
    """One coin a trade, a million, no costs; `limits` names those that differ."""
    limits = replace(ONE_COIN, **changes.pop("limits", {}))
    values = {"cash": D(1_000_000), "costs": FREE, "interval": "1m", **changes}
    entry = listings()[SYMBOL].entry
    return Setup("test", SYMBOL, entry, limits, **values)


def run(*args: Any, **options: Any) -> Any:
    return candle_run.run(*args, **options)


def candles(rows: Sequence[Sequence[float]], interval: str = "1m", symbol: str = SYMBOL) -> Candles:
    """Candles of rows (open, high, low, close), one after another."""
    length = {"1m": MINUTE, "5m": 5 * MINUTE, "1h": 60 * MINUTE, "1d": 1440 * MINUTE}[interval]
    built = [
        Candle(
            START_MS + i * length, float(o), float(h), float(lo), float(c), 1.0, 1.0, 1, 1.0, 1.0
        )
        for i, (o, h, lo, c) in enumerate(rows)
    ]
    return Candles.of(symbol, interval, built)


def walk(count: int, seed: int = 1, deviation: float = 0.0006) -> Candles:
    """A seeded random walk of one-minute candles around 50,000."""
    random = np.random.default_rng(seed)
    close = np.round(50_000 * np.exp(np.cumsum(random.normal(0, deviation, count))), 2)
    first = np.concatenate(([50_000.0], close[:-1]))
    wick = deviation / 2
    high = np.round(np.maximum(first, close) * (1 + abs(random.normal(0, wick, count))), 2)
    low = np.round(np.minimum(first, close) * (1 - abs(random.normal(0, wick, count))), 2)
    ones = np.ones(count)
    opened = START_MS + np.arange(count, dtype=np.int64) * MINUTE
    whole = np.ones(count, dtype=np.int64)
    return Candles(SYMBOL, "1m", opened, first, high, low, close, ones, ones, whole, ones, ones)


class Says:
    """Calls by candle: 1 buys, -1 sells; `stop` and `target` are prices of every call."""

    spec = StrategySpec("test", "Test", Kind.TECHNICAL, Family.TREND, "as told", ())

    def __init__(
        self, sides: Mapping[int, int], *, stop: float = np.nan, target: float = np.nan
    ) -> None:
        self.sides, self.stop, self.target = sides, stop, target

    def lookback(self, params: Mapping[str, float]) -> int:
        return 0

    def calls(self, candles: Candles, params: Mapping[str, float]) -> Calls:
        count = len(candles)
        side = np.zeros(count, np.int8)
        for at, one in self.sides.items():
            side[at] = one
        flat = np.full(count, np.nan)
        stop, target = np.full(count, self.stop), np.full(count, self.target)
        return Calls(side, np.full(count, 0.9), stop, target, flat, {})

    def rationale(self, candles: Candles, calls: Calls, index: int) -> str:
        return "told to"


class SmaCross(Says):
    """The moving-average cross; `guard` adds a stop and a target, shares of the close."""

    spec = StrategySpec(
        "test",
        "SMA cross",
        Kind.TECHNICAL,
        Family.TREND,
        "the fast average crosses the slow one",
        (
            Param("fast", 10, 1, 1000, "candles", "", is_whole=True),
            Param("slow", 30, 2, 1000, "candles", "", is_whole=True),
        ),
    )

    def __init__(self, guard: tuple[float, float] | None = None) -> None:
        self.guard = guard

    def calls(self, candles: Candles, params: Mapping[str, float]) -> Calls:
        close, count = candles.close, len(candles)
        gap = sma(close, int(params["fast"])) - sma(close, int(params["slow"]))
        side = np.zeros(count, np.int8)
        side[1:][(gap[1:] > 0) & (gap[:-1] <= 0)] = 1
        side[1:][(gap[1:] < 0) & (gap[:-1] >= 0)] = -1
        flat = np.full(count, np.nan)
        below, above = self.guard or (np.nan, np.nan)
        stop, target = np.round(close * (1 - below), 2), np.round(close * (1 + above), 2)
        return Calls(side, np.full(count, 0.9), stop, target, flat, {"gap": gap})


def sma(values: Any, length: int) -> Any:
    sums = np.cumsum(np.insert(values, 0, 0.0))
    found = np.full(len(values), np.nan)
    found[length - 1 :] = (sums[length:] - sums[:-length]) / length
    return found


CROSS = {"fast": 10.0, "slow": 30.0}
