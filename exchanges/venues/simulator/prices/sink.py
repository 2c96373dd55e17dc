"""What a price source feeds, and what it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

Level = tuple[Decimal, Decimal]  # price, quantity


@dataclass(frozen=True, slots=True)
class Candle:
    """One candle. Times are ms; `closed` is False while the interval still runs."""

    opened_ms: int
    closes_ms: int  # last millisecond of the interval
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    quote_volume: Decimal
    trades: int
    taker_volume: Decimal
    taker_quote_volume: Decimal


class PriceSink(Protocol):
    """Where a source puts its news."""

    def book(self, symbol: str, bids: Sequence[Level], asks: Sequence[Level]) -> None:
        """Take the whole visible book, best first."""
        ...

    def trade(self, symbol: str, price: Decimal, quantity: Decimal, buyer_is_maker: bool) -> None:
        """Take one public trade."""
        ...

    def recorded_until(self, symbol: str, now_ms: int, /) -> None:
        """Take note that a recording's clock has come to `now_ms`."""
        ...

    def recorded(self, symbol: str, stream: str, data: dict[str, Any], /) -> None:
        """Take a recorded frame; what it says of prices was told by `book` and `trade`."""
        ...

    def is_heard(self) -> bool:
        """Return whether anybody listens to a market stream."""
        ...

    def is_behind(self) -> bool:
        """Return whether a listener is still reading what was told before."""
        ...
