"""Supertrend as arrays against the rule written out candle by candle."""

from __future__ import annotations

import numpy as np
import talib

from exchanges.domain.candles import Candles
from signals_app.strategies.technical import BY_ID
from tests.unit.technical.scenes import walk


def turns(series: Candles, period: int, width: float) -> list[int]:
    """Return 1 where the trend turns up, -1 where it turns down, else 0."""
    atr = talib.ATR(series.high, series.low, series.close, timeperiod=period)
    upper = lower = trend = None
    found = []
    for i, row in enumerate(series):
        before = series.close[i - 1]
        turn = 0
        if not np.isnan(atr[i]):
            top = (row.high + row.low) / 2 + width * atr[i]
            bottom = (row.high + row.low) / 2 - width * atr[i]
            if upper is not None and lower is not None:
                now = 1 if row.close > upper else -1 if row.close < lower else trend
                turn = now if now != trend and now is not None else 0
                trend = now
            upper = top if upper is None or top < upper or before > upper else upper
            lower = bottom if lower is None or bottom > lower or before < lower else lower
        found.append(turn)
    return found


def test_it_turns_where_the_rule_says():
    strategy = BY_ID["supertrend"]
    params = strategy.spec.defaults()
    for seed in range(5):
        series = walk(seed, 1_500)
        said = strategy.calls(series, params).side
        warm_up = strategy.lookback(params)
        expected = turns(series, int(params["period"]), params["width"])
        assert said[warm_up:].tolist() == expected[warm_up:]
        assert np.count_nonzero(said) > 10
