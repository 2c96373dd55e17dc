"""The columns that say which venue a row belongs to."""

from __future__ import annotations

from django.db import models

from exchanges.domain.venues import Environment, Exchange, Market, Venue, venue

NAMES = {Exchange.BINANCE: "Binance", Market.SPOT: "Spot", Market.USDM: "USD-M futures"}
EXCHANGES = [(one.value, NAMES[one]) for one in Exchange]
MARKETS = [(one.value, NAMES[one]) for one in Market]
ENVIRONMENTS = [(one.value, one.value.capitalize()) for one in Environment]


class AtVenue(models.Model):
    """A row of one venue."""

    exchange = models.CharField(max_length=16, choices=EXCHANGES, default=Exchange.BINANCE.value)
    market = models.CharField(max_length=16, choices=MARKETS, default=Market.SPOT.value)
    environment = models.CharField(max_length=16, choices=ENVIRONMENTS)

    class Meta:
        abstract = True

    @property
    def venue(self) -> Venue:
        return venue(self.environment, self.market, self.exchange)
