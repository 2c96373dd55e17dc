"""The audit trail: what happened, who did it, and to what. Rows are only ever added."""

from __future__ import annotations

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone


class Event(models.Model):
    """One fact, written in the same transaction as the change it tells of.

    Database triggers refuse UPDATE, DELETE and TRUNCATE (`audit.append_only`). Sealing by hash
    chain will live in a table of its own that points here, so this row never has to change.
    """

    at = models.DateTimeField(default=timezone.now, editable=False)
    kind = models.CharField(max_length=64, help_text="What happened, such as order.filled.")
    actor = models.CharField(max_length=150, help_text="Who or what did it.")
    correlation_id = models.CharField(max_length=64, blank=True, default="")
    signal_uid = models.CharField(max_length=64, blank=True, default="")
    environment = models.CharField(max_length=16, blank=True, default="")
    subject_type = models.CharField(max_length=32, blank=True, default="")
    subject_id = models.CharField(max_length=64, blank=True, default="")
    data = models.JSONField(default=dict, encoder=DjangoJSONEncoder)

    class Meta:
        ordering = ("-id",)
        indexes = [
            models.Index(fields=["signal_uid"], name="audit_event_signal"),
            models.Index(fields=["subject_type", "subject_id"], name="audit_event_subject"),
            models.Index(fields=["kind", "id"], name="audit_event_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject_type} {self.subject_id}".strip()
