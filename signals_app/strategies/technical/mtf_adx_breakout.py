"""A breakout in the direction of a strong longer trend."""

from __future__ import annotations

from signals_app.strategies.spec import Family, Kind, Param, StrategySpec
from signals_app.strategies.technical.base import Params
from signals_app.strategies.technical.columns import FADED_TWICE, above, below, graded
from signals_app.strategies.technical.higher import higher
from signals_app.strategies.technical.rule import Look, Market, Rule, exits, whole
from signals_app.strategies.technical.ta import ta


class MtfAdxBreakout(Rule):
    spec = StrategySpec(
        strategy_id="mtf_adx_breakout",
        title="Breakout with the longer trend",
        kind=Kind.TECHNICAL,
        family=Family.MULTI_TIMEFRAME,
        formula=(
            "Longer candles are factor times the base. Buy when the close is above the highest "
            "high of the channel candles before while the longer +DI is above -DI with ADX(period)"
            " at least min_adx; sell below the lowest low with the longer -DI above +DI."
        ),
        params=(
            whole("factor", 4, 2, 24, "base candles in a longer one"),
            whole("channel", 20, 2, 400, "base candles the channel covers"),
            whole("period", 14, 2, 100, "longer candles DI and ADX cover"),
            Param("min_adx", 20, 5, 80, "points", "the weakest longer trend that counts"),
            *exits(stop=2.0, target=5.0),
        ),
        reference=(
            'Charles LeBeau and David W. Lucas, "Technical Traders Guide to Computer Analysis of '
            'the Futures Markets", Business One Irwin (1992), for ADX as a filter of breakouts'
        ),
        timeframes=("15m", "1h"),
        confidence="Longer ADX: 0.5 at min_adx, 1 at 25 points more.",
    )
    because = (
        "The close {close} is above the channel {upper} and the longer trend rises, ADX {adx}.",
        "The close {close} is below the channel {lower} and the longer trend falls, ADX {adx}.",
    )

    def memory(self, p: Params) -> int:
        return FADED_TWICE * int(p["factor"]) * int(p["period"]) + int(p["channel"])

    def look(self, market: Market, p: Params) -> Look:
        upper, lower = market.channel(p["channel"])
        long = higher(market, p["factor"])
        columns = (long.high, long.low, long.close)
        plus = ta.PLUS_DI(*columns, timeperiod=p["period"])
        minus = ta.MINUS_DI(*columns, timeperiod=p["period"])
        adx = long.told(ta.ADX(*columns, timeperiod=p["period"]))
        lead, is_strong = long.told(plus - minus), adx >= p["min_adx"]
        return Look(
            above(market.close, upper) & above(lead, 0.0) & is_strong,
            below(market.close, lower) & below(lead, 0.0) & is_strong,
            graded(adx, p["min_adx"], p["min_adx"] + 25),
            {"upper": upper, "lower": lower},
            {"adx": adx},
        )
