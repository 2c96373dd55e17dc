"""The kill switch: who may trade right now, and why not."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from trading.domain.risk.types import TradingMode


class TradingState(models.Model):
    """One standing order to be stricter, with its scope. Active while not released or expired."""

    class Scope(models.TextChoices):
        GLOBAL = "global", "Everything"
        VENUE = "venue", "One environment"
        ACCOUNT = "account", "One virtual account"
        STRATEGY = "strategy", "One strategy"
        SYMBOL = "symbol", "One symbol"

    scope = models.CharField(max_length=16, choices=Scope, default=Scope.GLOBAL)
    key = models.CharField(
        max_length=100, blank=True, default="", help_text="What the scope names; empty for global."
    )
    mode = models.CharField(
        max_length=16,
        choices=[
            (TradingMode.REDUCE_ONLY.value, "Reduce only"),
            (TradingMode.HALTED.value, "Halted"),
        ],
    )
    reason = models.CharField(max_length=500)
    engaged_by = models.CharField(max_length=150)
    engaged_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True, blank=True)
    released_by = models.CharField(max_length=150, blank=True, default="")
    released_at = models.DateTimeField(null=True, blank=True)
    release_reason = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        permissions = [
            ("engage_kill_switch", "Can stop trading"),
            ("release_kill_switch", "Can let trading go on"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["scope", "key", "mode"],
                condition=models.Q(released_at__isnull=True),
                name="one_active_state_per_scope",
            )
        ]

    def __str__(self) -> str:
        return f"{self.mode} {self.scope} {self.key}".strip()
