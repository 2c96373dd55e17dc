"""Candles of our table beside those that the venue tells, one by one and figure by figure.

What the venue has is asked over its public REST endpoint and what we have is read with plain SQL:
the reader of the product is what is being proven.
"""

from __future__ import annotations

import json
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from tests.product import Product

LENGTHS_MS = {"1s": 1_000, "1m": 60_000}
PAGE = 1_000
COLUMNS = (
    "open",
    "high",
    "low",
    "close",
    "volume",
    "quote_volume",
    "trades",
    "taker_volume",
    "taker_quote_volume",
)
IN_ROW = (1, 2, 3, 4, 5, 7, 8, 9, 10)  # where the venue's rows have them; 6 is the closing time
Figures = tuple[float, ...]


@dataclass(frozen=True, order=True)
class Stored:
    """One row of ours."""

    symbol: str
    interval: str
    opened_ms: int
    figures: Figures


Theirs = Mapping[tuple[str, str], Mapping[int, Figures]]


def venue(
    base_url: str, symbols: Iterable[str], intervals: Iterable[str], start_ms: int, end_ms: int
) -> Theirs:
    """Return what the venue has of candles that opened from `start_ms` on and closed by `end_ms`,
    by symbol and interval, by opening time."""
    return {
        (symbol, interval): _asked(base_url, symbol, interval, start_ms, end_ms)
        for symbol in symbols
        for interval in intervals
    }


def _asked(
    base_url: str, symbol: str, interval: str, start_ms: int, end_ms: int
) -> dict[int, Figures]:
    found: dict[int, Figures] = {}
    last_ms = end_ms - LENGTHS_MS[interval]  # what opens later is not closed by then
    while start_ms <= last_ms:
        asked = {"startTime": start_ms, "endTime": last_ms, "limit": PAGE}
        query = urlencode({"symbol": symbol, "interval": interval, **asked})
        url = f"{base_url}/api/v3/klines?{query}"
        with urllib.request.urlopen(url, timeout=30) as reply:
            rows = json.load(reply)
        if not rows:
            break
        found |= {int(row[0]): tuple(float(row[at]) for at in IN_ROW) for row in rows}
        start_ms = int(rows[-1][0]) + LENGTHS_MS[interval]
    return found


def ours(product: Product, start_ms: int, end_ms: int) -> list[Stored]:
    """Return our rows of candles that opened within [start_ms, end_ms)."""
    columns = ", ".join(f"c.{name}" for name in COLUMNS)
    rows = product.rows(
        f'SELECT s.symbol, s."interval" AS length, c.opened_ms, {columns}'
        " FROM exchanges_candle c JOIN exchanges_series s ON s.id = c.series_id"
        " WHERE s.environment = 'simulator' AND c.opened_ms >= ? AND c.opened_ms < ?",
        start_ms,
        end_ms,
    )
    return [
        Stored(
            row["symbol"],
            row["length"],
            int(row["opened_ms"]),
            tuple(float(row[name]) for name in COLUMNS),
        )
        for row in rows
        if int(row["opened_ms"]) + LENGTHS_MS[row["length"]] <= end_ms
    ]


def faults(theirs: Theirs, stored: Iterable[Stored]) -> list[str]:
    """Return what is wrong with our rows; nothing when each candle is there once as it was told."""
    found: list[str] = []
    mine: defaultdict[tuple[str, str], list[Stored]] = defaultdict(list)
    for one in stored:
        mine[one.symbol, one.interval].append(one)
    for series in sorted(theirs.keys() | mine.keys()):
        told, rows = theirs.get(series, {}), mine[series]
        name = " ".join(series)
        times = Counter(row.opened_ms for row in rows)
        found += [f"{name} {at}: stored {n} times" for at, n in times.items() if n > 1]
        found += [f"{name} {at}: lost" for at in sorted(told.keys() - times.keys())]
        found += [f"{name} {at}: not the venue's" for at in sorted(times.keys() - told.keys())]
        found += [
            f"{name} {row.opened_ms}: {row.figures} is not {told[row.opened_ms]}"
            for row in rows
            if row.opened_ms in told and row.figures != told[row.opened_ms]
        ]
    return found
