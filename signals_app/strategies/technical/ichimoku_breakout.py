"""Ichimoku: the close leaves the cloud with the lines on its side."""

from __future__ import annotations

import numpy as np

from signals_app.strategies.spec import Family, Kind, StrategySpec
from signals_app.strategies.technical.base import Params
from signals_app.strategies.technical.columns import above, before, below, graded, ratio
from signals_app.strategies.technical.rule import Look, Market, Rule, exits, whole
from signals_app.strategies.technical.ta import ta


class IchimokuBreakout(Rule):
    spec = StrategySpec(
        strategy_id="ichimoku_breakout",
        title="Ichimoku cloud breakout",
        kind=Kind.TECHNICAL,
        family=Family.TREND,
        formula=(
            "The cloud lies between the middle of conversion and base line and the middle of the "
            "last span candles, both moved on by base candles. Buy when the close is above it, "
            "conversion above base, and the close above that of base candles ago; sell the other "
            "way round."
        ),
        params=(
            whole("conversion", 9, 2, 100, "conversion line (tenkan): middle of this many"),
            whole("base", 26, 3, 200, "base line (kijun), and how far the cloud is moved on"),
            whole("span", 52, 4, 400, "slow edge of the cloud (senkou B)"),
            *exits(stop=2.5, target=5.0),
        ),
        reference=(
            'Goichi Hosoda, "Ichimoku Kinko Hyo" (1969); in English: Nicole Elliott, "Ichimoku '
            'Charts", Harriman House (2007)'
        ),
        timeframes=("1h", "4h"),
        confidence=("Distance of the close from the cloud: 0.5 at its edge, 1 three ATR away."),
        rising=(("conversion", "base"), ("base", "span")),
    )
    because = (
        "The close {close} is above the cloud {top}, conversion {conversion} above base {base}.",
        "The close {close} is below the cloud {bottom}, conversion {conversion} below base {base}.",
    )

    def memory(self, p: Params) -> int:
        return int(p["base"] + p["span"])

    def look(self, market: Market, p: Params) -> Look:
        high, low, close = market.high, market.low, market.close
        conversion = ta.MIDPRICE(high, low, timeperiod=p["conversion"])
        base = ta.MIDPRICE(high, low, timeperiod=p["base"])
        moved = int(p["base"])
        lead = before((conversion + base) / 2, moved)
        slow = before(ta.MIDPRICE(high, low, timeperiod=p["span"]), moved)
        top, bottom, past = np.maximum(lead, slow), np.minimum(lead, slow), before(close, moved)
        away = np.maximum(close - top, bottom - close)
        return Look(
            above(close, top) & above(conversion, base) & above(close, past),
            below(close, bottom) & below(conversion, base) & below(close, past),
            graded(ratio(away, market.atr), 0.0, 3.0),
            {"conversion": conversion, "base": base, "top": top, "bottom": bottom},
        )
