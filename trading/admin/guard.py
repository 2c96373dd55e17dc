"""Who guards positions right now, and what others have resting where we need room."""

from __future__ import annotations

from django.contrib import admin
from django.utils import timezone
from unfold.decorators import display

from foundation.admin.facts import FactAdmin
from trading.models import ForeignConditionals, GuardLease


@admin.register(GuardLease)
class GuardLeaseAdmin(FactAdmin):
    """The process that holds stops the venue does not take; another takes over within 2 s."""

    list_display = ("name", "holder", "token", "expires_at", "state")
    fields = (("name", "holder", "token"), "expires_at")

    @display(description="state", label={"held": "success", "nobody": "danger"})
    def state(self, lease: GuardLease) -> str:
        is_held = lease.expires_at is not None and lease.expires_at > timezone.now()
        return "held" if is_held else "nobody"


@admin.register(ForeignConditionals)
class ForeignConditionalsAdmin(FactAdmin):
    """Conditional orders of others: they take places the venue gives out per symbol."""

    list_display = ("symbol", "venue_account", "count", "seen_at")
    list_select_related = ("venue_account",)
    search_fields = ("symbol__exact",)
    search_help_text = "Symbol, exactly"
