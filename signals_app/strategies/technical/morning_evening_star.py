"""Three candles turn the price: a long body, a pause, a body back."""

from __future__ import annotations

import numpy as np

from signals_app.strategies.spec import Family, Kind, Param, StrategySpec
from signals_app.strategies.technical.base import Params
from signals_app.strategies.technical.columns import above, before, below, graded, ratio
from signals_app.strategies.technical.rule import Look, Market, Rule, exits, whole
from signals_app.strategies.technical.ta import ta


class MorningEveningStar(Rule):
    spec = StrategySpec(
        strategy_id="morning_evening_star",
        title="Morning and evening star",
        kind=Kind.TECHNICAL,
        family=Family.PATTERN,
        formula=(
            "Bodies against the usual one, SMA(body, period): the first at least long, the second "
            "at most small, the third takes back at least the part back of the first. Buy after a "
            "falling first body with the pause closing below its middle; sell after a rising one. "
            "No gap is asked for: the market never closes."
        ),
        params=(
            whole("period", 14, 2, 100, "the usual body covers this many"),
            Param("long", 1.2, 0.5, 5, "usual bodies", "least first body"),
            Param("small", 0.5, 0.05, 1, "usual bodies", "largest body of the pause"),
            Param("back", 0.5, 0.1, 1, "first bodies", "how much the third takes back"),
            *exits(stop=1.5, target=3.0),
        ),
        reference=(
            'Steve Nison, "Japanese Candlestick Charting Techniques", New York Institute of '
            "Finance (1991), without the gaps"
        ),
        timeframes=("1h", "4h"),
        confidence=(
            "How much of the first body the third takes back: 0.5 at back, 1 at one and a half "
            "times the first."
        ),
        rising=(("small", "long"),),
    )
    because = (
        "Morning star: after a fall and a pause {taken} of the falling body was taken back.",
        "Evening star: after a rise and a pause {taken} of the rising body was taken back.",
    )

    def memory(self, p: Params) -> int:
        return int(p["period"]) + 4

    def look(self, market: Market, p: Params) -> Look:
        body = market.close - market.open
        size = np.abs(body)
        usual = before(ta.SMA(size, timeperiod=p["period"]), 3)  # of the candles before the three
        first, pause = before(body, 2), before(size)
        is_set = (np.abs(first) >= p["long"] * usual) & (pause <= p["small"] * usual) & (usual > 0)
        middle = (before(market.open, 2) + before(market.close, 2)) / 2
        taken = ratio(market.close - before(market.close, 2), -first)
        is_back = is_set & (taken >= p["back"])
        held = before(market.close)
        return Look(
            is_back & (first < 0) & (body > 0) & below(held, middle),
            is_back & (first > 0) & (body < 0) & above(held, middle),
            graded(taken, p["back"], 1.5),
            measures={"taken": taken},
        )
