"""Candles: intervals, one candle, and a series of closed ones as columns.

Candles are statistics, not money: prices and volumes are floats here. A float keeps 15 significant
digits, so a price of a venue comes back exactly with `Decimal(repr(price))`. Times are epoch
milliseconds; a candle is named by the moment it opens, [opened_ms, opened_ms + length).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
FIRST_MONDAY_MS = 4 * DAY_MS  # the epoch was a Thursday; weeks open on Monday
INTERVALS: dict[str, int] = {
    "1s": 1_000,
    "1m": MINUTE_MS,
    "3m": 3 * MINUTE_MS,
    "5m": 5 * MINUTE_MS,
    "15m": 15 * MINUTE_MS,
    "30m": 30 * MINUTE_MS,
    "1h": HOUR_MS,
    "2h": 2 * HOUR_MS,
    "4h": 4 * HOUR_MS,
    "6h": 6 * HOUR_MS,
    "8h": 8 * HOUR_MS,
    "12h": 12 * HOUR_MS,
    "1d": DAY_MS,
    "3d": 3 * DAY_MS,
    "1w": 7 * DAY_MS,
}
"""Length in ms of every interval of a fixed length (Binance's words; `1M` has none)."""

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class UnknownInterval(ValueError):
    """No candles of this length are kept."""

    def __init__(self, interval: str) -> None:
        super().__init__(f"{interval!r} is no interval: use one of {', '.join(INTERVALS)}")


def length_ms(interval: str) -> int:
    """Return how long a candle lasts. Raise UnknownInterval."""
    try:
        return INTERVALS[interval]
    except KeyError:
        raise UnknownInterval(interval) from None


def opened_at(interval: str, at_ms: int) -> int:
    """Return when the candle that holds a moment opened."""
    length = length_ms(interval)
    offset = FIRST_MONDAY_MS if interval == "1w" else 0
    return at_ms - (at_ms - offset) % length


class Candle(NamedTuple):
    """One closed candle. Prices in quote units, volumes in base units unless `quote_`."""

    opened_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    quote_volume: float
    trades: int
    taker_volume: float  # of takers that bought
    taker_quote_volume: float


@dataclass(frozen=True, slots=True, eq=False)
class Candles:
    """Closed candles of one symbol and interval, oldest first, as columns of equal length."""

    symbol: str
    interval: str
    opened_ms: Integers
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    quote_volume: Floats
    trades: Integers
    taker_volume: Floats
    taker_quote_volume: Floats

    @classmethod
    def of(cls, symbol: str, interval: str, rows: Sequence[Candle]) -> Candles:
        """Build from single candles, oldest first."""
        length_ms(interval)
        columns = list(zip(*rows, strict=True)) if rows else [()] * len(Candle._fields)
        whole = {"opened_ms", "trades"}
        arrays: dict[str, Any] = {
            name: np.asarray(column, dtype=np.int64 if name in whole else np.float64)
            for name, column in zip(Candle._fields, columns, strict=True)
        }
        return cls(symbol, interval, **arrays)

    def __len__(self) -> int:
        return len(self.opened_ms)

    def __iter__(self) -> Iterator[Candle]:
        columns = (getattr(self, name).tolist() for name in Candle._fields)
        return map(Candle._make, zip(*columns, strict=True))

    def slice(self, start: int, stop: int) -> Candles:
        """Return candles [start, stop) as views of the same memory."""
        cut: dict[str, Any] = {f.name: getattr(self, f.name)[start:stop] for f in fields(self)[2:]}
        return Candles(self.symbol, self.interval, **cut)

    def head(self, count: int) -> Candles:
        """Return the first `count` candles: the past as it stood then."""
        return self.slice(0, count)

    def closed_at(self, index: int) -> datetime:
        """Return when a candle was over (the moment the next one opens), aware UTC."""
        closed_ms = int(self.opened_ms[index]) + length_ms(self.interval)
        return datetime.fromtimestamp(closed_ms / 1000, UTC)

    def gaps(self) -> list[tuple[int, int]]:
        """Return [start, end) in ms of what is missing between the first and the last candle."""
        length = length_ms(self.interval)
        opened = self.opened_ms
        places = np.flatnonzero(np.diff(opened) != length)
        return [(int(opened[i]) + length, int(opened[i + 1])) for i in places]
