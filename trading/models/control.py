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
            (TradingMode.CANCEL_OPEN.value, "Halted, resting entries cancelled"),
            (TradingMode.FLATTEN.value, "Halted, entries cancelled, positions sold"),
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


class StopReport(models.Model):
    """What a CANCEL_OPEN or FLATTEN came to: one per standing order, kept up while it stands.

    `planned` is what was to do when it began. `steps` holds what became of each order and each
    position by its key (`order 12`, `position 3`), later ones too: an entry that filled while it
    was cancelled leaves a position to close.
    """

    state = models.OneToOneField(TradingState, on_delete=models.PROTECT, related_name="report")
    asked_by = models.CharField(max_length=150)
    planned = models.JSONField()
    steps = models.JSONField(default=dict)
    started_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(
        null=True, help_text="When nothing was left to do, or the stop was released."
    )
    left = models.PositiveIntegerField(default=0, help_text="Orders and positions still to go.")
    ended = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"report of {self.state}"
