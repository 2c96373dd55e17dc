"""Whole books kept in step with the diff streams, for as long as those are subscribed.

Snapshots are fetched one at a time with a rest between two of them: a thousand levels cost a
fiftieth of a minute's weight. A book that is out of step is shown to nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress

import msgspec
import structlog

from exchanges.domain.books import Book
from exchanges.domain.errors import VenueError
from exchanges.domain.order_book import Change, Step, SyncedBook
from exchanges.domain.venues import Venue
from exchanges.market_data.frames import Frame
from exchanges.venues.binance import market_history
from foundation import metrics

log = structlog.get_logger(__name__)
LEVELS_SHOWN = 20
REST_SECONDS = 0.5
BROKEN_SECONDS = 5.0


class _Diff(msgspec.Struct):
    first: int = msgspec.field(name="U")
    last: int = msgspec.field(name="u")
    bids: list[tuple[str, str]] = msgspec.field(name="b")
    asks: list[tuple[str, str]] = msgspec.field(name="a")
    previous: int | None = msgspec.field(default=None, name="pu")


read_diff = msgspec.json.Decoder(_Diff).decode


class SyncedBooks:
    """Takes diff frames, shows books. `show` gets the top of a book and its number."""

    def __init__(
        self,
        *,
        venue: Venue,
        show: Callable[[Book, int], None],
    ) -> None:
        self._venue = venue
        self._show = show
        self._books: dict[str, SyncedBook] = {}
        self._reasons: dict[str, str] = {}
        self._fetching: asyncio.Task[None] | None = None

    def keep(self, symbols: Iterable[str]) -> None:
        """Keep the books of these symbols and of no others."""
        wanted = set(symbols)
        self._books = {s: b for s, b in self._books.items() if s in wanted}
        for symbol in wanted - set(self._books):
            self._books[symbol] = SyncedBook()
            self._reasons[symbol] = "first"

    def out_of_step(self) -> list[str]:
        return sorted(s for s, book in self._books.items() if not book.is_in_step)

    def take(self, frame: Frame) -> None:
        """Take one diff frame; show the book when it is in step."""
        symbol = frame.stream.symbol
        synced = self._books.get(symbol)
        if synced is None:
            return
        try:
            diff = read_diff(frame.raw)
        except msgspec.MsgspecError as error:
            self._broken(symbol, synced, str(error))
            return
        change = Change(diff.first, diff.last, diff.previous, diff.bids, diff.asks)
        step = synced.change(change)
        if step is Step.GAP:
            self._reasons[symbol] = "gap"
            log.warning("market_book_gap", symbol=symbol, have=synced.last_id, got=diff.first)
        if not synced.is_in_step:
            self._fetch_soon()
        elif synced.book.is_sane:
            bids, asks = synced.book.top(LEVELS_SHOWN)
            book = Book(symbol, bids, asks, frame.received_at, frame.event_at)
            self._show(book, synced.last_id)
        else:
            self._broken(symbol, synced, "bids and asks cross")

    def _broken(self, symbol: str, synced: SyncedBook, why: str) -> None:
        log.error("market_book_broken", symbol=symbol, error=why)
        self._reasons[symbol] = "broken"
        synced.restart()

    def _fetch_soon(self) -> None:
        if self._fetching is None or self._fetching.done():
            self._fetching = asyncio.create_task(self._fetch(), name="book snapshots")

    async def _fetch(self) -> None:
        """Bring every book into step, one after the other."""
        while behind := self.out_of_step():
            for symbol in behind:
                wait = REST_SECONDS
                try:
                    await self._bring_into_step(symbol)
                except VenueError as error:
                    log.warning("market_snapshot_missing", symbol=symbol, error=str(error))
                    wait = max(BROKEN_SECONDS, getattr(error, "retry_after", 0.0))
                await asyncio.sleep(wait)

    async def _bring_into_step(self, symbol: str) -> None:
        # In a thread, which has a gateway of its own: the weight comes off the venue's budget.
        snapshot = await asyncio.to_thread(
            lambda: market_history.for_venue(self._venue).depth(symbol)
        )
        synced = self._books.get(symbol)
        if synced is None or synced.is_in_step:
            return
        step = synced.snapshot(snapshot.last_id, snapshot.bids, snapshot.asks)
        if step is Step.APPLIED:
            reason = self._reasons.get(symbol, "first")
            metrics.MARKET_RESYNCS.labels(*self._venue.labels, reason).inc()
            log.info("market_book_in_step", symbol=symbol, reason=reason, last=synced.last_id)

    async def close(self) -> None:
        if self._fetching is not None:
            self._fetching.cancel()
            with suppress(asyncio.CancelledError):
                await self._fetching
