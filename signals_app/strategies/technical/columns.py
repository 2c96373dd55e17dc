"""What strategies do with whole columns: compare, cross, look back. NaN compares as false.

Sums that run along a series carry rounding, so "above" means above by more than that: a flat price
crosses nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from exchanges.domain.candles import Floats
from signals_app.strategies.technical.ta import ta

Flags = NDArray[np.bool_]
ROUNDING = 1e-9  # relative
FADED_EMA = 6  # periods after which less than 1e-5 of a start value is left
FADED_WILDER = 12  # the same where each candle counts 1/period
FADED_TWICE = 15  # the same for Wilder's average of an average (ADX)


def before(column: Floats, by: int = 1) -> Floats:
    """Return the value `by` candles earlier, NaN where there was none."""
    found = np.full(len(column), np.nan)
    found[by:] = column[: len(column) - by]
    return found


def was(flags: Flags, by: int = 1) -> Flags:
    """Return the flag `by` candles earlier, false where there was none."""
    found = np.zeros(len(flags), dtype=bool)
    found[by:] = flags[: len(flags) - by]
    return found


def above(left: Floats, right: Floats | float) -> Flags:
    """Tell where left exceeds right by more than rounding."""
    flags: Flags = left - right > ROUNDING * (np.abs(left) + np.abs(right))
    return flags


def below(left: Floats, right: Floats | float) -> Flags:
    flags: Flags = right - left > ROUNDING * (np.abs(left) + np.abs(right))
    return flags


def crossed_above(left: Floats, right: Floats | float) -> Flags:
    """Tell where left is above right for the first candle; it was known and not above before."""
    over, known = above(left, right), np.isfinite(left - right)
    return over & was(known & ~over)


def crossed_below(left: Floats, right: Floats | float) -> Flags:
    under, known = below(left, right), np.isfinite(left - right)
    return under & was(known & ~under)


def became(flags: Flags) -> Flags:
    """Tell where a condition holds that did not hold one candle earlier."""
    return flags & ~was(flags)


def counted(flags: Flags, candles: float) -> NDArray[np.int64]:
    """Return how often a condition held in the last `candles` candles, this one included."""
    total = np.concatenate(([0], np.cumsum(flags)))
    start = np.maximum(np.arange(1, len(total)) - int(candles), 0)
    found: NDArray[np.int64] = total[1:] - total[start]
    return found


def ratio(part: Floats, whole: Floats) -> Floats:
    """Return part / whole, NaN where there is nothing to divide by."""
    found = np.full(len(part), np.nan)
    np.divide(part, whole, out=found, where=np.abs(whole) > 1e-12)
    return found


def graded(measure: Floats, weak: float, strong: float) -> Floats:
    """Return a confidence: 0.5 where the measure is `weak` or less, 1 from `strong` on."""
    share = np.clip((measure - weak) / (strong - weak), 0.0, 1.0)
    found: Floats = 0.5 + 0.5 * np.nan_to_num(share)
    return found


def excess(column: Floats, low: Floats | float, high: Floats | float, is_low: Flags) -> Floats:
    """Return how far the column went beyond a level in the last 5 candles: below `low` where
    `is_low`, else above `high`."""
    under, over = low - ta.MIN(column, timeperiod=5), ta.MAX(column, timeperiod=5) - high
    found: Floats = np.where(is_low, under, over)
    return found


def unit_of(column: Floats) -> float:
    """Return the power of two next below the first value above zero; 1 when there is none.

    Dividing by a power of two loses nothing, and TA-Lib takes what is below 1e-14 for zero (MFI
    what is below 1): prices of small coins would look flat.
    """
    known = column[column > 0]
    return float(2.0 ** np.floor(np.log2(known[0]))) if len(known) else 1.0


def usual_volume(volume: Floats, candles: float) -> Floats:
    """Return the mean volume of the last `candles` candles, NaN where nothing was traded: there
    a running sum keeps rounding, which is no volume."""
    found: Floats = ta.SMA(volume, timeperiod=candles)
    found[ta.MAX(volume, timeperiod=candles) <= 0] = np.nan
    return found


def number(value: Any) -> str:
    """Return a figure as people read it in a sentence."""
    return f"{float(value):.6g}" if np.isfinite(value) else "unknown"
