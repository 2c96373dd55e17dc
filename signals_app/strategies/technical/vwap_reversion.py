"""The price comes back to where most was traded."""

from __future__ import annotations

import numpy as np

from signals_app.strategies.spec import Family, Kind, Param, StrategySpec
from signals_app.strategies.technical.base import Params
from signals_app.strategies.technical.columns import (
    crossed_above,
    crossed_below,
    graded,
    ratio,
    usual_volume,
)
from signals_app.strategies.technical.rule import Look, Market, Rule, exits, whole
from signals_app.strategies.technical.ta import ta


class VwapReversion(Rule):
    spec = StrategySpec(
        strategy_id="vwap_reversion",
        title="VWAP reversion",
        kind=Kind.TECHNICAL,
        family=Family.VOLUME,
        formula=(
            "VWAP = sum(typical price x volume) / sum(volume) of the last period candles, typical "
            "price = (high + low + close) / 3. Buy when the close crosses back above VWAP - width "
            "x standard deviation of (typical price - VWAP); sell when it crosses back below VWAP "
            "+ width x that."
        ),
        params=(
            whole("period", 96, 10, 1440, "VWAP rolls over this many"),
            Param("width", 2.0, 0.5, 6, "deviations", "how far off is far"),
            *exits(stop=2.0, target=2.5),
        ),
        reference=(
            'Berkowitz, Logue and Noser, "The Total Cost of Transactions on the NYSE", Journal of '
            "Finance 43 (1988), for VWAP; bands as desks use them"
        ),
        timeframes=("15m", "1h"),
        confidence="Largest distance from VWAP in 5 candles: 0.5 at width, 1 two deviations more.",
    )
    because = (
        "The close {close} came back to VWAP {vwap} from below {lower}.",
        "The close {close} came back to VWAP {vwap} from above {upper}.",
    )

    def memory(self, p: Params) -> int:
        return 2 * int(p["period"]) + 5

    def look(self, market: Market, p: Params) -> Look:
        close, period = market.close, p["period"]
        typical = ta.TYPPRICE(market.high, market.low, close)
        usual = usual_volume(market.volume, period)
        vwap = ratio(ta.SMA(typical * market.volume, timeperiod=period), usual)
        # Where nothing was traded; a NaN would stay in the running sums for ever.
        vwap = np.where(np.isnan(usual), typical, vwap)
        deviation = ta.STDDEV(typical - vwap, timeperiod=period)
        upper, lower = vwap + p["width"] * deviation, vwap - p["width"] * deviation
        away = ta.MAX(np.abs(ratio(close - vwap, deviation)), timeperiod=5)
        return Look(
            crossed_above(close, lower),
            crossed_below(close, upper),
            graded(away, p["width"], p["width"] + 2),
            {"vwap": vwap, "upper": upper, "lower": lower},
        )
