"""Candles of a longer interval made of the base candles, and their columns told to the base."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exchanges.domain.candles import Floats
from signals_app.strategies.technical.rule import Market


@dataclass(frozen=True, slots=True, eq=False)
class Higher:
    """`done[i]`: which longer candle was the last one complete when base candle i closed; -1: none.

    A longer candle is complete with its last base candle, or, where that is missing, with the first
    base candle after it.
    """

    high: Floats
    low: Floats
    close: Floats
    done: NDArray[np.int64]

    def told(self, column: NDArray[Any]) -> Floats:
        """Return for each base candle the column's value of the last complete longer candle."""
        return np.where(self.done >= 0, column[np.maximum(self.done, 0)], np.nan)


def higher(market: Market, factor: float) -> Higher:
    """Return candles `factor` times as long, cut at multiples of their length since the epoch."""
    length = market.length_ms * int(factor)
    group = market.opened_ms // length
    starts = np.concatenate(([0], np.flatnonzero(np.diff(group)) + 1))
    ends = np.concatenate((starts[1:], [len(group)])) - 1
    ordinal = np.repeat(np.arange(len(starts)), ends - starts + 1)
    is_last = market.opened_ms + market.length_ms == (group + 1) * length
    return Higher(
        high=np.maximum.reduceat(market.high, starts),
        low=np.minimum.reduceat(market.low, starts),
        close=market.close[ends],
        done=np.where(is_last, ordinal, ordinal - 1),
    )
