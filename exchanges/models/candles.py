"""History of prices: what is kept of each symbol, candles, funding rates and trades.

Candles and trades are kept by the million: their rows are as narrow as they can be, are keyed by
what they are (no id, no second index) and are read and written by `exchanges.history`, never as
single objects. How their tables are made: `exchanges.history.tables`. Numbers are floats, as
`exchanges.domain.candles` explains; times are epoch milliseconds.
"""

from __future__ import annotations

from django.db import models

from exchanges.domain.candles import INTERVALS
from exchanges.models.venues import AtVenue


class Series(AtVenue):
    """One row of history: candles of one interval, funding rates, or trades of one symbol.

    `first_ms`, `last_ms` and `rows` are kept right by whoever stores, in the same transaction:
    lists and the gap job never count the rows themselves. Environments never mix: what the
    simulator made up is another series than what a venue told.
    """

    FUNDING = "funding"
    TRADES = "trades"

    id = models.AutoField(primary_key=True)  # four bytes of every candle's row and index entry
    symbol = models.CharField(max_length=32)
    interval = models.CharField(
        max_length=8,
        choices=[*((name, name) for name in INTERVALS), (FUNDING, FUNDING), (TRADES, TRADES)],
    )
    first_ms = models.BigIntegerField("first", null=True, help_text="When the oldest row opened.")
    last_ms = models.BigIntegerField("last", null=True, help_text="When the newest row opened.")
    rows = models.BigIntegerField(default=0, help_text="How many are stored.")
    absent = models.BigIntegerField(
        default=0, help_text="How many the venue itself does not have: the outages it had."
    )
    checked_at = models.DateTimeField(
        null=True, help_text="When the gap job last found it whole or repaired it."
    )
    trouble = models.CharField(
        max_length=200, blank=True, help_text="Why the last repair failed; empty when it worked."
    )

    class Meta:
        verbose_name = "price history"
        verbose_name_plural = "price histories"
        constraints = [
            models.UniqueConstraint(
                fields=["exchange", "market", "environment", "symbol", "interval"],
                name="series_once",
            )
        ]
        permissions = [("repair_series", "May have gaps of price history repaired now")]

    def __str__(self) -> str:
        return f"{self.symbol} {self.interval} ({self.venue})"


class CandleRow(models.Model):
    """One closed candle; partitioned by year on PostgreSQL."""

    pk = models.CompositePrimaryKey("series_id", "opened_ms")
    # No constraint: `store` makes the series first, and a look at it for each of a million rows
    # costs more than the row. No index: the primary key starts with it.
    series = models.ForeignKey(
        Series, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    opened_ms = models.BigIntegerField()
    open = models.FloatField()
    high = models.FloatField()
    low = models.FloatField()
    close = models.FloatField()
    volume = models.FloatField()
    quote_volume = models.FloatField()
    taker_volume = models.FloatField()
    taker_quote_volume = models.FloatField()
    trades = models.IntegerField()

    class Meta:
        verbose_name = "candle"
        db_table = "exchanges_candle"

    def __str__(self) -> str:
        return f"{self.series_id}@{self.opened_ms}"


class TradeRow(models.Model):
    """One aggregated trade (Binance's aggTrade); partitioned by month on PostgreSQL."""

    pk = models.CompositePrimaryKey("series_id", "at_ms", "trade_id")
    series = models.ForeignKey(
        Series, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    at_ms = models.BigIntegerField()
    trade_id = models.BigIntegerField(help_text="The venue's id of the aggregate.")
    price = models.FloatField()
    quantity = models.FloatField()
    trades = models.IntegerField(help_text="How many single trades it is made of.")
    buyer_is_maker = models.BooleanField()

    class Meta:
        verbose_name = "trade"
        db_table = "exchanges_trade"

    def __str__(self) -> str:
        return f"{self.series_id}#{self.trade_id}"


class FundingRate(models.Model):
    """What longs paid shorts at one moment, as a fraction of the notional (negative: received)."""

    series = models.ForeignKey(Series, models.PROTECT, related_name="+", db_index=False)
    funded_ms = models.BigIntegerField(help_text="May lie a few ms past the full hour.")
    rate = models.FloatField()
    mark_price = models.FloatField(null=True)
    kind = models.CharField(max_length=16, default="Regular", help_text="Regular or Special.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["series", "funded_ms"], name="funding_rate_once")
        ]

    def __str__(self) -> str:
        return f"{self.rate:+.6%}"


class Outage(models.Model):
    """A stretch [start_ms, end_ms) of which the venue has no candles, though it was asked."""

    series = models.ForeignKey(Series, models.PROTECT, related_name="outages")
    start_ms = models.BigIntegerField()
    end_ms = models.BigIntegerField()
    asked = models.PositiveIntegerField(default=1, help_text="How often the venue had nothing.")
    asked_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["series", "start_ms"], name="outage_once"),
            models.CheckConstraint(
                condition=models.Q(end_ms__gt=models.F("start_ms")), name="outage_has_a_length"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.series_id} {self.start_ms}-{self.end_ms}"
