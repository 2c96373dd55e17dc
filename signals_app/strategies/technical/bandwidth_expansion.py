"""Bollinger bands were at their narrowest, and the close leaves them."""

from __future__ import annotations

import numpy as np

from signals_app.strategies.spec import Family, Kind, Param, StrategySpec
from signals_app.strategies.technical.base import Params
from signals_app.strategies.technical.columns import above, before, below, counted, graded, ratio
from signals_app.strategies.technical.rule import Look, Market, Rule, exits, whole
from signals_app.strategies.technical.ta import ta


class BandwidthExpansion(Rule):
    spec = StrategySpec(
        strategy_id="bandwidth_expansion",
        title="Bandwidth expansion",
        kind=Kind.TECHNICAL,
        family=Family.VOLATILITY,
        formula=(
            "Bandwidth = (upper - lower band) / SMA(period). Within the last recent candles it was"
            " the narrowest of window candles, and it grows. Buy when the close is above the upper"
            " band, sell when it is below the lower one."
        ),
        params=(
            whole("period", 20, 5, 200, "bands cover this many"),
            Param("width", 2.0, 0.5, 5, "deviations", "distance of the bands"),
            whole("window", 125, 20, 1000, "how far back narrow is looked for"),
            whole("recent", 10, 1, 100, "how long ago it may have been"),
            *exits(stop=2.0, target=4.0),
        ),
        reference=(
            'John Bollinger, "Bollinger on Bollinger Bands", McGraw-Hill (2001), method I: '
            "volatility breakout"
        ),
        timeframes=("15m", "1h"),
        confidence="Bandwidth against its least: 0.5 as narrow, 1 twice as wide.",
    )
    because = (
        "The close {close} left the upper band {upper}; bands {growth} times their narrowest.",
        "The close {close} left the lower band {lower}; bands {growth} times their narrowest.",
    )

    def memory(self, p: Params) -> int:
        return int(p["period"] + p["window"] + p["recent"])

    def look(self, market: Market, p: Params) -> Look:
        close, width = market.close, p["width"]
        upper, middle, lower = ta.BBANDS(
            close, timeperiod=p["period"], nbdevup=width, nbdevdn=width
        )
        bandwidth = ratio(upper - lower, middle)
        narrowest = ta.MIN(bandwidth, timeperiod=p["window"])
        is_narrowest = np.isfinite(narrowest) & ~above(bandwidth, narrowest)
        was_narrow = counted(is_narrowest, p["recent"]) > 0
        opens = was_narrow & above(bandwidth, before(bandwidth))
        growth = ratio(bandwidth, ta.MIN(bandwidth, timeperiod=max(p["recent"], 2)))
        return Look(
            opens & above(close, upper),
            opens & below(close, lower),
            graded(growth, 1.0, 2.0),
            {"upper": upper, "lower": lower},
            {"growth": growth},
        )
