"""The squeeze: Bollinger bands come out of the Keltner channel they had slipped into."""

from __future__ import annotations

from signals_app.strategies.spec import Family, Kind, Param, StrategySpec
from signals_app.strategies.technical.base import Params
from signals_app.strategies.technical.columns import above, before, below, counted, graded, was
from signals_app.strategies.technical.rule import Look, Market, Rule, exits, whole
from signals_app.strategies.technical.ta import ta


class SqueezeBreakout(Rule):
    spec = StrategySpec(
        strategy_id="squeeze_breakout",
        title="Squeeze breakout",
        kind=Kind.TECHNICAL,
        family=Family.VOLATILITY,
        formula=(
            "The squeeze is on while Bollinger bands (period, bands deviations) lie inside "
            "SMA(period) -/+ channel x mean true range. After at least min_squeeze candles "
            "of it, on the first candle outside, buy when momentum (end of the regression line of "
            "close - middle) is above zero, sell when it is below."
        ),
        params=(
            whole("period", 20, 5, 200, "bands, channel and momentum cover this many"),
            Param("bands", 2.0, 0.5, 5, "deviations", "width of the Bollinger bands"),
            Param("channel", 1.5, 0.5, 5, "true ranges", "width of the Keltner channel"),
            whole("min_squeeze", 6, 1, 100, "shortest squeeze that counts"),
            *exits(stop=2.0, target=4.0),
        ),
        reference='John F. Carter, "Mastering the Trade", McGraw-Hill (2005): the TTM squeeze',
        timeframes=("15m", "1h"),
        confidence=(
            "Length of the squeeze within the last 30 candles: 0.5 min_squeeze candles, "
            "1 with 20 more."
        ),
    )
    because = (
        "A squeeze of {squeezed} candles ended with momentum {momentum} upwards.",
        "A squeeze of {squeezed} candles ended with momentum {momentum} downwards.",
    )

    def memory(self, p: Params) -> int:
        return (
            max(3 * int(p["period"]), int(p["period"] + p["min_squeeze"]), int(p["period"]) + 30)
            + 1
        )

    def look(self, market: Market, p: Params) -> Look:
        close, period = market.close, p["period"]
        middle = ta.SMA(close, timeperiod=period)
        ranges = ta.TRANGE(market.high, market.low, close)
        reach = p["channel"] * ta.SMA(ranges, timeperiod=period)
        is_on = below(p["bands"] * ta.STDDEV(close, timeperiod=period), reach)
        ended = ~is_on & was(counted(is_on, p["min_squeeze"]) >= p["min_squeeze"])
        centre = (ta.MIDPRICE(market.high, market.low, timeperiod=period) + middle) / 2
        momentum = ta.LINEARREG(close - centre, timeperiod=period)
        length = before(counted(is_on, 30).astype(float))
        return Look(
            ended & above(momentum, 0.0),
            ended & below(momentum, 0.0),
            graded(length, p["min_squeeze"], p["min_squeeze"] + 20),
            {"momentum": momentum},
            {"squeezed": length},
        )
