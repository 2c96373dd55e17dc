"""Which candle our technical strategies were run on last."""

from __future__ import annotations

from django.db import models

from exchanges.models.venues import AtVenue


class CandleRun(AtVenue):
    """One row for each symbol and interval: the newest candle that is done with, whoever ran it.

    A worker claims it for a few seconds, publishes, and only then moves `candle_ms` on: what a
    crash leaves half done is run again, and the bus knows the uids of what was said already.
    """

    class Outcome(models.TextChoices):
        STARTED = "started", "Started: the next candle is the first"
        RAN = "ran", "Ran"
        PARTLY = "partly", "Ran, some strategies had too few candles or a gap"
        LATE = "late", "Not run in time: no signal"

    symbol = models.CharField(max_length=32)
    interval = models.CharField(max_length=4)
    candle_ms = models.BigIntegerField(null=True, help_text="When the candle opened, epoch ms.")
    claimed_until = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=8, choices=Outcome, default=Outcome.STARTED)
    strategies = models.PositiveIntegerField(default=0, help_text="That could judge the candle.")
    signals = models.PositiveIntegerField(default=0, help_text="Said of this candle.")
    missed = models.PositiveBigIntegerField(default=0, help_text="Candles not run, in all.")
    note = models.TextField(default="", blank=True)
    ran_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("environment", "symbol", "interval")
        constraints = [
            models.UniqueConstraint(
                fields=("exchange", "market", "environment", "symbol", "interval"),
                name="one_run_per_series",
            )
        ]

    def __str__(self) -> str:
        return f"{self.symbol} {self.interval} ({self.venue})"
