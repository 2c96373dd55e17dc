"""Positions, and whether they are protected."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.decorators import display

from audit import timeline
from audit.admin.facts import FactAdmin
from trading.models import Fill, Order, Position


@admin.register(Position)
class PositionAdmin(FactAdmin):
    change_form_template = "admin/trading/position/change_form.html"
    list_display = (
        "symbol",
        "account",
        "quantity",
        "average_entry_price",
        "stop_price",
        "target_price",
        "realised_pnl",
        "fees_quote",
        "protection",
        "updated_at",
    )
    list_select_related = ("account",)
    list_filter = ("is_open", "account")
    search_fields = ("symbol__exact",)
    search_help_text = "Symbol, exactly"
    ordering = ("-is_open", "symbol")
    fields = (
        ("symbol", "account", "is_open"),
        ("quantity", "average_entry_price", "realised_pnl", "fees_quote"),
        ("stop_price", "target_price", "naked_since"),
        ("alarm", "excess_sold", "excess_price"),
        ("opened_at", "closed_at", "updated_at"),
    )

    @display(
        description="protection",
        label={"protected": "success", "naked": "danger", "alarm": "danger"},
    )
    def protection(self, position: Position) -> str:
        if position.alarm or position.excess_sold:
            return "alarm"
        if not position.is_open:
            return "flat"
        if position.is_dust:
            return "dust"
        return "naked" if position.naked_since else "protected"

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        context = dict(extra_context or {})
        position = self.get_object(request, object_id)
        if position is not None:
            orders = Order.objects.filter(account=position.account, symbol=position.symbol)
            context["orders"] = list(orders.select_related("account").order_by("-id")[:20])
            context["fills"] = list(
                Fill.objects.filter(order__account=position.account, symbol=position.symbol)
                .select_related("order")
                .order_by("-id")[:50]
            )
            context["trail"] = timeline.of(("position", position.pk))
        response: HttpResponse = super().change_view(request, object_id, form_url, context)
        return response
