"""Which candles our technical strategies were run on."""

from __future__ import annotations

from datetime import UTC, datetime

from django.contrib import admin

from foundation.admin.facts import FactAdmin
from signals_app.models import CandleRun


@admin.register(CandleRun)
class CandleRunAdmin(FactAdmin):
    list_display = (
        "symbol",
        "interval",
        "candle",
        "outcome",
        "strategies",
        "signals",
        "missed",
        "ran_at",
        "environment",
    )
    list_filter = ("outcome", "interval", "environment")
    search_fields = ("symbol__exact",)
    ordering = ("symbol", "interval", "id")

    @admin.display(description="candle opened")
    def candle(self, row: CandleRun) -> datetime | None:
        return None if row.candle_ms is None else datetime.fromtimestamp(row.candle_ms / 1000, UTC)
