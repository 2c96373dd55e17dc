"""Scorecards in the admin: one page of cards, and the days they are made of."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone

from foundation.admin.facts import FactAdmin
from signals_app.models import ScoreDay, ScoreMark
from signals_app.selectors import scorecards

RANGES = (("today", 1), ("7 days", 7), ("30 days", 30), ("all", 0))
FIRST_DAYS = 7


@admin.register(ScoreDay)
class ScoreDayAdmin(FactAdmin):
    list_display = (
        "day",
        "environment",
        "strategy_id",
        "symbol",
        "approved",
        "rejected",
        "shadow",
        "trades",
        "wins",
        "losses",
        "profit",
        "fees",
    )
    list_filter = ("environment",)
    search_fields = ("strategy_id__exact", "symbol__exact")
    search_help_text = "Strategy or symbol, exactly"
    ordering = ("-day", "strategy_id", "symbol")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self._cards)
        return [path("cards/", view, name="scorecards"), *super().get_urls()]

    def _cards(self, request: HttpRequest) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        asked = request.GET.get("days", str(FIRST_DAYS))
        days = next((n for _, n in RANGES if str(n) == asked), FIRST_DAYS)
        today = timezone.localtime(timezone.now(), settings.DESK_TIMEZONE).date()
        since = today - timedelta(days=days - 1) if days else None
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": "Scorecards",
            "cards": scorecards.cards(since=since),
            "ranges": RANGES,
            "days": days,
            "since": since,
        }
        return TemplateResponse(request, "admin/scorecards.html", context)


@admin.register(ScoreMark)
class ScoreMarkAdmin(FactAdmin):
    """How far each source has been summed up."""

    list_display = ("source", "last_id", "last_at", "seen_id", "seen_at")
    ordering = ("source",)
