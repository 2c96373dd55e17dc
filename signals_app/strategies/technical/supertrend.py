"""Supertrend: a trailing band of ATRs that the close breaks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from exchanges.domain.candles import Floats
from signals_app.strategies.spec import Family, Kind, Param, StrategySpec
from signals_app.strategies.technical.base import Params
from signals_app.strategies.technical.columns import (
    FADED_WILDER,
    above,
    before,
    below,
    graded,
    ratio,
)
from signals_app.strategies.technical.rule import Look, Market, Rule, exits, whole
from signals_app.strategies.technical.ta import ta


class Supertrend(Rule):
    spec = StrategySpec(
        strategy_id="supertrend",
        title="Supertrend",
        kind=Kind.TECHNICAL,
        family=Family.TREND,
        formula=(
            "Bands of (high + low) / 2 -/+ width x ATR(period) that only tighten. Buy when the "
            "close breaks the upper band, sell when it breaks the lower one."
        ),
        params=(
            whole("period", 10, 2, 100, "candles the ATR of the bands covers"),
            Param("width", 3.0, 0.5, 10, "ATR", "distance of the bands from the middle"),
            *exits(stop=3.0, target=6.0),
        ),
        reference=(
            'Olivier Seban, "Tout le monde merite d\'etre riche", where the Supertrend was '
            "made known"
        ),
        timeframes=("1h", "4h"),
        first_mode="live",
        confidence="How far the close went through the band: 0.5 not at all, 1 one ATR.",
    )
    because = (
        "The close {close} broke above the upper band {upper}.",
        "The close {close} broke below the lower band {lower}.",
    )

    def memory(self, p: Params) -> int:
        # Where its bands stand is settled by its turns: on wide ones they take long.
        return max(FADED_WILDER * int(p["period"]), int(100 * p["width"]))

    def look(self, market: Market, p: Params) -> Look:
        close, middle = market.close, (market.high + market.low) / 2
        atr = ta.ATR(market.high, market.low, close, timeperiod=p["period"])
        upper, lower = _trailed(middle + p["width"] * atr, middle - p["width"] * atr, close)
        breaks_up, breaks_down = above(close, before(upper)), below(close, before(lower))
        side = _kept(breaks_up.astype(np.int8) - breaks_down.astype(np.int8))
        away = np.maximum(close - before(upper), before(lower) - close)
        return Look(
            side > 0,
            side < 0,
            graded(ratio(away, market.atr), 0.0, 1.0),
            {"upper": before(upper), "lower": before(lower)},
        )


def _trailed(upper: Floats, lower: Floats, close: Floats) -> tuple[Floats, Floats]:
    """Return the bands as they only tighten until the close breaks them."""
    top, bottom, last = np.inf, -np.inf, np.nan
    tops, bottoms = [], []
    for high, low, price in zip(upper.tolist(), lower.tolist(), close.tolist(), strict=True):
        if high < top or last > top:
            top = high
        if low > bottom or last < bottom:
            bottom = low
        last = price
        tops.append(top)
        bottoms.append(bottom)
    return np.array(tops), np.array(bottoms)


def _kept(events: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return the last event that was not 0, for each candle."""
    at = np.maximum.accumulate(np.where(events != 0, np.arange(len(events)), 0))
    kept: NDArray[np.int8] = events[at]
    return kept
