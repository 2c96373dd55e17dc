"""Signals as strategies sent them: raw bytes, what we understood, and what became of them."""

from __future__ import annotations

from django.db import models

from foundation.fields import MoneyField
from trading.models import Decision


class Signal(models.Model):
    """One thing a strategy said. Stored before anything else happens."""

    class Status(models.TextChoices):
        RECEIVED = "received", "Received"
        ROUTED = "routed", "Approved"
        DENIED = "denied", "Denied by our rules"
        REJECTED = "rejected", "Not understood"
        SHADOW = "shadow", "Shadow: told, never traded"

    uid = models.CharField(max_length=64, unique=True)
    dedupe_key = models.CharField(max_length=200, null=True, unique=True)  # noqa: DJ001
    source = models.CharField(max_length=16)
    subject = models.CharField(max_length=100, blank=True, default="")
    status = models.CharField(max_length=16, choices=Status)
    strategy_id = models.CharField(max_length=100, blank=True, default="")
    symbol = models.CharField(max_length=32, blank=True, default="")
    action = models.CharField(max_length=16, blank=True, default="")
    confidence = MoneyField(null=True)
    draft = models.JSONField(null=True, help_text="The normalised payload.")
    raw = models.BinaryField(help_text="Bytes as received (the head of them when oversized).")
    raw_length = models.PositiveBigIntegerField()
    raw_sha256 = models.CharField(max_length=64)
    error_field = models.CharField(max_length=100, blank=True, default="")
    error_code = models.CharField(max_length=64, blank=True, default="")
    error_message = models.CharField(max_length=500, blank=True, default="")
    correlation_id = models.CharField(max_length=64)
    actor = models.CharField(max_length=150)
    emitted_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField()
    enqueued_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    decision = models.OneToOneField(
        Decision, null=True, on_delete=models.PROTECT, related_name="signal"
    )
    replay_of = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ("-id",)
        permissions = [("replay", "Can replay a signal")]
        indexes = [
            models.Index(
                fields=["received_at"],
                name="signal_waiting",
                condition=models.Q(status="received"),
            ),
            models.Index(fields=["strategy_id", "-id"], name="signal_strategy"),
            models.Index(
                fields=["strategy_id", "symbol", "action", "received_at"], name="signal_exits"
            ),
            models.Index(fields=["status", "-id"], name="signal_status"),
        ]

    def __str__(self) -> str:
        return f"{self.strategy_id or '?'} {self.action} {self.symbol} ({self.status})"
