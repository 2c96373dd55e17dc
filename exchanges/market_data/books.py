"""From stream frames to quotes and books: only the newest of each stream is ever read.

A busy symbol has hundreds of frames a second, and nobody looks that often. So frames are kept as
they came and read when somebody asks.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import structlog

from exchanges.domain.books import Book
from exchanges.domain.orders import Quote
from exchanges.gateways import wire

log = structlog.get_logger(__name__)
BEST, DEPTH = "bookTicker", "depth20@100ms"


def streams_of(symbols: Iterable[str]) -> list[str]:
    """Return the names of the streams that carry best prices and books of `symbols`."""
    return [f"{symbol.lower()}@{kind}" for symbol in symbols for kind in (BEST, DEPTH)]


class Books:
    """The newest frame of each stream, and whether it has been read."""

    def __init__(self) -> None:
        self._waiting: dict[str, tuple[dict[str, Any], datetime]] = {}
        self._ids: dict[str, int] = {}

    def take(self, name: str, data: dict[str, Any], received_at: datetime) -> bool:
        """Keep a frame unless the venue numbered it before one that is here; say whether it was.

        Streams may tell late or twice; both kinds carry the number of the book's change.
        """
        number = data.get("u", data.get("lastUpdateId"))
        if isinstance(number, int):
            if number < self._ids.get(name, 0):
                return False
            self._ids[name] = number
        self._waiting[name] = (data, received_at)
        return True

    def restart(self) -> None:
        """Expect any number next: a new connection may be to a venue that began anew."""
        self._ids.clear()

    def drain(self) -> list[Quote | Book]:
        """Return what changed since the last drain. An unreadable frame is told and lost.

        Of a symbol's quotes the last one counts. Best prices are told only when they change; a book
        that came after them says that they still hold.
        """
        waiting, self._waiting = self._waiting, {}
        prices: list[Quote | Book] = []
        for name in sorted(waiting):  # best prices before depth
            try:
                prices += self._read(name, *waiting[name])
            except wire.Unreadable as error:
                log.error("market_frame_unreadable", stream=name, error=str(error))
        return prices

    def _read(self, name: str, data: dict[str, Any], received_at: datetime) -> list[Quote | Book]:
        symbol, _, kind = name.partition("@")
        if kind == BEST:
            return [wire.stream_quote(data, now=received_at)]
        book = wire.book(data, symbol=symbol.upper(), now=received_at)
        is_newest = self._ids.get(name, 0) >= self._ids.get(f"{symbol}@{BEST}", 0)
        quote = book.quote() if is_newest else None
        return [book, quote] if quote else [book]
