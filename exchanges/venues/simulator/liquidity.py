"""Thinning the book for drills: fewer levels, smaller sizes, or nothing at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from exchanges.venues.simulator.prices.sink import Level


@dataclass(frozen=True, slots=True)
class Thinning:
    """What is left of each side: at most `levels` of them, sizes times `factor`."""

    levels: int | None = None
    factor: Decimal = Decimal(1)
    side: str | None = None  # "bids", "asks" or both when None

    def left_of(self, rows: Sequence[Level], side: str) -> Sequence[Level]:
        if self.side not in (None, side):
            return rows
        kept = rows if self.levels is None else rows[: self.levels]
        if self.factor == 1:
            return kept
        return [(price, quantity * self.factor) for price, quantity in kept]


def in_parts(rows: Sequence[Level], quantity: Decimal, parts: int, step: Decimal) -> list[Level]:
    """Return at most the best `parts` levels, which together offer `quantity` in whole steps."""
    prices = [price for price, _ in rows[:parts]]
    left = quantity - quantity % step
    offered = []
    for place, price in enumerate(prices):
        share = left / (len(prices) - place)
        share = left if place == len(prices) - 1 else share - share % step
        left -= share
        if share:
            offered.append((price, share))
    return offered


class Liquidity:
    """The thinnings in force, by symbol."""

    def __init__(self) -> None:
        self._thinned: dict[str, Thinning] = {}

    def thin(self, symbol: str, thinning: Thinning) -> None:
        self._thinned[symbol] = thinning

    def restore(self, symbol: str | None = None) -> None:
        """Bring back the liquidity of one symbol, or of all."""
        if symbol is None:
            self._thinned.clear()
        else:
            self._thinned.pop(symbol, None)

    def is_gone(self, symbol: str) -> bool:
        thinning = self._thinned.get(symbol)
        return thinning is not None and thinning.side is None and thinning.levels == 0

    def visible(
        self, symbol: str, bids: Sequence[Level], asks: Sequence[Level]
    ) -> tuple[Sequence[Level], Sequence[Level]]:
        thinning = self._thinned.get(symbol)
        if thinning is None:
            return bids, asks
        return thinning.left_of(bids, "bids"), thinning.left_of(asks, "asks")
