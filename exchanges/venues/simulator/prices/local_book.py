"""Books rebuilt from stream frames, for replayed and live prices."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from exchanges.domain.order_book import LocalBook
from exchanges.venues.simulator.instruments import Listing
from exchanges.venues.simulator.prices.sink import PriceSink

DEPTH_SHOWN = 50


class LocalBooks:
    """The books of every listed symbol; frames of other symbols pass by."""

    def __init__(self, listings: Mapping[str, Listing]) -> None:
        self.listings = listings
        self.books: dict[str, LocalBook] = {}
        self.update_ids: dict[str, int] = {}

    def symbol_of(self, frame: Mapping[str, Any]) -> str:
        """Return whose frame it is, wrapped or bare; empty when nobody's who is listed."""
        data = frame.get("data", frame)
        if not isinstance(data, Mapping):
            return ""
        symbol = str(data.get("s") or str(frame.get("stream", "")).partition("@")[0].upper())
        if not symbol and "lastUpdateId" in data and len(self.books) == 1:
            symbol = next(iter(self.books))  # a bare REST snapshot in a one-symbol recording
        return symbol if symbol in self.listings else ""

    def take(self, frame: Mapping[str, Any], sink: PriceSink) -> None:
        """Apply one stream frame, wrapped or bare, and pass on what it changed."""
        symbol, data = self.symbol_of(frame), frame.get("data", frame)
        if not symbol:
            return
        kind = data.get("e")
        if kind in ("trade", "aggTrade"):
            sink.trade(symbol, Decimal(data["p"]), Decimal(data["q"]), bool(data["m"]))
        elif self._change(symbol, kind, data) and self.books[symbol].is_sane:
            sink.book(symbol, *self.books[symbol].top(DEPTH_SHOWN))

    def show(self, sink: PriceSink) -> None:
        """Pass on every book as it stands."""
        for symbol, book in self.books.items():
            if book.is_sane:
                sink.book(symbol, *book.top(DEPTH_SHOWN))

    def _change(self, symbol: str, kind: Any, data: Mapping[str, Any]) -> bool:
        """Return whether it was a book's frame."""
        book = self.books.setdefault(symbol, LocalBook())
        if kind == "depthUpdate":
            book.update(data["b"], data["a"])
        elif "lastUpdateId" in data:
            book.reset(data["bids"], data["asks"])
        elif "B" in data and "A" in data and "b" in data:
            book.touch(
                (Decimal(data["b"]), Decimal(data["B"])), (Decimal(data["a"]), Decimal(data["A"]))
            )
        else:
            return False
        number = int(data.get("u") or data.get("lastUpdateId") or 0)
        self.update_ids[symbol] = max(self.update_ids.get(symbol, 0), number)
        return True
