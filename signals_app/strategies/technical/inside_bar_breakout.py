"""The close breaks out of the candle that held the one before."""

from __future__ import annotations

from signals_app.strategies.spec import Family, Kind, StrategySpec
from signals_app.strategies.technical.base import Params
from signals_app.strategies.technical.columns import above, before, below, graded, ratio
from signals_app.strategies.technical.rule import Look, Market, Rule, exits, whole
from signals_app.strategies.technical.ta import ta


class InsideBarBreakout(Rule):
    spec = StrategySpec(
        strategy_id="inside_bar_breakout",
        title="Inside-bar breakout",
        kind=Kind.TECHNICAL,
        family=Family.BREAKOUT,
        formula=(
            "The candle before lies inside its mother (lower high, higher low). Buy when the close"
            " is above the high of the mother and above SMA(trend); sell when it is below her low "
            "and below the average."
        ),
        params=(
            whole("trend", 50, 2, 400, "the average that gives the direction"),
            *exits(stop=1.5, target=3.0),
        ),
        reference=(
            'Toby Crabel, "Day Trading with Short Term Price Patterns and Opening Range Breakout",'
            " Traders Press (1990)"
        ),
        timeframes=("15m", "1h"),
        confidence=("How small the inside candle was against its mother: 0.5 as large, 1 a fifth."),
    )
    because = (
        "The close {close} broke the high {upper} of a candle that held the next one.",
        "The close {close} broke the low {lower} of a candle that held the next one.",
    )

    def memory(self, p: Params) -> int:
        return max(int(p["trend"]), 3)

    def look(self, market: Market, p: Params) -> Look:
        high, low, close = market.high, market.low, market.close
        upper, lower = before(high, 2), before(low, 2)
        inside = below(before(high), upper) & above(before(low), lower)
        trend = ta.SMA(close, timeperiod=p["trend"])
        small = 1 - ratio(before(high) - before(low), upper - lower)
        return Look(
            inside & above(close, upper) & above(close, trend),
            inside & below(close, lower) & below(close, trend),
            graded(small, 0.0, 0.8),
            {"upper": upper, "lower": lower, "trend": trend},
        )
