"""Directional movement: one side leads while the trend is strong and growing."""

from __future__ import annotations

from signals_app.strategies.spec import Family, Kind, Param, StrategySpec
from signals_app.strategies.technical.base import Params
from signals_app.strategies.technical.columns import FADED_TWICE, above, before, below, graded
from signals_app.strategies.technical.rule import Look, Market, Rule, exits, whole
from signals_app.strategies.technical.ta import ta


class AdxTrend(Rule):
    spec = StrategySpec(
        strategy_id="adx_trend",
        title="ADX trend",
        kind=Kind.TECHNICAL,
        family=Family.TREND,
        formula=(
            "Buy when +DI is above -DI with ADX(period) at least min_adx and rising; sell when -DI"
            " is above +DI with the same."
        ),
        params=(
            whole("period", 14, 2, 100, "DI and ADX cover this many"),
            Param("min_adx", 25, 5, 80, "points", "the weakest trend that counts"),
            *exits(stop=2.0, target=4.0),
        ),
        reference=(
            'J. Welles Wilder, "New Concepts in Technical Trading Systems", Trend Research (1978)'
        ),
        timeframes=("1h", "4h"),
        confidence="ADX: 0.5 at min_adx, 1 at 25 points more.",
    )
    because = (
        "+DI {plus_di} leads -DI {minus_di} with ADX {adx}.",
        "-DI {minus_di} leads +DI {plus_di} with ADX {adx}.",
    )

    def memory(self, p: Params) -> int:
        return FADED_TWICE * int(p["period"])

    def look(self, market: Market, p: Params) -> Look:
        columns = (market.high, market.low, market.close)
        plus = ta.PLUS_DI(*columns, timeperiod=p["period"])
        minus = ta.MINUS_DI(*columns, timeperiod=p["period"])
        adx = ta.ADX(*columns, timeperiod=p["period"])
        is_strong = (adx >= p["min_adx"]) & above(adx, before(adx))
        return Look(
            above(plus, minus) & is_strong,
            below(plus, minus) & is_strong,
            graded(adx, p["min_adx"], p["min_adx"] + 25),
            measures={"plus_di": plus, "minus_di": minus, "adx": adx},
        )
