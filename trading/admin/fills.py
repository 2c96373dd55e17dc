"""Fills: one row per venue trade."""

from __future__ import annotations

from django.contrib import admin
from unfold.decorators import display

from foundation.admin import periods
from foundation.admin.facts import FactAdmin
from trading.admin.words import SIDE_COLOURS
from trading.models import Fill


@admin.register(Fill)
class FillAdmin(FactAdmin):
    list_display = (
        "traded_at",
        "symbol",
        "side_label",
        "quantity",
        "price",
        "quote_quantity",
        "commission",
        "commission_asset",
        "is_maker",
        "order",
    )
    list_select_related = ("order",)
    list_filter = (periods.by("recorded_at"), "is_maker")
    search_fields = ("order__client_order_id__exact", "venue_trade_id__exact")
    search_help_text = "Client order id or venue trade id, exactly"

    @display(description="side", label=SIDE_COLOURS)
    def side_label(self, fill: Fill) -> str:
        return str(fill.side)
