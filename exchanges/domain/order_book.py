"""Order books kept from changes: one book, and one that knows whether it is in step.

A venue tells changes by stream and the whole by REST; the book is right when the changes follow on
the snapshot without a gap. Prices are Decimal: quotes are made of them.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from exchanges.domain.books import Level

ZERO = Decimal(0)
MOST_BUFFERED = 2_000  # changes while a snapshot is fetched: more than three minutes of them
Rows = Iterable[Sequence[str | Decimal]]


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

    def rows(self, prices: Iterable[Decimal]) -> tuple[Level, ...]:
        return tuple((price, self.quantities[price]) for price in prices)


class LocalBook:
    """Both sides of one symbol."""

    def __init__(self) -> None:
        self.bids = BookSide()
        self.asks = BookSide()

    def reset(self, bids: Rows, asks: Rows) -> None:
        self.bids.clear()
        self.asks.clear()
        self.update(bids, asks)

    def update(self, bids: Rows, asks: Rows) -> None:
        """Set levels from (price, quantity) rows, text or Decimal."""
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

    def top(self, levels: int) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
        """Return the best levels of both sides, best first."""
        bids = self.bids.rows(self.bids.prices[: -levels - 1 : -1])
        return bids, self.asks.rows(self.asks.prices[:levels])

    @property
    def is_sane(self) -> bool:
        bids, asks = self.bids.prices, self.asks.prices
        return bool(bids and asks) and bids[-1] < asks[0]


class Change(NamedTuple):
    """A diff depth event: update ids it covers, the one before it (futures), levels as text."""

    first: int
    last: int
    previous: int | None
    bids: Rows
    asks: Rows


class Step(StrEnum):
    """What became of a change or a snapshot."""

    APPLIED = "applied"
    OLD = "old"  # known already
    KEPT = "kept"  # until a snapshot comes
    GAP = "gap"  # changes are missing: a new snapshot is needed
    TOO_OLD = "too_old"  # the snapshot ends before the changes that are here begin


class SyncedBook:
    """A book in step with a venue's stream, or honestly not.

    Spot counts on: an event's `first` is at most one more than the last update. Futures name the
    event before (`previous`), and their ids leave holes. The first event on a snapshot must
    straddle it. A gap ends being in step; the book that was is no longer shown.
    """

    def __init__(self) -> None:
        self.book = LocalBook()
        self.is_in_step = False
        self.last_id = 0
        self.gaps = 0
        self._is_fresh = False  # nothing has followed on the snapshot yet
        self._waiting: deque[Change] = deque(maxlen=MOST_BUFFERED)

    def restart(self) -> None:
        """Forget the book: nothing is known until the next snapshot."""
        self.is_in_step = False
        self._waiting.clear()

    def change(self, change: Change) -> Step:
        """Take the next event of the stream."""
        if not self.is_in_step:
            self._waiting.append(change)
            return Step.KEPT
        step = self._follow(change)
        if step is Step.GAP:
            self.gaps += 1
            self.restart()
            self._waiting.append(change)
        return step

    def snapshot(self, last_id: int, bids: Rows, asks: Rows) -> Step:
        """Take the whole book as of `last_id`, and what has waited on top of it."""
        if self._waiting and last_id < self._least_needed(self._waiting[0]):
            return Step.TOO_OLD
        self.book.reset(bids, asks)
        self.last_id, self._is_fresh, self.is_in_step = last_id, True, True
        waiting = list(self._waiting)
        self._waiting.clear()
        for place, change in enumerate(waiting):
            if self._follow(change) is Step.GAP:
                self.gaps += 1
                self.restart()
                self._waiting.extend(waiting[place:])
                return Step.GAP
        return Step.APPLIED

    @staticmethod
    def _least_needed(change: Change) -> int:
        return change.first - 1 if change.previous is None else change.previous

    def _follow(self, change: Change) -> Step:
        if self._is_old(change):
            return Step.OLD
        if not self._follows(change):
            return Step.GAP
        self.book.update(change.bids, change.asks)
        self.last_id, self._is_fresh = change.last, False
        return Step.APPLIED

    def _is_old(self, change: Change) -> bool:
        if change.previous is not None and self._is_fresh:
            return change.last < self.last_id
        return change.last <= self.last_id

    def _follows(self, change: Change) -> bool:
        if change.previous is None:
            return change.first <= self.last_id + 1
        if self._is_fresh:
            return change.previous <= self.last_id <= change.last
        return change.previous == self.last_id
