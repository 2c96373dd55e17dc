"""The best levels of an order book, and what taking from them would cost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from exchanges.domain.orders import Quote, Side

Level = tuple[Decimal, Decimal]  # price, quantity


@dataclass(frozen=True, slots=True)
class Book:
    """The levels a venue shows, best first. `received_at` is our clock, `venue_at` the venue's
    when it tells: spot's depth does not."""

    symbol: str
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    received_at: datetime
    venue_at: datetime | None = None

    def levels_for(self, side: Side) -> tuple[Level, ...]:
        """Return the levels a taker of `side` takes from."""
        return self.asks if side is Side.BUY else self.bids

    def quote(self) -> Quote | None:
        """Return best bid and ask, None while a side is empty."""
        if not self.bids or not self.asks:
            return None
        (bid, bid_quantity), (ask, ask_quantity) = self.bids[0], self.asks[0]
        return Quote(
            self.symbol, bid, bid_quantity, ask, ask_quantity, self.received_at, self.venue_at
        )


def shown(levels: Iterable[Level]) -> Decimal:
    """Return the base units on offer altogether."""
    return sum((quantity for _, quantity in levels), Decimal(0))


def average_price(levels: Iterable[Level], quantity: Decimal) -> Decimal | None:
    """Return what each base unit of `quantity` (above 0) would cost on average when taken from
    `levels`; None when they do not hold as much."""
    left, cost = quantity, Decimal(0)
    for price, offered in levels:
        taken = min(left, offered)
        cost += taken * price
        left -= taken
        if left <= 0:
            return cost / quantity
    return None
