"""The close leaves a Keltner channel."""

from __future__ import annotations

import numpy as np

from signals_app.strategies.spec import Family, Kind, Param, StrategySpec
from signals_app.strategies.technical.base import Params
from signals_app.strategies.technical.columns import FADED_EMA, above, below, graded, ratio
from signals_app.strategies.technical.rule import Look, Market, Rule, exits, whole
from signals_app.strategies.technical.ta import ta


class KeltnerBreakout(Rule):
    spec = StrategySpec(
        strategy_id="keltner_breakout",
        title="Keltner breakout",
        kind=Kind.TECHNICAL,
        family=Family.BREAKOUT,
        formula=(
            "Buy when the close is above EMA(period) + width x ATR(atr_period); sell when it is "
            "below EMA(period) - width x ATR."
        ),
        params=(
            whole("period", 20, 2, 200, "the EMA in the middle"),
            Param("width", 2.0, 0.5, 10, "ATR", "distance of the channel"),
            *exits(stop=2.0, target=4.0),
        ),
        reference=(
            'Chester W. Keltner, "How to Make Money in Commodities" (1960); with EMA and ATR as '
            "Linda Bradford Raschke uses it"
        ),
        timeframes=("15m", "1h"),
        confidence=("How far beyond the channel the close is: 0.5 at its edge, 1 one ATR."),
    )
    because = (
        "The close {close} left the channel above {upper}.",
        "The close {close} left the channel below {lower}.",
    )

    def memory(self, p: Params) -> int:
        return FADED_EMA * int(p["period"])

    def look(self, market: Market, p: Params) -> Look:
        close, reach = market.close, p["width"] * market.atr
        middle = ta.EMA(close, timeperiod=p["period"])
        upper, lower = middle + reach, middle - reach
        away = ratio(np.maximum(close - upper, lower - close), market.atr)
        return Look(
            above(close, upper),
            below(close, lower),
            graded(away, 0.0, 1.0),
            {"middle": middle, "upper": upper, "lower": lower},
        )
