"""How each of our own strategies runs: off, in shadow or live, with which parameters."""

from __future__ import annotations

from django.db import models


class StrategySetting(models.Model):
    """One strategy of the catalogue. What is not said here holds as the catalogue says.

    Every change raises `version` and leaves an audit event with what was before.
    """

    class Mode(models.TextChoices):
        OFF = "off", "Off"
        SHADOW = "shadow", "Shadow: told, never traded"
        LIVE = "live", "Live"

    strategy_id = models.CharField(max_length=100, unique=True)
    mode = models.CharField(max_length=8, choices=Mode)
    symbols = models.JSONField(
        default=list, blank=True, help_text='A list such as ["BTCUSDT"]; empty: TRADING_SYMBOLS.'
    )
    timeframes = models.JSONField(
        default=list, blank=True, help_text="Technical strategies; empty: the strategy's own."
    )
    params = models.JSONField(
        default=dict, blank=True, help_text="Values that differ from the catalogue's."
    )
    version = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField()
    changed_by = models.CharField(max_length=150)

    class Meta:
        ordering = ("strategy_id",)

    def __str__(self) -> str:
        return f"{self.strategy_id} ({self.mode})"
