"""Slow stochastic turns while both its lines are at an extreme."""

from __future__ import annotations

import numpy as np

from signals_app.strategies.spec import Family, Kind, Param, StrategySpec
from signals_app.strategies.technical.base import Params
from signals_app.strategies.technical.columns import crossed_above, crossed_below, graded
from signals_app.strategies.technical.rule import Look, Market, Rule, exits, whole
from signals_app.strategies.technical.ta import ta


class StochasticCross(Rule):
    spec = StrategySpec(
        strategy_id="stochastic_cross",
        title="Stochastic cross",
        kind=Kind.TECHNICAL,
        family=Family.MEAN_REVERSION,
        formula=(
            "Buy when %K(period, smooth) crosses above %D (its SMA of signal candles) with both "
            "below low; sell when it crosses below with both above high."
        ),
        params=(
            whole("period", 14, 2, 100, "range the close is placed in"),
            whole("smooth", 3, 1, 50, "SMA that makes %K slow"),
            whole("signal", 3, 2, 50, "SMA of %K: %D"),
            Param("low", 20, 1, 50, "points", "oversold below"),
            Param("high", 80, 50, 99, "points", "overbought above"),
            *exits(stop=2.0, target=3.0),
        ),
        reference=(
            'George C. Lane, "Lane\'s Stochastics", Technical Analysis of Stocks & Commodities 2:3 '
            "(1984)"
        ),
        timeframes=("15m", "1h"),
        confidence="How far beyond the level %D is: 0.5 just there, 1 by 15 points.",
    )
    because = (
        "%K {k} crossed above %D {d} while oversold.",
        "%K {k} crossed below %D {d} while overbought.",
    )

    def memory(self, p: Params) -> int:
        return int(p["period"] + p["smooth"] + p["signal"])

    def look(self, market: Market, p: Params) -> Look:
        k, d = ta.STOCH(
            market.high,
            market.low,
            market.close,
            fastk_period=p["period"],
            slowk_period=p["smooth"],
            slowd_period=p["signal"],
        )
        buy = crossed_above(k, d) & (np.maximum(k, d) < p["low"])
        sell = crossed_below(k, d) & (np.minimum(k, d) > p["high"])
        extreme = np.where(buy, p["low"] - d, d - p["high"])
        return Look(buy, sell, graded(extreme, 0.0, 15.0), measures={"k": k, "d": d})
