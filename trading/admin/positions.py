"""Positions, and whether they are protected."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST
from unfold.decorators import display

from audit import timeline
from audit.admin.facts import FactAdmin
from audit.readable import number
from exchanges.domain.errors import VenueError
from trading.domain.figures import plain
from trading.models import Fill, Order, Position, PositionAdjustment
from trading.services import shortfalls


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

    def has_settle_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("trading.settle_shortfall"))

    def get_urls(self) -> list[URLPattern]:
        settle = self.admin_site.admin_view(require_POST(self.settle))
        mine = [path("<int:position_id>/settle/", settle, name="trading_position_settle")]
        return mine + list(super().get_urls())

    def settle(self, request: HttpRequest, position_id: int) -> HttpResponse:
        """Take the shortfall of a position off the books, with the reason of the form."""
        if not self.has_settle_permission(request):
            raise PermissionDenied
        position = get_object_or_404(Position, pk=position_id)
        actor, reason = request.user.get_username(), request.POST.get("reason", "")
        try:
            row = shortfalls.settle(position.pk, actor=actor, reason=reason)
        except shortfalls.Refused as error:
            messages.error(request, str(error))
        except VenueError as error:
            messages.error(request, f"Nothing was changed: the venue could not be asked ({error}).")
        else:
            messages.success(
                request,
                f"{plain(row.quantity)} {position.symbol} are off the books, at a cost of "
                f"{plain(row.cost)}. What is left is protected anew within a second.",
            )
        return redirect(reverse("admin:trading_position_change", args=(position_id,)))

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
            context["adjustments"] = list(position.adjustments.all()[:50])
            context["can_settle"] = self.has_settle_permission(request)
        response: HttpResponse = super().change_view(request, object_id, form_url, context)
        return response


@admin.register(PositionAdjustment)
class PositionAdjustmentAdmin(FactAdmin):
    """Shortfalls that were settled: what was taken off the books, by whom, and why."""

    list_display = ("at", "position", "quantity", "price", "cost_number", "reason", "actor")
    list_select_related = ("position",)
    search_fields = ("actor__exact",)
    search_help_text = "Who settled it, exactly"
    fields = (
        ("position", "after_fill"),
        ("quantity", "price", "cost_number"),
        "reason",
        ("actor", "at"),
    )
    readonly_fields = ("cost_number",)

    @admin.display(description="cost")
    def cost_number(self, row: PositionAdjustment) -> str:
        return number(row.cost)
