"""Donchian channel breakout, as the Turtles traded it."""

from __future__ import annotations

import numpy as np

from signals_app.strategies.spec import Family, Kind, StrategySpec
from signals_app.strategies.technical.base import Params
from signals_app.strategies.technical.columns import above, below, graded, ratio
from signals_app.strategies.technical.rule import Look, Market, Rule, exits, whole


class DonchianBreakout(Rule):
    spec = StrategySpec(
        strategy_id="donchian_breakout",
        title="Donchian breakout",
        kind=Kind.TECHNICAL,
        family=Family.BREAKOUT,
        formula=(
            "Buy when the close is above the highest high of the period candles before; sell when "
            "it is below their lowest low."
        ),
        params=(
            whole("period", 20, 2, 400, "the channel covers this many"),
            *exits(stop=2.0, target=6.0),
        ),
        reference=(
            'Richard Donchian\'s four-week rule; Curtis Faith, "Way of the Turtle", McGraw-Hill '
            "(2007), system 1 (stop 2 N)"
        ),
        timeframes=("1h", "4h"),
        confidence=("How far beyond the channel the close is: 0.5 at its edge, 1 one ATR."),
    )
    because = (
        "The close {close} is above the channel {upper}.",
        "The close {close} is below the channel {lower}.",
    )

    def memory(self, p: Params) -> int:
        return int(p["period"]) + 1

    def look(self, market: Market, p: Params) -> Look:
        close = market.close
        upper, lower = market.channel(p["period"])
        away = ratio(np.maximum(close - upper, lower - close), market.atr)
        return Look(
            above(close, upper),
            below(close, lower),
            graded(away, 0.0, 1.0),
            {"upper": upper, "lower": lower},
        )
