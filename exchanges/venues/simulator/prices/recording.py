"""What a recording knows of itself while it is replayed: its clock, its streams, its books.

A replayed symbol lives by the recording's time. Nothing about it depends on this machine's clock or
on our own orders, which leave no mark on what was recorded: two runs tell the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from exchanges.matching.results import BookView
from exchanges.venues.simulator.prices.local_book import LocalBooks


@dataclass(slots=True)
class Recording:
    """`streams` are told word for word; what is derived from them follows `now_ms`."""

    books: LocalBooks
    symbols: set[str] = field(default_factory=set)
    streams: set[str] = field(default_factory=set)
    now_ms: int = 0  # the newest event time so far

    def note(self, symbol: str, frame: Mapping[str, Any]) -> None:
        """Learn from a frame what the recording has to tell."""
        self.symbols.add(symbol)
        if name := stream_of(frame):
            self.streams.add(name)

    def advance(self, frame: Mapping[str, Any], stamp_ns: int) -> None:
        """Move the clock to a frame's event time, before the first one to when it was recorded."""
        data = frame.get("data", frame)
        told = data.get("E")
        if told:
            self.now_ms = max(self.now_ms, int(told))
        elif not self.now_ms:
            self.now_ms = stamp_ns // 1_000_000

    def depth(self, symbol: str, levels: int) -> BookView:
        book = self.books.books.get(symbol)
        if book is None:
            return BookView(0, (), ())
        return BookView(self.books.update_ids.get(symbol, 0), *book.top(levels))


def stream_of(frame: Mapping[str, Any]) -> str:
    """Return the stream a frame is told on, empty for a bare one. Depth at any pace is depth."""
    name = str(frame.get("stream", ""))
    data = frame.get("data")
    if isinstance(data, Mapping) and data.get("e") == "depthUpdate" and "@depth" in name:
        return f"{name.partition('@')[0]}@depth@100ms"
    return name
