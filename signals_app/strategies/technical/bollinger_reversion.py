"""The close comes back inside the Bollinger bands while there is no strong trend."""

from __future__ import annotations

from signals_app.strategies.spec import Family, Kind, Param, StrategySpec
from signals_app.strategies.technical.base import Params
from signals_app.strategies.technical.columns import (
    FADED_TWICE,
    crossed_above,
    crossed_below,
    excess,
    graded,
    ratio,
)
from signals_app.strategies.technical.rule import Look, Market, Rule, exits, whole
from signals_app.strategies.technical.ta import ta


class BollingerReversion(Rule):
    spec = StrategySpec(
        strategy_id="bollinger_reversion",
        title="Bollinger reversion",
        kind=Kind.TECHNICAL,
        family=Family.MEAN_REVERSION,
        formula=(
            "Buy when the close crosses back above the lower band, SMA(period) - width x standard "
            "deviation, with ADX(adx_period) at most max_adx; sell when it crosses back below the "
            "upper band."
        ),
        params=(
            whole("period", 20, 5, 200, "mean and deviation cover this many"),
            Param("width", 2.0, 0.5, 5, "deviations", "distance of the bands"),
            whole("adx_period", 14, 2, 100, "ADX covers this many"),
            Param("max_adx", 30, 5, 100, "points", "the strongest trend that is stood against"),
            *exits(stop=2.0, target=2.5),
        ),
        reference='John Bollinger, "Bollinger on Bollinger Bands", McGraw-Hill (2001)',
        timeframes=("15m", "1h"),
        confidence=(
            "How far outside the bands the close was in the last 5 candles, as a part of their "
            "width: 0.5 just there, 1 a quarter."
        ),
    )
    because = (
        "The close {close} came back above the lower band {lower} with ADX {adx}.",
        "The close {close} came back below the upper band {upper} with ADX {adx}.",
    )

    def memory(self, p: Params) -> int:
        return max(int(p["period"]) + 5, FADED_TWICE * int(p["adx_period"]))

    def look(self, market: Market, p: Params) -> Look:
        close, width = market.close, p["width"]
        upper, _, lower = ta.BBANDS(close, timeperiod=p["period"], nbdevup=width, nbdevdn=width)
        adx = ta.ADX(market.high, market.low, close, timeperiod=p["adx_period"])
        is_calm = adx <= p["max_adx"]
        buy = crossed_above(close, lower) & is_calm
        sell = crossed_below(close, upper) & is_calm
        place = ratio(close - lower, upper - lower)
        outside = excess(place, 0.0, 1.0, buy)
        return Look(
            buy, sell, graded(outside, 0.0, 0.25), {"upper": upper, "lower": lower}, {"adx": adx}
        )
