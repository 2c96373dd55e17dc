"""MACD of two timeframes agrees."""

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
from signals_app.strategies.technical.higher import higher
from signals_app.strategies.technical.rule import Look, Market, Rule, exits, whole
from signals_app.strategies.technical.ta import ta


class MtfMacd(Rule):
    spec = StrategySpec(
        strategy_id="mtf_macd",
        title="MACD on two timeframes",
        kind=Kind.TECHNICAL,
        family=Family.MULTI_TIMEFRAME,
        formula=(
            "Longer candles are factor times the base. Buy when the base MACD(fast, slow) crosses "
            "above its EMA(signal) while the longer MACD is above its own; sell when it crosses "
            "below while the longer one is below."
        ),
        params=(
            whole("factor", 4, 2, 24, "base candles in a longer one"),
            whole("fast", 12, 2, 100, "the fast EMA"),
            whole("slow", 26, 3, 200, "the slow EMA"),
            whole("signal", 9, 2, 100, "the EMA of MACD itself"),
            *exits(stop=2.0, target=4.0),
        ),
        reference=(
            'Alexander Elder, "Come Into My Trading Room", Wiley (2002): longer MACD histogram '
            "first; MACD by Gerald Appel"
        ),
        timeframes=("15m", "1h"),
        confidence="Longer MACD histogram: 0.5 at zero, 1 at half an ATR.",
        rising=(("fast", "slow"),),
    )
    because = (
        "MACD {macd} crossed above {signal} with the longer histogram {longer}.",
        "MACD {macd} crossed below {signal} with the longer histogram {longer}.",
    )

    def memory(self, p: Params) -> int:
        return FADED_EMA * int(p["factor"]) * int(p["slow"] + p["signal"])

    def look(self, market: Market, p: Params) -> Look:
        periods = {f"{name}period": p[name] for name in ("fast", "slow", "signal")}
        macd, signal, _ = ta.MACD(market.close, **periods)
        long = higher(market, p["factor"])
        longer = long.told(ta.MACD(long.close, **periods)[2])
        return Look(
            crossed_above(macd, signal) & above(longer, 0.0),
            crossed_below(macd, signal) & below(longer, 0.0),
            graded(np.abs(ratio(longer, market.atr)), 0.0, 0.5),
            {"macd": macd, "signal": signal, "longer": longer},
        )
