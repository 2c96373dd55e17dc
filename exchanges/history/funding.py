"""Funding rates: fetched once, stored once, read by time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.db import transaction

from exchanges.domain.venues import Venue
from exchanges.history import series as histories
from exchanges.history.fill import Page
from exchanges.models import FundingRate, Series
from exchanges.venues.binance.kline_rows import Funding
from exchanges.venues.binance.market_history import FUNDINGS_PER_PAGE, MarketHistory


def store(*, venue: Venue, symbol: str, rows: Iterable[Funding]) -> int:
    """Write funding rates of a USD-M symbol; return how many were new. Twice is a no-op."""
    found = {row.funded_ms: row for row in rows}
    if not found:
        return 0
    one = histories.get(venue=venue, symbol=symbol, interval=Series.FUNDING)
    with transaction.atomic():
        histories.locked(one.pk)
        known = set(
            FundingRate.objects.filter(
                series=one, funded_ms__range=(min(found), max(found))
            ).values_list("funded_ms", flat=True)
        )
        FundingRate.objects.bulk_create(
            [
                FundingRate(
                    series=one,
                    funded_ms=row.funded_ms,
                    rate=row.rate,
                    mark_price=row.mark_price,
                    kind=row.kind,
                )
                for row in found.values()
            ],
            batch_size=1000,
            update_conflicts=True,
            unique_fields=["series", "funded_ms"],
            update_fields=["rate", "mark_price", "kind"],
        )
        new = len(found.keys() - known)
        if new:
            histories.grew(one.pk, first_ms=min(found), last_ms=max(found), new=new)
    return new


def load(
    *,
    venue: Venue,
    symbol: str,
    start_ms: int | None = None,
    end_ms: int | None = None,
    limit: int | None = None,
    newest: bool = False,
) -> list[Funding]:
    """Return funding rates of [start_ms, end_ms), oldest first; `limit` of the oldest or newest."""
    rows = FundingRate.objects.filter(
        **venue.columns("series__"),
        series__symbol=symbol,
        series__interval=Series.FUNDING,
    )
    if start_ms is not None:
        rows = rows.filter(funded_ms__gte=start_ms)
    if end_ms is not None:
        rows = rows.filter(funded_ms__lt=end_ms)
    values = rows.order_by("-funded_ms" if newest else "funded_ms").values_list(
        "funded_ms", "rate", "mark_price", "kind"
    )[:limit]
    found = [Funding._make(row) for row in values]
    return found[::-1] if newest else found


def fill(history: MarketHistory, symbol: str, start_ms: int, end_ms: int) -> Iterator[Page]:
    """Fetch and store the rates of [start_ms, end_ms), whatever is stored of them already.

    A page holds a thousand, most of a year, so that starting over costs next to nothing.
    VenueError may escape: what was stored until then stays.
    """
    while start_ms < end_ms:
        found = history.fundings(symbol, start_ms=start_ms, end_ms=end_ms)
        stored = store(venue=history.venue, symbol=symbol, rows=found)
        start_ms = found[-1].funded_ms + 1 if len(found) >= FUNDINGS_PER_PAGE else end_ms
        yield Page(start_ms, len(found), stored)
