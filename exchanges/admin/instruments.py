"""Symbols as the venues describe them."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from exchanges.models import InstrumentRow
from foundation.admin.facts import FactAdmin, pretty


@admin.register(InstrumentRow)
class InstrumentAdmin(FactAdmin):
    list_display = (
        "symbol",
        "market",
        "environment",
        "base_asset",
        "quote_asset",
        "status",
        "loaded_at",
    )
    list_filter = ("environment", "market")
    search_fields = ("symbol__exact", "base_asset__exact")
    search_help_text = "Symbol or base asset, exactly"
    ordering = ("symbol", "environment")
    fields = (
        ("symbol", "exchange", "market", "environment"),
        ("base_asset", "quote_asset", "status"),
        "loaded_at",
        "exchange_info",
    )
    readonly_fields = ("exchange_info",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[InstrumentRow]:
        return super().get_queryset(request).defer("raw")

    @admin.display(description="exchangeInfo entry")
    def exchange_info(self, row: InstrumentRow) -> SafeString:
        return pretty(row.raw)
