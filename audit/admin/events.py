"""The audit trail, as it was written."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString

from audit.models import Event
from foundation.admin import periods
from foundation.admin.facts import FactAdmin, pretty


@admin.register(Event)
class EventAdmin(FactAdmin):
    list_display = (
        "at",
        "kind",
        "actor",
        "subject_type",
        "subject_id",
        "signal_uid",
        "environment",
    )
    list_filter = (periods.by("at"),)
    search_fields = ("signal_uid__exact", "kind__exact", "subject_id__exact")
    search_help_text = "Signal uid, kind or subject id, exactly"
    fields = (
        ("at", "kind", "actor"),
        ("subject_type", "subject_id", "environment"),
        ("signal_uid", "correlation_id"),
        "details",
    )
    readonly_fields = ("details",)

    @admin.display(description="data")
    def details(self, event: Event) -> SafeString:
        return pretty(event.data)
