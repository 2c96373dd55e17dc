"""Verdicts on intents, with everything they were based on."""

from __future__ import annotations

from django.db import models

from trading.domain.intents import IntentKind
from trading.models.accounts import VirtualAccount


class Decision(models.Model):
    """Approved or denied, once per intent: `intent_uid` is what makes a second entry impossible."""

    intent_uid = models.CharField(max_length=64, unique=True)
    account = models.ForeignKey(VirtualAccount, on_delete=models.PROTECT, related_name="decisions")
    environment = models.CharField(max_length=16)
    strategy_id = models.CharField(max_length=100)
    symbol = models.CharField(max_length=32)
    kind = models.CharField(max_length=16)
    approved = models.BooleanField()
    code = models.CharField(max_length=64, blank=True, default="")
    message = models.CharField(max_length=500, blank=True, default="")
    intent = models.JSONField(help_text="The intent as decided.")
    verdicts = models.JSONField(help_text="Every rule with its inputs, limit and actual value.")
    plan = models.JSONField(null=True, help_text="The order as sized and quantised.")
    arithmetic = models.JSONField(default=dict, help_text="How size and levels came about.")
    market = models.JSONField(default=dict, help_text="Everything it was taken on, as seen.")
    correlation_id = models.CharField(max_length=64, blank=True, default="")
    actor = models.CharField(max_length=150)
    limits_version = models.PositiveIntegerField(
        default=0, help_text="The change of the limit book this decision was taken under."
    )
    decided_at = models.DateTimeField()

    class Meta:
        ordering = ("-id",)
        indexes = [
            models.Index(fields=["strategy_id", "-id"], name="decision_strategy"),
            models.Index(fields=["symbol", "-id"], name="decision_symbol"),
            models.Index(
                fields=["account", "decided_at", "strategy_id", "symbol"],
                name="decision_entries",
                condition=models.Q(approved=True, kind=IntentKind.OPEN_LONG.value),
            ),
        ]

    def __str__(self) -> str:
        return f"{'approved' if self.approved else self.code} {self.kind} {self.symbol}"
