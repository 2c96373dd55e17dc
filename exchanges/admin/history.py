"""History of prices: what is kept, how whole it is, and the chart of it."""

from __future__ import annotations

from django.contrib import admin

from audit.admin.facts import FactAdmin
from exchanges.models import FundingRate, Outage, Series


@admin.register(Series)
class SeriesAdmin(FactAdmin):
    list_display = ("symbol", "interval", "environment", "market", "rows", "checked_at")
    list_filter = ("environment", "market", "interval")
    search_fields = ("symbol__exact",)
    search_help_text = "Symbol, exactly"
    ordering = ("symbol", "environment", "market", "interval")


@admin.register(FundingRate)
class FundingRateAdmin(FactAdmin):
    list_display = ("series", "funded_ms", "rate", "mark_price", "kind")
    list_select_related = ("series",)


@admin.register(Outage)
class OutageAdmin(FactAdmin):
    list_display = ("series", "start_ms", "end_ms", "asked", "asked_at")
    list_select_related = ("series",)
