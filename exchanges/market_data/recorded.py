"""A recording of combined-stream frames as the frames our bus carries.

Lines are `<local ns> <json>`, gzip or plain. Trades pass as they are; of the diffs a book is kept
whose first levels go out as partial depth, and of the trades a ticker goes out once a second:
what a venue streams and a recording of diffs and trades lacks.
"""

from __future__ import annotations

import gzip
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from exchanges.market_data.bus import Kind, UnknownStream, enveloped, kind_of, symbol_of

DEPTH = 20
TICKER_EVERY_MS = 1000


@dataclass(frozen=True, slots=True)
class Recorded:
    """One frame: its bytes are the envelope, `at_ms` when it was received."""

    symbol: str
    kind: Kind
    raw: bytes
    at_ms: int


def frames(paths: Iterable[Path]) -> Iterator[Recorded]:
    """Yield partial depth, trades and tickers of recordings that follow on each other."""
    books: dict[str, _Book] = {}
    told: dict[str, int] = {}
    for stamp, frame in _lines(paths):
        at_ms = stamp // 1_000_000
        data = frame.get("data", frame)
        try:
            stream = frame.get("stream", "")
            kind = kind_of(stream)
        except UnknownStream:
            if "lastUpdateId" in data and len(books) == 1:
                next(iter(books.values())).start(data)
            continue
        symbol = symbol_of(stream)
        if kind is Kind.TRADE:
            yield Recorded(symbol, kind, enveloped(stream, orjson.dumps(data), at_ms), at_ms)
            if data["E"] - told.get(symbol, 0) >= TICKER_EVERY_MS:
                told[symbol] = data["E"]
                ticker = {"e": "24hrTicker", "E": data["E"], "s": symbol, "c": data["p"]}
                raw = enveloped(f"{symbol.lower()}@ticker", orjson.dumps(ticker), at_ms)
                yield Recorded(symbol, Kind.TICKER, raw, at_ms)
        elif kind is Kind.DIFF:
            book = books.setdefault(symbol, _Book())
            book.change(data)
            if book.is_whole:
                name = f"{symbol.lower()}@depth{DEPTH}@100ms"
                yield Recorded(symbol, Kind.DEPTH, enveloped(name, book.top(), at_ms), at_ms)


def _lines(paths: Iterable[Path]) -> Iterator[tuple[int, dict[str, Any]]]:
    for path in paths:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as lines:
            for line in lines:
                stamp, brace, rest = line.partition(b"{")
                if brace and stamp.strip():
                    yield int(stamp), orjson.loads(brace + rest)


class _Side:
    """Quantities as text by price, the prices in order, best first by `sign`."""

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.rows: dict[float, list[str]] = {}
        self.order: list[float] = []

    def put(self, price: str, quantity: str) -> None:
        key = self.sign * float(price)
        if float(quantity):
            if key not in self.rows:
                insort(self.order, key)
            self.rows[key] = [price, quantity]
        elif self.rows.pop(key, None) is not None:
            del self.order[bisect_left(self.order, key)]

    def top(self) -> list[list[str]]:
        return [self.rows[key] for key in self.order[:DEPTH]]


class _Book:
    """A book from its snapshot on; diffs before it wait."""

    def __init__(self) -> None:
        self.is_whole = False
        self.update_id = 0
        self.bids, self.asks = _Side(-1), _Side(1)
        self.waiting: list[dict[str, Any]] = []

    def start(self, snapshot: dict[str, Any]) -> None:
        self.bids, self.asks = _Side(-1), _Side(1)
        self.update_id = snapshot["lastUpdateId"]
        self._put(snapshot["bids"], snapshot["asks"])
        self.is_whole = True
        for data in self.waiting:
            self.change(data)
        self.waiting.clear()

    def change(self, data: dict[str, Any]) -> None:
        if not self.is_whole:
            self.waiting.append(data)
        elif data["u"] > self.update_id:
            self.update_id = data["u"]
            self._put(data["b"], data["a"])

    def _put(self, bids: list[list[str]], asks: list[list[str]]) -> None:
        for side, rows in ((self.bids, bids), (self.asks, asks)):
            for price, quantity in rows:
                side.put(price, quantity)

    def top(self) -> bytes:
        told = {"lastUpdateId": self.update_id, "bids": self.bids.top(), "asks": self.asks.top()}
        return orjson.dumps(told)
