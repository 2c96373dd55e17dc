"""Golden cross and death cross: a fast average crosses a slow one."""

from __future__ import annotations

import numpy as np

from signals_app.strategies.spec import Family, Kind, StrategySpec
from signals_app.strategies.technical.base import Params
from signals_app.strategies.technical.columns import above, before, below, graded, ratio
from signals_app.strategies.technical.rule import Look, Market, Rule, exits, whole
from signals_app.strategies.technical.ta import ta


class GoldenCross(Rule):
    spec = StrategySpec(
        strategy_id="golden_cross",
        title="Golden cross",
        kind=Kind.TECHNICAL,
        family=Family.TREND,
        formula=(
            "Buy when SMA(close, fast) rises above SMA(close, slow); sell when it falls below."
        ),
        params=(
            whole("fast", 50, 2, 400, "the fast average"),
            whole("slow", 200, 3, 1000, "the slow average"),
            *exits(stop=3.0, target=6.0),
        ),
        reference=(
            'Brock, Lakonishok and LeBaron, "Simple Technical Trading Rules and the Stochastic '
            'Properties of Stock Returns", Journal of Finance 47 (1992)'
        ),
        timeframes=("1h", "4h"),
        first_mode="live",
        confidence=(
            "How far the slow average moved the same way in the last 20 candles: 0.5 not at all, 1"
            " two ATR."
        ),
        rising=(("fast", "slow"),),
    )
    because = (
        "SMA fast {fast} rose above SMA slow {slow}.",
        "SMA fast {fast} fell below SMA slow {slow}.",
    )

    def memory(self, p: Params) -> int:
        return int(p["slow"]) + 20

    def look(self, market: Market, p: Params) -> Look:
        fast = ta.SMA(market.close, timeperiod=p["fast"])
        slow = ta.SMA(market.close, timeperiod=p["slow"])
        buy, sell = above(fast, slow), below(fast, slow)
        drift = ratio(slow - before(slow, 20), market.atr) * np.where(sell, -1.0, 1.0)
        return Look(buy, sell, graded(drift, 0.0, 2.0), {"fast": fast, "slow": slow})
