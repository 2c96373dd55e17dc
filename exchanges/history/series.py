"""The one row that stands for a history: found, made, locked and kept right."""

from __future__ import annotations

from django.db import connection, models, transaction
from django.db.models.functions import Coalesce, Greatest, Least

from exchanges.domain.candles import INTERVALS
from exchanges.domain.venues import Venue
from exchanges.models import Series


class UnknownSeries(ValueError):
    """Not the name of an interval; `field` says so."""

    def __init__(self, field: str, value: str, known: list[str]) -> None:
        self.field = field
        super().__init__(f"{field} {value!r} is unknown: use one of {', '.join(known)}")


def find(*, venue: Venue, symbol: str, interval: str) -> Series | None:
    """Return the series, or None when nothing of it was ever stored."""
    return Series.objects.filter(**venue.columns(), symbol=symbol, interval=interval).first()


def find_id(*, venue: Venue, symbol: str, interval: str) -> int | None:
    """Return the id alone, None when nothing of it was ever stored."""
    found = Series.objects.filter(**venue.columns(), symbol=symbol, interval=interval)
    return found.values_list("id", flat=True).first()


def find_span(*, venue: Venue, symbol: str, interval: str) -> tuple[int, int, int] | None:
    """Return id, first and last opening in ms; None when nothing of it is stored."""
    found = Series.objects.filter(
        **venue.columns(),
        symbol=symbol,
        interval=interval,
        last_ms__isnull=False,
    )
    span = found.values_list("id", "first_ms", "last_ms").first()
    if span is None or span[1] is None or span[2] is None:
        return None
    return span[0], span[1], span[2]


def get(*, venue: Venue, symbol: str, interval: str) -> Series:
    """Return the series, made when it is not there. Raise UnknownSeries."""
    _check(interval)
    found = find(venue=venue, symbol=symbol, interval=interval)
    if found is not None:
        return found
    return Series.objects.get_or_create(
        exchange=venue.exchange.value,
        market=venue.market.value,
        environment=venue.environment.value,
        symbol=symbol,
        interval=interval,
    )[0]


def locked(series_id: int) -> Series:
    """Return the series with its row locked, so that one writer at a time counts its rows."""
    return Series.objects.select_for_update().get(pk=series_id)


def grew(series_id: int, *, first_ms: int, last_ms: int, new: int) -> None:
    """Take into account `new` more rows within [first_ms, last_ms]."""
    Series.objects.filter(pk=series_id).update(
        first_ms=Least(Coalesce("first_ms", _long(first_ms)), _long(first_ms)),
        last_ms=Greatest(Coalesce("last_ms", _long(last_ms)), _long(last_ms)),
        rows=models.F("rows") + new,
    )


def recount(series_id: int) -> None:
    """Set first, last and count of a series of candles by its rows: somebody may have dropped some
    behind our back."""
    with transaction.atomic(), connection.cursor() as cursor:
        locked(series_id)
        cursor.execute(
            "SELECT min(opened_ms), max(opened_ms), count(*) FROM exchanges_candle"
            " WHERE series_id = %s",
            [series_id],
        )
        first_ms, last_ms, rows = cursor.fetchone()
        Series.objects.filter(pk=series_id).update(first_ms=first_ms, last_ms=last_ms, rows=rows)


def _long(value: int) -> models.Value:
    """Bind as eight bytes: left alone, Django binds four and the server takes what is left."""
    return models.Value(value, output_field=models.BigIntegerField())


def _check(interval: str) -> None:
    known = [*INTERVALS, Series.FUNDING, Series.TRADES]
    if interval not in known:
        raise UnknownSeries("interval", interval, known)
