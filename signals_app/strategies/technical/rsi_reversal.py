"""RSI comes back from an extreme."""

from __future__ import annotations

from signals_app.strategies.spec import Family, Kind, Param, StrategySpec
from signals_app.strategies.technical.base import Params
from signals_app.strategies.technical.columns import (
    FADED_WILDER,
    crossed_above,
    crossed_below,
    excess,
    graded,
)
from signals_app.strategies.technical.rule import Look, Market, Rule, exits, whole
from signals_app.strategies.technical.ta import ta


class RsiReversal(Rule):
    spec = StrategySpec(
        strategy_id="rsi_reversal",
        title="RSI reversal",
        kind=Kind.TECHNICAL,
        family=Family.MEAN_REVERSION,
        formula=(
            "Buy when RSI(period) crosses back above low; sell when it crosses back below high."
        ),
        params=(
            whole("period", 14, 2, 100, "RSI covers this many"),
            Param("low", 30, 1, 50, "points", "oversold below"),
            Param("high", 70, 50, 99, "points", "overbought above"),
            *exits(stop=2.0, target=3.0),
        ),
        reference=(
            'J. Welles Wilder, "New Concepts in Technical Trading Systems", Trend Research (1978)'
        ),
        timeframes=("15m", "1h"),
        confidence=(
            "How far beyond the level RSI was in the last 5 candles: 0.5 just there, 1 by 15 "
            "points."
        ),
    )
    because = (
        "RSI {rsi} came back from oversold.",
        "RSI {rsi} came back from overbought.",
    )

    def memory(self, p: Params) -> int:
        return FADED_WILDER * int(p["period"]) + 5

    def look(self, market: Market, p: Params) -> Look:
        rsi = ta.RSI(market.close, timeperiod=p["period"])
        buy, sell = crossed_above(rsi, p["low"]), crossed_below(rsi, p["high"])
        extreme = excess(rsi, p["low"], p["high"], buy)
        return Look(buy, sell, graded(extreme, 0.0, 15.0), measures={"rsi": rsi})
