"""History of prices: what is kept, how whole it is, and the chart of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from exchanges.domain.candles import INTERVALS, length_ms
from exchanges.history import funding, gaps, repair, store
from exchanges.models import FundingRate, Outage, Series
from foundation.admin.facts import FactAdmin

MOST_AT_ONCE = 50
CANDLES_PER_PAGE = 1000
FORMAT = "%Y-%m-%d %H:%M"


def shown(ms: int | None) -> str:
    """Write a moment for people, in UTC."""
    return "–" if ms is None else datetime.fromtimestamp(ms / 1000, UTC).strftime(FORMAT)


@admin.register(Series)
class SeriesAdmin(FactAdmin):
    change_form_template = "admin/exchanges/series/change_form.html"
    list_display = (
        "symbol",
        "interval",
        "environment",
        "market",
        "first",
        "last",
        "rows",
        "missing",
        "absent",
        "checked_at",
        "trouble",
    )
    list_filter = ("environment", "market", "interval")
    search_fields = ("symbol__exact",)
    search_help_text = "Symbol, exactly"
    ordering = ("symbol", "environment", "market", "id")
    actions = ("repair_selected",)
    fields = (
        ("symbol", "interval", "exchange", "market", "environment"),
        ("first", "last", "rows"),
        ("missing", "absent", "checked_at"),
        "trouble",
    )
    readonly_fields = ("first", "last", "missing")

    @admin.display(description="first (UTC)")
    def first(self, one: Series) -> str:
        return shown(one.first_ms)

    @admin.display(description="last (UTC)")
    def last(self, one: Series) -> str:
        return shown(one.last_ms)

    @admin.display(description="missing")
    def missing(self, one: Series) -> str:
        return str(max(gaps.missing(one), 0)) if one.interval in INTERVALS else "–"

    def has_repair_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("exchanges.repair_series"))

    @admin.action(description="Repair now", permissions=["repair"])
    def repair_selected(self, request: HttpRequest, queryset: QuerySet[Series]) -> None:
        chosen = list(queryset.values_list("pk", flat=True)[:MOST_AT_ONCE])
        self._repair(request, chosen)

    def get_urls(self) -> list[URLPattern]:
        one_repaired = self.admin_site.admin_view(require_POST(self.repair_one))
        drawn = self.admin_site.admin_view(self.candles)
        mine = [
            path("<int:series_id>/repair/", one_repaired, name="exchanges_series_repair"),
            path("<int:series_id>/candles/", drawn, name="exchanges_series_candles"),
        ]
        return mine + list(super().get_urls())

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        one = Series.objects.filter(pk=object_id).first() if object_id.isdecimal() else None
        context = (extra_context or {}) | {
            "can_repair": self.has_repair_permission(request)
            and one is not None
            and one.interval in INTERVALS,
            "has_chart": one is not None and one.interval != Series.TRADES and one.rows > 0,
            "outages": self._outages(one) if one is not None else [],
        }
        return super().change_view(request, object_id, form_url, context)

    def repair_one(self, request: HttpRequest, series_id: int) -> HttpResponse:
        if not self.has_repair_permission(request):
            raise PermissionDenied
        self._repair(request, [get_object_or_404(Series, pk=series_id).pk])
        return redirect(reverse("admin:exchanges_series_change", args=(series_id,)))

    def candles(self, request: HttpRequest, series_id: int) -> HttpResponse:
        """Answer with what the chart draws: the newest rows before `before` (epoch ms)."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        one = get_object_or_404(Series, pk=series_id)
        before = request.GET.get("before", "")
        end_ms = int(before) if before.isascii() and before.isdigit() and len(before) < 15 else None
        drawn = _rates(one, end_ms) if one.interval == Series.FUNDING else _candles(one, end_ms)
        body = orjson.dumps(drawn, option=orjson.OPT_SERIALIZE_NUMPY)
        return HttpResponse(body, content_type="application/json")

    def _repair(self, request: HttpRequest, chosen: list[int]) -> None:
        count = repair.request(chosen, actor=request.user.get_username())
        if count:
            messages.success(request, f"{count} of {len(chosen)} will be repaired in a moment.")
        else:
            messages.warning(request, "Only candles are repaired: fetch the rest by `backfill`.")

    def _outages(self, one: Series) -> list[dict[str, Any]]:
        if one.interval not in INTERVALS:
            return []
        length = length_ms(one.interval)
        return [
            {
                "start": shown(outage.start_ms),
                "end": shown(outage.end_ms),
                "candles": (outage.end_ms - outage.start_ms) // length,
                "asked": outage.asked,
                "asked_at": outage.asked_at,
            }
            for outage in one.outages.order_by("-start_ms")[:50]
        ]


@admin.register(FundingRate)
class FundingRateAdmin(FactAdmin):
    list_display = ("funded", "symbol", "environment", "percent", "mark_price", "kind")
    list_select_related = ("series",)
    fields = (("funded", "symbol", "environment"), ("percent", "mark_price", "kind"))
    readonly_fields = ("funded", "symbol", "environment", "percent")

    @admin.display(description="funded at (UTC)")
    def funded(self, rate: FundingRate) -> str:
        return shown(rate.funded_ms)

    @admin.display
    def symbol(self, rate: FundingRate) -> str:
        return rate.series.symbol

    @admin.display
    def environment(self, rate: FundingRate) -> str:
        return rate.series.environment

    @admin.display(description="rate")
    def percent(self, rate: FundingRate) -> str:
        return f"{rate.rate * 100:+.4f} %"


@admin.register(Outage)
class OutageAdmin(FactAdmin):
    list_display = ("series", "start", "end", "asked", "asked_at")
    list_select_related = ("series",)
    fields = ("series", ("start", "end"), ("asked", "asked_at"))
    readonly_fields = ("start", "end")

    @admin.display(description="from (UTC)")
    def start(self, outage: Outage) -> str:
        return shown(outage.start_ms)

    @admin.display(description="to (UTC)")
    def end(self, outage: Outage) -> str:
        return shown(outage.end_ms)


def _candles(one: Series, end_ms: int | None) -> dict[str, Any]:
    if one.interval not in INTERVALS:
        return {"kind": "none"}
    found = store.load(
        venue=one.venue,
        symbol=one.symbol,
        interval=one.interval,
        end_ms=end_ms,
        last=CANDLES_PER_PAGE,
    )
    columns = ("opened_ms", "open", "high", "low", "close", "volume")
    return {"kind": "candles"} | {name: getattr(found, name) for name in columns}


def _rates(one: Series, end_ms: int | None) -> dict[str, Any]:
    found = funding.load(
        venue=one.venue,
        symbol=one.symbol,
        end_ms=end_ms,
        limit=CANDLES_PER_PAGE,
        newest=True,
    )
    return {
        "kind": "funding",
        "opened_ms": [row.funded_ms for row in found],
        "rate": [row.rate for row in found],
    }
