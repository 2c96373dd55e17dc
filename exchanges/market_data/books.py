"""From stream frames to quotes and books: only the newest of each stream is ever read.

A busy symbol has hundreds of frames a second, and nobody looks that often. So frames are kept as
they came and read when somebody asks.
"""

from __future__ import annotations

from collections.abc import Iterable

import structlog

from exchanges.domain.books import Book
from exchanges.domain.orders import Quote
from exchanges.market_data.bus import Kind
from exchanges.market_data.frames import Frame, Unreadable
from exchanges.venues.binance.spot import wire

log = structlog.get_logger(__name__)
READ = frozenset({Kind.BEST, Kind.DEPTH})


class Books:
    """The newest frame of each stream that tells prices, and what their numbers were."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, Kind], Frame] = {}
        self._books: dict[str, Book] = {}
        self._newest: dict[tuple[str, Kind], int] = {}

    def take(self, frame: Frame) -> None:
        """Keep a frame that is news. Others than prices pass by."""
        kind, number = frame.stream.kind, frame.mark.number
        if kind in READ and isinstance(number, int):
            key = (frame.stream.symbol, kind)
            self._waiting[key] = frame
            self._newest[key] = number

    def put(self, book: Book, number: int) -> None:
        """Keep a book that was built here, numbered like the frames."""
        self._books[book.symbol] = book
        self._newest[book.symbol, Kind.DEPTH] = number

    def restart(self, symbols: Iterable[str]) -> None:
        """Numbers may begin anew: none of a symbol's is newer than another any more."""
        for symbol in symbols:
            for kind in READ:
                self._newest.pop((symbol, kind), None)

    def drain(self) -> list[Quote | Book]:
        """Return what changed since the last drain. An unreadable frame is told and lost.

        Of a symbol's quotes the last one counts. Best prices are told only when they change; a book
        that came after them says that they still hold.
        """
        waiting, self._waiting = self._waiting, {}
        built, self._books = self._books, {}
        prices: list[Quote | Book] = []
        for symbol, kind in sorted(waiting):  # best prices before depth
            try:
                prices += self._read(waiting[symbol, kind])
            except (wire.Unreadable, Unreadable) as error:
                log.error("market_frame_unreadable", symbol=symbol, kind=kind, error=str(error))
        for book in built.values():
            prices += self._told_by(book)
        return prices

    def _read(self, frame: Frame) -> list[Quote | Book]:
        if frame.stream.kind is Kind.BEST:
            return [wire.stream_quote(frame.data, now=frame.received_at)]
        symbol = frame.stream.symbol
        return self._told_by(wire.book(frame.data, symbol=symbol, now=frame.received_at))

    def _told_by(self, book: Book) -> list[Quote | Book]:
        best = self._newest.get((book.symbol, Kind.BEST), 0)
        is_newest = self._newest.get((book.symbol, Kind.DEPTH), 0) >= best
        quote = book.quote() if is_newest else None
        return [book, quote] if quote else [book]
