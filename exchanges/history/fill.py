"""Fetching what is missing from a venue, page by page; what is stored is the progress.

Killed at any point, the next run finds what is stored and goes on behind it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils import timezone

from exchanges.domain.candles import length_ms, opened_at
from exchanges.history import gaps, store
from exchanges.history.gaps import Stretch
from exchanges.models import Series
from exchanges.venues.binance.market_history import MarketHistory


@dataclass(frozen=True, slots=True)
class Page:
    """One page that was fetched and stored; everything before `until_ms` is done."""

    until_ms: int
    found: int
    stored: int


def series(
    history: MarketHistory, one: Series, start_ms: int, end_ms: int, *, ask_for_outages: bool
) -> Iterator[Page]:
    """Fetch what is missing of candles that opened within [start_ms, end_ms), oldest first.

    What the venue has nothing of, though it has something later, is remembered as an outage;
    outages are asked for again when it is time, or at once when told to. VenueError may escape:
    what was stored until then stays.
    """
    end_ms = min(end_ms, opened_at(one.interval, history.now_ms()))
    wanted = gaps.within(one, start_ms, end_ms)
    if not ask_for_outages:
        wanted = gaps.without(wanted, gaps.at_rest(one, now=timezone.now()))
    for gap in wanted:
        yield from stretch(history, one, gap)
        _note_outages(one, gap)
    one.refresh_from_db()
    gaps.take_stock(one)


def stretch(history: MarketHistory, one: Series, gap: Stretch) -> Iterator[Page]:
    """Fetch one stretch and store it, a page at a time. VenueError may escape."""
    start_ms, end_ms = gap
    while start_ms < end_ms:
        candles = history.klines(one.symbol, one.interval, start_ms=start_ms, end_ms=end_ms)
        stored = store.store(
            venue=one.venue,
            symbol=one.symbol,
            interval=one.interval,
            rows=candles,
        )
        # An empty page means that the venue has nothing of all that is left.
        start_ms = candles[-1].opened_ms + length_ms(one.interval) if candles else end_ms
        yield Page(start_ms, len(candles), stored)


def _note_outages(one: Series, gap: Stretch) -> None:
    """Remember what of a stretch the venue did not have; not its end, which may come yet."""
    one.refresh_from_db()
    if one.last_ms is None:
        return
    holes = gaps.within(one, *gap)
    proven = [hole for hole in holes if hole[1] <= one.last_ms]
    gaps.remember(one, proven, now=timezone.now())
