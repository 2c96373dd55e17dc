"""What is missing of a series: looked for only when its figures say that something is.

A gap is a stretch [start, end) in ms of candles that are not stored. Gaps that the venue was asked
for and has nothing of are outages: kept, shown, and asked for again a few times only, ever later.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import connection

from exchanges.domain.candles import length_ms, opened_at
from exchanges.models import Outage, Series

Stretch = tuple[int, int]
ASK_AGAIN = (timedelta(hours=1), timedelta(days=1), timedelta(days=7))
"""An outage is asked for again so long after the last time; then no more."""

_HOLES = """
SELECT opened_ms, next_ms FROM (
  SELECT opened_ms, lead(opened_ms) OVER (ORDER BY opened_ms) AS next_ms
  FROM exchanges_candle WHERE series_id = %s AND opened_ms >= %s AND opened_ms <= %s
) AS pairs WHERE next_ms - opened_ms > %s ORDER BY opened_ms
"""


def expected(series: Series) -> int:
    """Return how many candles there would be from the first to the last without a gap."""
    if series.first_ms is None or series.last_ms is None:
        return 0
    return (series.last_ms - series.first_ms) // length_ms(series.interval) + 1


def missing(series: Series) -> int:
    """Return how many candles are missing between first and last, outages aside. No row is read."""
    return expected(series) - series.rows - series.absent


def inside(series: Series, start_ms: int | None = None, end_ms: int | None = None) -> list[Stretch]:
    """Find every gap between the first and the last candle (of [start_ms, end_ms))."""
    if series.first_ms is None or series.last_ms is None:
        return []
    length = length_ms(series.interval)
    first = max(series.first_ms, series.first_ms if start_ms is None else start_ms - length)
    last = min(series.last_ms, series.last_ms if end_ms is None else end_ms)
    with connection.cursor() as cursor:
        cursor.execute(_HOLES, [series.pk, first, last, length])
        found = cursor.fetchall()
    return [(int(before) + length, int(after)) for before, after in found]


def within(series: Series, start_ms: int, end_ms: int) -> list[Stretch]:
    """Return every stretch of [start_ms, end_ms) of which nothing is stored, oldest first."""
    start_ms, end_ms = _first_open(series.interval, start_ms), _first_open(series.interval, end_ms)
    if series.first_ms is None or series.last_ms is None:
        return [(start_ms, end_ms)] if start_ms < end_ms else []
    after = series.last_ms + length_ms(series.interval)
    found = [(start_ms, min(series.first_ms, end_ms))]
    found += [(max(a, start_ms), min(b, end_ms)) for a, b in inside(series, start_ms, end_ms)]
    found += [(max(after, start_ms), end_ms)]
    return [(a, b) for a, b in found if a < b]


def without(gaps: Iterable[Stretch], known: Sequence[Stretch]) -> list[Stretch]:
    """Return what is left of `gaps` when the `known` stretches are cut out."""
    left: list[Stretch] = []
    for gap in gaps:
        pieces = [gap]
        for a, b in known:
            pieces = [
                piece
                for start, end in pieces
                for piece in ((start, min(end, a)), (max(start, b), end))
                if piece[0] < piece[1]
            ]
        left += pieces
    return left


def at_rest(series: Series, *, now: datetime) -> list[Stretch]:
    """Return the outages that need not be asked for now."""
    return [
        (outage.start_ms, outage.end_ms)
        for outage in Outage.objects.filter(series=series)
        if outage.asked > len(ASK_AGAIN) or outage.asked_at + ASK_AGAIN[outage.asked - 1] > now
    ]


def asked_again(exchange: str, environment: str, *, now: datetime) -> set[int]:
    """Return the ids of the series that have an outage to ask for again now."""
    outages = Outage.objects.filter(
        series__exchange=exchange,
        series__environment=environment,
        asked__lte=len(ASK_AGAIN),
        asked_at__lte=now - ASK_AGAIN[0],
    )
    return {
        outage.series_id
        for outage in outages
        if outage.asked_at + ASK_AGAIN[outage.asked - 1] <= now
    }


def remember(series: Series, stretches: Iterable[Stretch], *, now: datetime) -> None:
    """Note that the venue has nothing of these stretches, once more."""
    for start_ms, end_ms in stretches:
        outage, is_new = Outage.objects.get_or_create(
            series=series, start_ms=start_ms, defaults={"end_ms": end_ms, "asked_at": now}
        )
        if not is_new:
            outage.end_ms, outage.asked_at, outage.asked = end_ms, now, outage.asked + 1
            outage.save(update_fields=["end_ms", "asked_at", "asked"])


def take_stock(series: Series) -> None:
    """Set right how many candles the venue does not have, by what is stored now.

    An outage that was filled after all (by an import, or by the venue) is forgotten.
    """
    holes = inside(series)
    kept: list[Stretch] = []
    for outage in Outage.objects.filter(series=series):
        stretch = (outage.start_ms, outage.end_ms)
        is_before = series.first_ms is not None and outage.end_ms <= series.first_ms
        if is_before or any(a < stretch[1] and stretch[0] < b for a, b in holes):
            kept.append(stretch)
        else:
            outage.delete()
    length = length_ms(series.interval)
    known = sum(b - a for a, b in holes) - sum(b - a for a, b in without(holes, kept))
    series.absent = known // length
    series.save(update_fields=["absent"])


def _first_open(interval: str, at_ms: int) -> int:
    """Return when the first candle opens that does not open before a moment."""
    opened = opened_at(interval, at_ms)
    return opened if opened == at_ms else opened + length_ms(interval)
