"""A breakout that many trade: price leaves its range on a surge of volume."""

from __future__ import annotations

from signals_app.strategies.spec import Family, Kind, Param, StrategySpec
from signals_app.strategies.technical.base import Params
from signals_app.strategies.technical.columns import (
    above,
    before,
    below,
    graded,
    ratio,
    usual_volume,
)
from signals_app.strategies.technical.rule import Look, Market, Rule, exits, whole


class VolumeSurgeBreakout(Rule):
    spec = StrategySpec(
        strategy_id="volume_surge_breakout",
        title="Volume surge breakout",
        kind=Kind.TECHNICAL,
        family=Family.VOLUME,
        formula=(
            "Volume is at least surge times its SMA(period) before. Buy when the close is above "
            "the highest high of the period candles before and in the upper third of its candle; "
            "sell below their lowest low and in the lower third."
        ),
        params=(
            whole("period", 20, 5, 200, "range and usual volume cover this many"),
            Param("surge", 2.0, 1.1, 20, "times", "least volume against the usual one"),
            *exits(stop=2.0, target=4.0),
        ),
        reference=(
            'Robert D. Edwards and John Magee, "Technical Analysis of Stock Trends" (1948): volume'
            " must confirm a breakout"
        ),
        timeframes=("15m",),
        first_mode="live",
        confidence=("How often the usual volume was traded: 0.5 at surge, 1 at three times surge."),
    )
    because = (
        "The close {close} left its range above {upper} on {times} times the usual volume.",
        "The close {close} left its range below {lower} on {times} times the usual volume.",
    )

    def memory(self, p: Params) -> int:
        return int(p["period"]) + 1

    def look(self, market: Market, p: Params) -> Look:
        high, low, close = market.high, market.low, market.close
        upper, lower = market.channel(p["period"])
        times = ratio(market.volume, before(usual_volume(market.volume, p["period"])))
        surges = times >= p["surge"]
        place = ratio(close - low, high - low)
        return Look(
            surges & above(close, upper) & (place >= 2 / 3),
            surges & below(close, lower) & (place <= 1 / 3),
            graded(times, p["surge"], 3 * p["surge"]),
            {"upper": upper, "lower": lower},
            {"times": times},
        )
