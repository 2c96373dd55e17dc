"""Hammer after a fall, shooting star after a rise: a long shadow was refused."""

from __future__ import annotations

import numpy as np

from signals_app.strategies.spec import Family, Kind, Param, StrategySpec
from signals_app.strategies.technical.base import Params
from signals_app.strategies.technical.columns import graded, ratio
from signals_app.strategies.technical.rule import Look, Market, Rule, exits, whole
from signals_app.strategies.technical.ta import ta


class HammerStar(Rule):
    spec = StrategySpec(
        strategy_id="hammer_star",
        title="Hammer and shooting star",
        kind=Kind.TECHNICAL,
        family=Family.PATTERN,
        formula=(
            "Buy at a hammer (TA-Lib CDLHAMMER) with the lower shadow at least shadow ATR and the "
            "low the lowest of period candles; sell at its mirror image, the shooting star, at the"
            " highest high."
        ),
        params=(
            whole("period", 10, 2, 200, "how far back the extreme is looked for"),
            Param("shadow", 0.8, 0.1, 10, "ATR", "shortest shadow that counts"),
            *exits(stop=1.5, target=3.0),
        ),
        reference=(
            'Steve Nison, "Japanese Candlestick Charting Techniques", New York Institute of '
            "Finance (1991)"
        ),
        timeframes=("1h", "4h"),
        confidence="Length of the shadow: 0.5 at shadow, 1 one and a half ATR more.",
    )
    because = (
        "A hammer with a shadow of {length} ATR at the lowest of the last candles.",
        "A shooting star with a shadow of {length} ATR at the highest of the last candles.",
    )

    def memory(self, p: Params) -> int:
        return max(int(p["period"]), 14)

    def look(self, market: Market, p: Params) -> Look:
        opened, high, low, close = market.open, market.high, market.low, market.close
        # CDLSHOOTINGSTAR wants a gap, rare where the market never closes: look at the mirror.
        is_hammer = ta.CDLHAMMER(opened, high, low, close) > 0
        is_star = ta.CDLHAMMER(-opened, -low, -high, -close) > 0
        under = ratio(np.minimum(opened, close) - low, market.atr)
        over = ratio(high - np.maximum(opened, close), market.atr)
        is_lowest = low <= ta.MIN(low, timeperiod=p["period"])
        is_highest = high >= ta.MAX(high, timeperiod=p["period"])
        length = np.maximum(under, over)
        return Look(
            is_hammer & is_lowest & (under >= p["shadow"]),
            is_star & is_highest & (over >= p["shadow"]),
            graded(length, p["shadow"], p["shadow"] + 1.5),
            measures={"length": length},
        )
