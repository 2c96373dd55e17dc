"""The Chaikin oscillator leaves zero on the side of the trend."""

from __future__ import annotations

import numpy as np

from signals_app.strategies.spec import Family, Kind, Param, StrategySpec
from signals_app.strategies.technical.base import Params
from signals_app.strategies.technical.columns import (
    FADED_EMA,
    above,
    below,
    graded,
    ratio,
    usual_volume,
)
from signals_app.strategies.technical.rule import Look, Market, Rule, exits, whole
from signals_app.strategies.technical.ta import ta


class ChaikinOscillator(Rule):
    spec = StrategySpec(
        strategy_id="chaikin_oscillator",
        title="Chaikin oscillator",
        kind=Kind.TECHNICAL,
        family=Family.VOLUME,
        formula=(
            "flow = Chaikin oscillator (EMA(fast) - EMA(slow) of the accumulation/distribution "
            "line) / SMA(volume, 20). Buy when flow is above min_flow with the close above "
            "SMA(trend); sell when flow is below -min_flow with the close below it."
        ),
        params=(
            whole("fast", 3, 2, 50, "the fast EMA"),
            whole("slow", 10, 3, 100, "the slow EMA"),
            Param(
                "min_flow",
                0.5,
                0.01,
                10,
                "usual candles",
                "how far from zero it has to be",
            ),
            whole("trend", 90, 2, 400, "the average that gives the direction"),
            *exits(stop=2.0, target=4.0),
        ),
        reference=(
            'Marc Chaikin\'s oscillator as in Steven B. Achelis, "Technical Analysis from A to Z", '
            "McGraw-Hill (1995); signals with the 90-day average"
        ),
        timeframes=("15m", "1h"),
        confidence="Flow: 0.5 at min_flow, 1 at four times that.",
        rising=(("fast", "slow"),),
    )
    because = (
        "Chaikin flow {flow} turned to buying with the close {close} above {trend}.",
        "Chaikin flow {flow} turned to selling with the close {close} below {trend}.",
    )

    def memory(self, p: Params) -> int:
        return max(FADED_EMA * int(p["slow"]), int(p["trend"]), 20)

    def look(self, market: Market, p: Params) -> Look:
        close, volume = market.close, market.volume
        oscillator = ta.ADOSC(
            market.high, market.low, close, volume, fastperiod=p["fast"], slowperiod=p["slow"]
        )
        flow = ratio(oscillator, usual_volume(volume, 20))
        trend = ta.SMA(close, timeperiod=p["trend"])
        return Look(
            above(flow, p["min_flow"]) & above(close, trend),
            below(flow, -p["min_flow"]) & below(close, trend),
            graded(np.abs(flow), p["min_flow"], 4 * p["min_flow"]),
            {"trend": trend},
            {"flow": flow},
        )
