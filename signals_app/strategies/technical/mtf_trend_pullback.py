"""Elder's screens: with the longer trend, out of a pullback."""

from __future__ import annotations

import numpy as np

from signals_app.strategies.spec import Family, Kind, Param, StrategySpec
from signals_app.strategies.technical.base import Params
from signals_app.strategies.technical.columns import (
    above,
    before,
    below,
    crossed_above,
    crossed_below,
    graded,
    ratio,
)
from signals_app.strategies.technical.higher import higher
from signals_app.strategies.technical.rule import Look, Market, Rule, exits, whole
from signals_app.strategies.technical.ta import ta


class MtfTrendPullback(Rule):
    spec = StrategySpec(
        strategy_id="mtf_trend_pullback",
        title="Trend and pullback on two timeframes",
        kind=Kind.TECHNICAL,
        family=Family.MULTI_TIMEFRAME,
        formula=(
            "Longer candles are factor times the base. Buy when their close is above SMA(trend) "
            "and that average rises, and Williams %R(period) of the base crosses back above -100 +"
            " edge; sell when the longer trend falls and %R crosses back below -edge."
        ),
        params=(
            whole("factor", 4, 2, 24, "base candles in a longer one"),
            whole("trend", 50, 5, 200, "longer candles the average covers"),
            whole("period", 14, 2, 100, "base candles %R covers"),
            Param("edge", 20, 1, 50, "points", "how near the extreme a pullback comes"),
            *exits(stop=2.0, target=4.0),
        ),
        reference=(
            'Alexander Elder, "Trading for a Living", Wiley (1993): triple screen; Larry Williams\''
            " %R"
        ),
        timeframes=("15m", "1h"),
        confidence=(
            "How far the longer average moved the same way in 5 longer candles: 0.5 not at all, 1 "
            "two ATR."
        ),
    )
    because = (
        "The longer trend rises ({trend}) and %R {r} comes out of a pullback.",
        "The longer trend falls ({trend}) and %R {r} comes out of a rally.",
    )

    def memory(self, p: Params) -> int:
        return int(p["factor"]) * int(p["trend"] + 7) + int(p["period"])

    def look(self, market: Market, p: Params) -> Look:
        long = higher(market, p["factor"])
        average = ta.SMA(long.close, timeperiod=p["trend"])
        rises = long.told(above(long.close, average) & above(average, before(average, 5))) > 0
        falls = long.told(below(long.close, average) & below(average, before(average, 5))) > 0
        r = ta.WILLR(market.high, market.low, market.close, timeperiod=p["period"])
        drift = ratio(long.told(average - before(average, 5)), market.atr)
        return Look(
            rises & crossed_above(r, p["edge"] - 100),
            falls & crossed_below(r, -p["edge"]),
            graded(np.abs(drift), 0.0, 2.0),
            {"trend": long.told(average)},
            {"r": r},
        )
