"""MACD crosses its signal line on the far side of zero."""

from __future__ import annotations

import numpy as np

from signals_app.strategies.spec import Family, Kind, StrategySpec
from signals_app.strategies.technical.base import Params
from signals_app.strategies.technical.columns import (
    FADED_EMA,
    above,
    below,
    crossed_above,
    crossed_below,
    graded,
    ratio,
)
from signals_app.strategies.technical.rule import Look, Market, Rule, exits, whole
from signals_app.strategies.technical.ta import ta


class MacdCross(Rule):
    spec = StrategySpec(
        strategy_id="macd_cross",
        title="MACD cross",
        kind=Kind.TECHNICAL,
        family=Family.TREND,
        formula=(
            "Buy when MACD(fast, slow) crosses above its EMA(signal) while below zero; sell when "
            "it crosses below while above zero."
        ),
        params=(
            whole("fast", 12, 2, 100, "the fast EMA"),
            whole("slow", 26, 3, 200, "the slow EMA"),
            whole("signal", 9, 2, 100, "the EMA of MACD itself"),
            *exits(stop=2.0, target=4.0),
        ),
        reference=(
            'Gerald Appel, "Technical Analysis: Power Tools for Active Investors", FT Prentice '
            "Hall (2005)"
        ),
        timeframes=("1h", "4h"),
        confidence="How far from zero MACD turned: 0.5 at zero, 1 at one ATR.",
        rising=(("fast", "slow"),),
    )
    because = (
        "MACD {macd} crossed above its signal {signal} below zero.",
        "MACD {macd} crossed below its signal {signal} above zero.",
    )

    def memory(self, p: Params) -> int:
        return FADED_EMA * int(p["slow"] + p["signal"])

    def look(self, market: Market, p: Params) -> Look:
        macd, signal, _ = ta.MACD(
            market.close, fastperiod=p["fast"], slowperiod=p["slow"], signalperiod=p["signal"]
        )
        buy = crossed_above(macd, signal) & below(macd, 0.0)
        sell = crossed_below(macd, signal) & above(macd, 0.0)
        depth = np.abs(ratio(macd, market.atr))
        return Look(buy, sell, graded(depth, 0.0, 1.0), {"macd": macd, "signal": signal})
