"""The price comes back from far off its mean, in standard deviations."""

from __future__ import annotations

import numpy as np

from signals_app.strategies.spec import Family, Kind, Param, StrategySpec
from signals_app.strategies.technical.base import Params
from signals_app.strategies.technical.columns import (
    crossed_above,
    crossed_below,
    excess,
    graded,
    ratio,
)
from signals_app.strategies.technical.rule import Look, Market, Rule, exits, whole
from signals_app.strategies.technical.ta import ta


class ZscoreReversion(Rule):
    spec = StrategySpec(
        strategy_id="zscore_reversion",
        title="Z-score reversion",
        kind=Kind.TECHNICAL,
        family=Family.MEAN_REVERSION,
        formula=(
            "z = (ln close - SMA(ln close, period)) / standard deviation. Buy when z crosses back "
            "above -entry; sell when it crosses back below +entry."
        ),
        params=(
            whole("period", 100, 10, 1000, "mean and deviation cover this many"),
            Param("entry", 2.0, 0.5, 6, "deviations", "how far off is far"),
            *exits(stop=2.5, target=2.5),
        ),
        reference=(
            'Ernest P. Chan, "Algorithmic Trading: Winning Strategies and Their Rationale", Wiley '
            "(2013)"
        ),
        timeframes=("15m", "1h"),
        confidence=("The largest |z| of the last 5 candles: 0.5 at entry, 1 two deviations more."),
    )
    because = (
        "z {z} came back from below the mean.",
        "z {z} came back from above the mean.",
    )

    def memory(self, p: Params) -> int:
        return int(p["period"]) + 6

    def look(self, market: Market, p: Params) -> Look:
        logs = np.log(market.close)
        mean = ta.SMA(logs, timeperiod=p["period"])
        z = ratio(logs - mean, ta.STDDEV(logs, timeperiod=p["period"]))
        buy, sell = crossed_above(z, -p["entry"]), crossed_below(z, p["entry"])
        confidence = graded(excess(z, -p["entry"], p["entry"], buy), 0.0, 2.0)
        return Look(buy, sell, confidence, {"mean": np.exp(mean)}, {"z": z})
