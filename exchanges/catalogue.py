"""Instruments of every venue: loaded from it, kept in the database, parsed once a process."""

from __future__ import annotations

import time

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from exchanges.domain.instruments import Instrument
from exchanges.domain.venues import Venue
from exchanges.models import InstrumentRow
from exchanges.venues import registry

CACHE_SECONDS = 60.0
_cache: dict[tuple[Venue, str], tuple[float, Instrument]] = {}


def get(venue: Venue, symbol: str) -> Instrument | None:
    """Return the instrument, or None when the venue does not list it.

    The first question about a venue that was never loaded loads it; VenueError may escape then.
    """
    cached = _cache.get((venue, symbol))
    if cached is not None and cached[0] > time.monotonic():
        return cached[1]
    rows = _rows(venue)
    row = rows.filter(symbol=symbol).first()
    if row is None:
        if not rows.exists():
            refresh(venue)
        # Another process may have loaded them since the first look.
        row = rows.filter(symbol=symbol).first()
    if row is None:
        return None
    instrument = row.parsed()
    _cache[venue, symbol] = (time.monotonic() + CACHE_SECONDS, instrument)
    return instrument


def every(venue: Venue, *, quote_asset: str) -> list[Instrument]:
    """Return all instruments of a venue that are priced in one asset, by symbol.

    Loads a venue that was never loaded; VenueError may escape then.
    """
    rows = _rows(venue)
    if not rows.exists():
        refresh(venue)
    return [row.parsed() for row in rows.filter(quote_asset=quote_asset).order_by("symbol")]


def refresh(venue: Venue) -> int:
    """Load every symbol from the venue and return the count; what it dropped is marked DELISTED."""
    loaded = registry.for_venue(venue).instruments()
    now = timezone.now()
    rows = [
        InstrumentRow(
            exchange=venue.exchange,
            market=venue.market,
            environment=venue.environment,
            symbol=instrument.symbol,
            base_asset=instrument.base_asset,
            quote_asset=instrument.quote_asset,
            status=instrument.status,
            raw=raw,
            loaded_at=now,
        )
        for instrument, raw in loaded
    ]
    with transaction.atomic():
        InstrumentRow.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["exchange", "environment", "market", "symbol"],
            update_fields=["base_asset", "quote_asset", "status", "raw", "loaded_at"],
        )
        gone = _rows(venue).filter(loaded_at__lt=now)
        for row in gone.exclude(status="DELISTED"):
            row.raw["status"] = row.status = "DELISTED"
            row.save(update_fields=["status", "raw"])
    forget()
    return len(rows)


def _rows(venue: Venue) -> QuerySet[InstrumentRow]:
    return InstrumentRow.objects.filter(
        exchange=venue.exchange, market=venue.market, environment=venue.environment
    )


def forget() -> None:
    """Drop this process's parsed instruments."""
    _cache.clear()
