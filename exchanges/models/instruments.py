"""Symbols a venue lists, as it last described them."""

from __future__ import annotations

from django.db import models

from exchanges.domain.instruments import Instrument, parse_spot
from exchanges.models.venues import AtVenue


class InstrumentRow(AtVenue):
    """One symbol of one venue; `raw` is its exchangeInfo entry."""

    symbol = models.CharField(max_length=32)
    base_asset = models.CharField(max_length=16)
    quote_asset = models.CharField(max_length=16)
    status = models.CharField(max_length=16)
    raw = models.JSONField()
    loaded_at = models.DateTimeField()

    class Meta:
        verbose_name = "instrument"
        constraints = [
            models.UniqueConstraint(
                fields=["exchange", "market", "environment", "symbol"], name="instrument_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.symbol} ({self.venue})"

    def parsed(self) -> Instrument:
        return parse_spot(self.raw)
