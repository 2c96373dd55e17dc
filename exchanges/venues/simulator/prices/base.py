"""What a price source is, and what it feeds."""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol

from exchanges.venues.simulator.prices.recording import Recording
from exchanges.venues.simulator.prices.sink import Candle, PriceSink


class UnknownPriceSource(ValueError):
    """No price source has this name."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name!r} is no price source: use synthetic, still, replay:FILE[@SPEED] or binance"
        )


class RecordingUnreadable(ValueError):
    """A recording that is not there or is none; the text names the file."""


class CannotMovePrice(Exception):
    """This source follows a recording or a real market: its price cannot be set."""


class PriceSource(Protocol):
    @property
    def recording(self) -> Recording | None:
        """What is replayed, for a source that replays."""
        ...

    async def run(self, sink: PriceSink) -> None:
        """Feed `sink` until cancelled (or until a recording ends)."""
        ...

    def prime(self, sink: PriceSink) -> None:
        """Feed a first book of every symbol this source knows without waiting."""
        ...

    def candle(self, symbol: str, start_ms: int, end_ms: int, now_ms: int, /) -> Candle | None:
        """Return what traded in [start, end) as far as `now_ms`, None when unknown."""
        ...

    def jump(self, symbol: str, price: Decimal, sink: PriceSink, /) -> None:
        """Move the price at once. Raises CannotMovePrice."""
        ...

    def calm(self) -> None:
        """Take back every jump."""
        ...


class FollowsMarket:
    """The part of a source whose prices come from outside: no history, no moving of prices."""

    def candle(self, _symbol: str, _start_ms: int, _end_ms: int, _now_ms: int, /) -> Candle | None:
        """Return None: candles are gathered from the trades seen since the start."""
        return None

    def jump(self, _symbol: str, _price: Decimal, _sink: PriceSink, /) -> None:
        raise CannotMovePrice("this price follows a market or a recording and cannot be set")

    def calm(self) -> None:
        return
