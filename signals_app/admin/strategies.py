"""How our own strategies run."""

from __future__ import annotations

from django.contrib import admin

from audit.admin.facts import FactAdmin
from signals_app.models import StrategySetting


@admin.register(StrategySetting)
class StrategySettingAdmin(FactAdmin):
    list_display = ("strategy_id", "mode", "symbols", "version", "changed_at", "changed_by")
    list_filter = ("mode",)
    search_fields = ("strategy_id__exact",)
    ordering = ("strategy_id",)
