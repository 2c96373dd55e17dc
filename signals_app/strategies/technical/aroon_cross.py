"""Aroon: new highs come lately, new lows long ago."""

from __future__ import annotations

import numpy as np

from signals_app.strategies.spec import Family, Kind, Param, StrategySpec
from signals_app.strategies.technical.base import Params
from signals_app.strategies.technical.columns import graded
from signals_app.strategies.technical.rule import Look, Market, Rule, exits, whole
from signals_app.strategies.technical.ta import ta


class AroonCross(Rule):
    spec = StrategySpec(
        strategy_id="aroon_cross",
        title="Aroon",
        kind=Kind.TECHNICAL,
        family=Family.TREND,
        formula=(
            "Buy when Aroon Up(period) is at least strong and Aroon Down at most weak; sell the "
            "other way round."
        ),
        params=(
            whole("period", 25, 5, 200, "how far back highs and lows are looked for"),
            Param("strong", 70, 50, 100, "points", "least value of the leading line"),
            Param("weak", 30, 0, 50, "points", "largest value of the other line"),
            *exits(stop=2.0, target=4.0),
        ),
        reference=(
            'Tushar Chande, "A Time Price Oscillator", Technical Analysis of Stocks & Commodities '
            "13:9 (1995)"
        ),
        timeframes=("1h", "4h"),
        confidence="Distance between the two lines: 0.5 at 40 points, 1 at 100.",
        rising=(("weak", "strong"),),
    )
    because = (
        "Aroon Up {up} leads Aroon Down {down}.",
        "Aroon Down {down} leads Aroon Up {up}.",
    )

    def memory(self, p: Params) -> int:
        return int(p["period"]) + 1

    def look(self, market: Market, p: Params) -> Look:
        down, up = ta.AROON(market.high, market.low, timeperiod=p["period"])
        return Look(
            (up >= p["strong"]) & (down <= p["weak"]),
            (down >= p["strong"]) & (up <= p["weak"]),
            graded(np.abs(up - down), 40, 100),
            measures={"up": up, "down": down},
        )
