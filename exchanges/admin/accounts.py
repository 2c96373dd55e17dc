"""Venue accounts and what they hold: the venue's word, for reading."""

from __future__ import annotations

from django.contrib import admin

from exchanges.models import Balance, VenueAccount
from foundation.admin.facts import FactAdmin


@admin.register(VenueAccount)
class VenueAccountAdmin(FactAdmin):
    list_display = (
        "exchange",
        "market",
        "environment",
        "label",
        "can_trade",
        "maker_rate",
        "taker_rate",
        "balances_at",
        "stream_at",
    )
    list_filter = ("environment",)
    ordering = ("environment", "label")


@admin.register(Balance)
class BalanceAdmin(FactAdmin):
    list_display = ("asset", "free", "locked", "venue_account", "updated_at")
    list_select_related = ("venue_account",)
    list_filter = ("venue_account",)
    search_fields = ("asset__exact",)
    search_help_text = "Asset, exactly"
    ordering = ("venue_account", "asset")
