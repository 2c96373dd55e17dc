"""The money flow index comes back from an extreme."""

from __future__ import annotations

import numpy as np

from signals_app.strategies.spec import Family, Kind, Param, StrategySpec
from signals_app.strategies.technical.base import Params
from signals_app.strategies.technical.columns import (
    crossed_above,
    crossed_below,
    excess,
    graded,
    usual_volume,
)
from signals_app.strategies.technical.rule import Look, Market, Rule, exits, whole
from signals_app.strategies.technical.ta import ta


class MfiReversal(Rule):
    spec = StrategySpec(
        strategy_id="mfi_reversal",
        title="Money flow reversal",
        kind=Kind.TECHNICAL,
        family=Family.VOLUME,
        formula=(
            "Buy when MFI(period) crosses back above low; sell when it crosses back below high."
        ),
        params=(
            whole("period", 14, 2, 100, "MFI covers this many"),
            Param("low", 20, 1, 50, "points", "oversold below"),
            Param("high", 80, 50, 99, "points", "overbought above"),
            *exits(stop=2.0, target=3.0),
        ),
        reference=(
            'Gene Quong and Avrum Soudack, "Volume-Weighted RSI: Money Flow", Technical Analysis '
            "of Stocks & Commodities 7:3 (1989)"
        ),
        timeframes=("15m", "1h"),
        confidence=(
            "How far beyond the level MFI was in the last 5 candles: 0.5 just there, 1 by 15 "
            "points."
        ),
    )
    because = (
        "MFI {mfi} came back from oversold.",
        "MFI {mfi} came back from overbought.",
    )

    def memory(self, p: Params) -> int:
        return int(p["period"]) + 6

    def look(self, market: Market, p: Params) -> Look:
        mfi = ta.MFI(market.high, market.low, market.close, market.volume, timeperiod=p["period"])
        # TA-Lib says 0 where nothing was traded, which is no extreme.
        mfi[np.isnan(usual_volume(market.volume, p["period"]))] = np.nan
        buy, sell = crossed_above(mfi, p["low"]), crossed_below(mfi, p["high"])
        extreme = excess(mfi, p["low"], p["high"], buy)
        return Look(buy, sell, graded(extreme, 0.0, 15.0), measures={"mfi": mfi})
