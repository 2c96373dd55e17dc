"""Positions, and whether they are protected."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST
from unfold.decorators import display

from audit import timeline
from exchanges.domain.errors import VenueError
from foundation.admin.facts import FactAdmin
from foundation.readable import number
from trading.domain.figures import plain
from trading.models import Fill, Order, Position, PositionAdjustment
from trading.services.protection import shortfalls
from trading.services.reports import cover
from trading.services.reports.cover import State

COVER_COLOURS = {
    State.PROTECTED.value: "success",
    State.GUARDED.value: "info",
    State.PLACING.value: "warning",
    State.PARTLY.value: "danger",
    State.NAKED.value: "danger",
    State.NO_LEVEL.value: "warning",
    "shortfall": "danger",
    "alarm": "danger",
}
TONES = {"success": "good", "warning": "warn", "danger": "bad"}
STATE_TONES = {state: TONES.get(colour, "info") for state, colour in COVER_COLOURS.items()}


@admin.register(Position)
class PositionAdmin(FactAdmin):
    change_form_template = "admin/trading/position/change_form.html"
    list_display = (
        "symbol",
        "account",
        "quantity",
        "average_entry_price",
        "stop_price",
        "realised_pnl",
        "protection",
        "how",
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
        ("guarded_quantity", "shortfall", "refused_count", "refused_until"),
        ("gap_ms", "next_look_at"),
        ("alarm", "excess_sold", "excess_price"),
        ("opened_at", "closed_at", "updated_at"),
    )

    @display(description="protection", label=COVER_COLOURS)
    def protection(self, position: Position) -> str:
        return _state(position)

    @admin.display(description="how")
    def how(self, position: Position) -> str:
        lines = _cover(position).lines[:1] or ((position.alarm,) if position.alarm else ())
        return format_html('<span class="petrosa-sentence">{}</span>', " ".join(lines))

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """Ask how all rows of the page are protected at once."""
        changelist: ChangeList = super().get_changelist_instance(request)
        rows: list[Any] = list(changelist.result_list)
        covers = cover.of(rows)
        for row in rows:
            row.cover = covers[row.pk]
        changelist.result_list = rows
        return changelist

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
            context["cover"] = _cover(position)
            context["state"] = _state(position)
            context["state_tone"] = STATE_TONES.get(context["state"], "info")
            context["can_settle"] = self.has_settle_permission(request)
        response: HttpResponse = super().change_view(request, object_id, form_url, context)
        return response


def _cover(position: Position) -> cover.Cover:
    found = getattr(position, "cover", None)
    return found if found is not None else cover.of([position])[position.pk]


def _state(position: Position) -> str:
    if position.excess_sold or (position.alarm and not position.is_open):
        return "alarm"
    if position.shortfall:
        return "shortfall"
    state = _cover(position).state
    return "alarm" if position.alarm and state is State.PROTECTED else state.value


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
