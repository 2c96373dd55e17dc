"""What each strategy's signals came to, summed up by day, so that nobody has to read all rows."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import models

from foundation.fields import MoneyField

BEYOND = "more"  # counted under it: slower than the slowest bound


def bounds(counted: Iterable[str]) -> list[str]:
    """Return bounds in order, the open one last."""
    return sorted(counted, key=lambda word: (word == BEYOND, 0 if word == BEYOND else int(word)))


class ScoreDay(models.Model):
    """One day of the desk's clock, one environment, strategy and symbol. Money is quote units.

    Each thing counts on the day it happened: a decision when it was taken, an order when it ended,
    a trade when it was closed. `environment` is empty for what never came to a decision.
    """

    day = models.DateField()
    environment = models.CharField(max_length=16, blank=True, default="")
    strategy_id = models.CharField(max_length=100, blank=True, default="")
    symbol = models.CharField(max_length=32, blank=True, default="")
    rejected = models.PositiveIntegerField(default=0, help_text="Not understood.")
    shadow = models.PositiveIntegerField(default=0, help_text="Told in shadow.")
    approved = models.PositiveIntegerField(default=0)
    denied = models.JSONField(default=dict, help_text="How many by code.")
    decided_ms = models.PositiveBigIntegerField(
        default=0, help_text="From receipt to decision, summed up."
    )
    orders = models.PositiveIntegerField(default=0, help_text="Orders of its signals with fills.")
    slippage_bps = MoneyField(default=0, help_text="Summed up over those orders.")
    worst_slippage_bps = MoneyField(null=True)
    acknowledged = models.JSONField(
        default=dict, help_text="Orders by ms from receipt to the venue's answer: upper bounds."
    )
    trades = models.PositiveIntegerField(default=0)
    wins = models.PositiveIntegerField(default=0)
    losses = models.PositiveIntegerField(default=0)
    profit = MoneyField(default=0, help_text="Net of fees.")
    gross_profit = MoneyField(default=0)
    gross_loss = MoneyField(default=0, help_text="Positive.")
    fees = MoneyField(default=0)

    class Meta:
        ordering = ("-day", "strategy_id", "symbol")
        constraints = [
            models.UniqueConstraint(
                fields=["day", "environment", "strategy_id", "symbol"], name="score_day_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.strategy_id} {self.symbol} {self.day}"


class ScoreMark(models.Model):
    """How far a source has been summed up: everything up to `last_id` (or `last_at`) is in.

    `seen_id` was the newest row at `seen_at`: what it had before it is settled some time later.
    """

    source = models.CharField(max_length=16, unique=True)
    last_id = models.BigIntegerField(default=0)
    last_at = models.DateTimeField(null=True)
    seen_id = models.BigIntegerField(default=0)
    seen_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.source} up to {self.last_at or self.last_id}"
