"""Closed trades in the admin: what was earned, after fees."""

from __future__ import annotations

from django.contrib import admin
from unfold.decorators import display

from foundation.admin.facts import FactAdmin
from trading.models import ClosedTrade

OUTCOME_COLOURS = {"win": "success", "loss": "danger", "breakeven": "info"}


@admin.register(ClosedTrade)
class ClosedTradeAdmin(FactAdmin):
    list_display = (
        "closed_at",
        "outcome_label",
        "symbol",
        "strategy_id",
        "account",
        "profit",
        "fees",
        "bought",
        "entry_price",
        "exit_price",
    )
    list_select_related = ("account",)
    list_filter = ("account",)
    search_fields = ("symbol__exact", "strategy_id__exact")
    search_help_text = "Symbol or strategy, exactly"
    fields = (
        ("account", "symbol", "strategy_id"),
        ("opened_at", "closed_at"),
        ("bought", "entry_price"),
        ("sold", "exit_price"),
        ("profit", "fees"),
    )

    @display(description="outcome", label=OUTCOME_COLOURS)
    def outcome_label(self, trade: ClosedTrade) -> str:
        return trade.outcome
