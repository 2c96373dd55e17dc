"""Books rebuilt from stream frames, for replayed and live prices."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from exchanges.simulator.instruments import Listing
from exchanges.simulator.prices.base import Level, PriceSink

DEPTH_SHOWN = 50
ZERO = Decimal(0)


class LocalBook:
    """One symbol's sides as price -> quantity."""

    def __init__(self) -> None:
        self.bids: dict[Decimal, Decimal] = {}
        self.asks: dict[Decimal, Decimal] = {}

    def reset(self, bids: Any, asks: Any) -> None:
        self.bids.clear()
        self.asks.clear()
        self.update(bids, asks)

    def update(self, bids: Any, asks: Any) -> None:
        for side, rows in ((self.bids, bids), (self.asks, asks)):
            for price_text, quantity_text in rows:
                price, quantity = Decimal(price_text), Decimal(quantity_text)
                if quantity:
                    side[price] = quantity
                else:
                    side.pop(price, None)

    def touch(self, bid: Level, ask: Level) -> None:
        """Set the best of both sides; levels better than the best are gone."""
        self.bids = {price: q for price, q in self.bids.items() if price < bid[0]}
        self.asks = {price: q for price, q in self.asks.items() if price > ask[0]}
        self.bids[bid[0]] = bid[1]
        self.asks[ask[0]] = ask[1]

    def top(self) -> tuple[list[Level], list[Level]]:
        bids = sorted(self.bids.items(), reverse=True)[:DEPTH_SHOWN]
        return bids, sorted(self.asks.items())[:DEPTH_SHOWN]

    @property
    def is_sane(self) -> bool:
        return bool(self.bids and self.asks) and max(self.bids) < min(self.asks)


class LocalBooks:
    """The books of every listed symbol; frames of other symbols pass by."""

    def __init__(self, listings: Mapping[str, Listing]) -> None:
        self.listings = listings
        self._books: dict[str, LocalBook] = {}

    def take(self, frame: Mapping[str, Any], sink: PriceSink) -> None:
        """Apply one stream frame, wrapped or bare, and pass on what it changed."""
        data = frame.get("data", frame)
        if not isinstance(data, Mapping):
            return
        symbol = str(data.get("s") or str(frame.get("stream", "")).partition("@")[0].upper())
        if not symbol and "lastUpdateId" in data and len(self._books) == 1:
            symbol = next(iter(self._books))  # a bare REST snapshot in a one-symbol recording
        if symbol not in self.listings:
            return
        kind = data.get("e")
        if kind in ("trade", "aggTrade"):
            sink.trade(symbol, Decimal(data["p"]), Decimal(data["q"]), bool(data["m"]))
            return
        book = self._books.setdefault(symbol, LocalBook())
        if kind == "depthUpdate":
            book.update(data["b"], data["a"])
        elif "lastUpdateId" in data:
            book.reset(data["bids"], data["asks"])
        elif "B" in data and "A" in data and "b" in data:
            book.touch(
                (Decimal(data["b"]), Decimal(data["B"])), (Decimal(data["a"]), Decimal(data["A"]))
            )
        else:
            return
        if book.is_sane:
            sink.book(symbol, *book.top())
