"""Orders of ours that the books did not know, and what became of each."""

from __future__ import annotations

from django.contrib import admin

from foundation.admin import periods
from foundation.admin.facts import FactAdmin
from trading.models import UnknownOrder


@admin.register(UnknownOrder)
class UnknownOrderAdmin(FactAdmin):
    list_display = (
        "seen_at",
        "symbol",
        "client_order_id",
        "outcome",
        "order",
        "seen_by",
        "settled_at",
        "venue_account",
    )
    list_select_related = ("order", "venue_account")
    list_filter = (periods.by("seen_at"), "symbol")
    search_fields = ("client_order_id__exact",)
    search_help_text = "Client order id, exactly"
