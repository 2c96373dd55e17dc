"""Parabolic SAR turns over while there is a trend."""

from __future__ import annotations

from signals_app.strategies.spec import Family, Kind, Param, StrategySpec
from signals_app.strategies.technical.base import Params
from signals_app.strategies.technical.columns import (
    FADED_TWICE,
    crossed_above,
    crossed_below,
    graded,
)
from signals_app.strategies.technical.rule import Look, Market, Rule, exits, whole
from signals_app.strategies.technical.ta import ta


class ParabolicSar(Rule):
    spec = StrategySpec(
        strategy_id="parabolic_sar",
        title="Parabolic SAR",
        kind=Kind.TECHNICAL,
        family=Family.TREND,
        formula=(
            "Buy when the close passes above the parabolic SAR(step, limit) with ADX(adx_period) "
            "at least min_adx; sell when it passes below."
        ),
        params=(
            Param("step", 0.02, 0.001, 0.2, "factor", "acceleration added with each new extreme"),
            Param("limit", 0.2, 0.01, 1, "factor", "the largest acceleration"),
            whole("adx_period", 14, 2, 100, "ADX covers this many"),
            Param("min_adx", 20, 0, 80, "points", "the weakest trend that counts"),
            *exits(stop=2.0, target=4.0),
        ),
        reference=(
            'J. Welles Wilder, "New Concepts in Technical Trading Systems", Trend Research (1978)'
        ),
        timeframes=("1h", "4h"),
        confidence="ADX: 0.5 at min_adx, 1 at 25 points more.",
        rising=(("step", "limit"),),
    )
    because = (
        "The close {close} passed above the SAR {sar} with ADX {adx}.",
        "The close {close} passed below the SAR {sar} with ADX {adx}.",
    )

    def memory(self, p: Params) -> int:
        # Where it stands is settled by its turns: with small steps they take long.
        return max(FADED_TWICE * int(p["adx_period"]), int(6 / p["step"]))

    def look(self, market: Market, p: Params) -> Look:
        high, low, close = market.high, market.low, market.close
        sar = ta.SAR(high, low, acceleration=p["step"], maximum=p["limit"])
        adx = ta.ADX(high, low, close, timeperiod=p["adx_period"])
        has_trend = adx >= p["min_adx"]
        return Look(
            crossed_above(close, sar) & has_trend,
            crossed_below(close, sar) & has_trend,
            graded(adx, p["min_adx"], p["min_adx"] + 25),
            {"sar": sar},
            {"adx": adx},
        )
