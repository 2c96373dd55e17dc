"""Books rebuilt from stream frames, for replayed and live prices."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from exchanges.simulator.instruments import Listing
from exchanges.simulator.prices.base import Level, PriceSink

DEPTH_SHOWN = 50
ZERO = Decimal(0)


class BookSide:
    """Quantities by price with the prices kept in order, so that the top is cheap to read."""

    def __init__(self) -> None:
        self.quantities: dict[Decimal, Decimal] = {}
        self.prices: list[Decimal] = []  # rising

    def clear(self) -> None:
        self.quantities.clear()
        self.prices.clear()

    def put(self, price: Decimal, quantity: Decimal) -> None:
        """Set a level; a quantity of zero removes it."""
        if quantity:
            if price not in self.quantities:
                insort(self.prices, price)
            self.quantities[price] = quantity
        elif self.quantities.pop(price, None) is not None:
            del self.prices[bisect_left(self.prices, price)]

    def rows(self, prices: Iterable[Decimal]) -> list[Level]:
        return [(price, self.quantities[price]) for price in prices]


class LocalBook:
    """Both sides of one symbol."""

    def __init__(self) -> None:
        self.bids = BookSide()
        self.asks = BookSide()

    def reset(self, bids: Any, asks: Any) -> None:
        self.bids.clear()
        self.asks.clear()
        self.update(bids, asks)

    def update(self, bids: Any, asks: Any) -> None:
        for side, rows in ((self.bids, bids), (self.asks, asks)):
            for price, quantity in rows:
                side.put(Decimal(price), Decimal(quantity))

    def touch(self, bid: Level, ask: Level) -> None:
        """Set the best of both sides; levels better than the best are gone."""
        while self.bids.prices and self.bids.prices[-1] > bid[0]:
            self.bids.put(self.bids.prices[-1], ZERO)
        while self.asks.prices and self.asks.prices[0] < ask[0]:
            self.asks.put(self.asks.prices[0], ZERO)
        self.bids.put(*bid)
        self.asks.put(*ask)

    def top(self) -> tuple[list[Level], list[Level]]:
        """Return the visible levels, best first."""
        bids = self.bids.rows(self.bids.prices[: -DEPTH_SHOWN - 1 : -1])
        return bids, self.asks.rows(self.asks.prices[:DEPTH_SHOWN])

    @property
    def is_sane(self) -> bool:
        bids, asks = self.bids.prices, self.asks.prices
        return bool(bids and asks) and bids[-1] < asks[0]


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
