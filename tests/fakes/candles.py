"""Candles made up for tests: closed, aligned, without a gap unless one is cut out."""

from __future__ import annotations

from exchanges.domain.candles import Candle, length_ms

START_MS = 1_723_161_600_000  # 2024-08-09 00:00 UTC


def candle(opened_ms: int = START_MS, *, close: float = 101.0, high: float = 103.0) -> Candle:
    return Candle(opened_ms, 100.0, high, 99.0, close, 5.0, 505.0, 7, 2.0, 202.0)


def candles(count: int, interval: str = "1m", *, start_ms: int = START_MS) -> list[Candle]:
    """Return `count` candles in a row; each closes a little higher than the one before."""
    length = length_ms(interval)
    return [
        candle(start_ms + i * length, close=100.0 + i / 1000, high=200.0 + i / 1000)
        for i in range(count)
    ]
