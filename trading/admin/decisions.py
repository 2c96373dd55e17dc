"""Decisions with every rule's word."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST
from unfold.decorators import display

from foundation.admin import periods
from foundation.admin.facts import FactAdmin
from trading.admin import what_if
from trading.admin.words import DECISION_COLOURS, spread_out
from trading.models import Decision, Fill, Order

HEAVY = ("intent", "verdicts", "plan", "arithmetic", "market")


@admin.register(Decision)
class DecisionAdmin(FactAdmin):
    change_form_template = "admin/trading/decision/change_form.html"
    list_display = (
        "decided_at",
        "strategy_id",
        "symbol",
        "kind",
        "word",
        "code",
        "message",
        "account",
        "environment",
    )
    list_select_related = ("account",)
    list_filter = (periods.by("decided_at"), "approved", "environment", "account")
    search_fields = ("intent_uid__exact", "strategy_id__exact", "symbol__exact", "code__exact")
    search_help_text = "Signal uid, strategy, symbol or code, exactly"

    @display(description="decision", label=DECISION_COLOURS)
    def word(self, decision: Decision) -> str:
        return "approved" if decision.approved else "denied"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Decision]:
        return super().get_queryset(request).defer(*HEAVY)

    def get_urls(self) -> list[URLPattern]:
        again = self.admin_site.admin_view(require_POST(what_if.again))
        mine = [path("<int:decision_id>/what-if/", again, name="trading_decision_what_if")]
        return mine + list(super().get_urls())

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        decision = self.get_object(request, object_id)
        story = told(decision) if decision is not None else {}
        context = {**(extra_context or {}), **story, "may_look": what_if.may_look(request)}
        response: HttpResponse = super().change_view(request, object_id, form_url, context)
        return response


def told(decision: Decision) -> dict[str, Any]:
    """Return a decision laid out for reading, with the orders that came of it."""
    orders = Order.objects.filter(decision=decision).select_related("account").order_by("pk")
    fills = Fill.objects.filter(order__decision=decision).select_related("order").order_by("pk")
    return {
        **spread_out(decision),
        "orders": list(orders),
        "fills_of_orders": list(fills),
    }
