"""One candle moves the price by much more than the usual range."""

from __future__ import annotations

import numpy as np

from signals_app.strategies.spec import Family, Kind, Param, StrategySpec
from signals_app.strategies.technical.base import Params
from signals_app.strategies.technical.columns import FADED_WILDER, before, graded, ratio
from signals_app.strategies.technical.rule import Look, Market, Rule, exits


class AtrBreakout(Rule):
    spec = StrategySpec(
        strategy_id="atr_breakout",
        title="ATR breakout",
        kind=Kind.TECHNICAL,
        family=Family.VOLATILITY,
        formula=(
            "move = (close - close before) / ATR(atr_period) before. Buy when move is at least "
            "min_move; sell when it is at most -min_move."
        ),
        params=(
            Param("min_move", 2.0, 0.5, 10, "ATR", "the smallest move that counts"),
            *exits(stop=2.0, target=3.0),
        ),
        reference=(
            "Wilder's volatility system (1978) as a breakout: Perry J. Kaufman, Trading Systems "
            'and Methods", Wiley, chapter on volatility breakouts'
        ),
        timeframes=("15m", "1h"),
        confidence="Size of the move: 0.5 at min_move, 1 at twice that.",
    )
    because = (
        "The close rose by {move} ATR in one candle.",
        "The close fell by {move} ATR in one candle.",
    )

    def memory(self, p: Params) -> int:
        return FADED_WILDER * int(p["atr_period"]) + 1

    def look(self, market: Market, p: Params) -> Look:
        move = ratio(market.close - before(market.close), before(market.atr))
        least = p["min_move"]
        return Look(
            move >= least,
            move <= -least,
            graded(np.abs(move), least, 2 * least),
            measures={"move": move},
        )
