"""Orders and order lists; cancelling goes through the use-case."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST
from unfold.decorators import display

from audit import timeline
from exchanges.domain.errors import VenueError
from foundation.admin import periods
from foundation.admin.facts import FactAdmin
from foundation.readable import number
from trading import tasks
from trading.admin.words import ORDER_COLOURS, SIDE_COLOURS
from trading.domain.order_states import OrderStatus, is_final
from trading.models import Fill, Order, OrderList
from trading.services.execution import exits
from trading.services.orders import lifecycle

MOST_AT_ONCE = 50
ENDS_HERE = "The exit ends here: {} stay unsold and get their stop back."


@admin.register(Order)
class OrderAdmin(FactAdmin):
    change_form_template = "admin/trading/order/change_form.html"
    list_display = (
        "created_at",
        "symbol",
        "side_label",
        "role_label",
        "type",
        "quantity",
        "number_wanted",
        "number_average",
        "status_label",
        "account",
        "strategy_id",
        "client_order_id",
    )
    list_display_links = ("created_at", "client_order_id")
    list_select_related = ("account",)
    list_filter = (periods.by("created_at"), "status", "side", "role", "type", "account")
    search_fields = (
        "client_order_id__exact",
        "venue_order_id__exact",
        "signal_uid__exact",
        "strategy_id__exact",
        "symbol__exact",
    )
    search_help_text = "Client or venue order id, signal uid, strategy or symbol, exactly"
    actions = ("cancel_selected",)
    fields = (
        ("status", "symbol", "side", "type"),
        ("quantity", "executed_quantity", "booked_quantity", "number_average"),
        ("price", "stop_price", "stop_loss", "take_profit", "time_in_force"),
        ("stop_distance", "target_distance"),
        ("reference_price", "slippage_bps", "max_slippage_bps"),
        ("role", "account", "venue_account", "strategy_id"),
        ("client_order_id", "venue_order_id", "order_list"),
        ("continues", "attempt", "follow_up_at"),
        ("signal_uid", "correlation_id", "decision"),
        ("reason", "reason_code"),
        ("created_at", "submitted_at", "acknowledged_at", "closed_at"),
        ("cancel_requested_at", "adopted_at", "unknown_since", "checks", "next_check_at"),
    )
    readonly_fields = ("number_average",)

    @display(description="side", label=SIDE_COLOURS)
    def side_label(self, order: Order) -> str:
        return str(order.side)

    @admin.display(description="role")
    def role_label(self, order: Order) -> str:
        attempt = f", attempt {order.attempt}" if order.attempt else ""
        return f"{order.get_role_display()}{attempt}"

    @display(description="status", label=ORDER_COLOURS)
    def status_label(self, order: Order) -> str:
        return str(order.status)

    @admin.display(description="price (@ trigger)")
    def number_wanted(self, order: Order) -> str:
        trigger = f"@ {number(order.stop_price)}" if order.stop_price is not None else ""
        limit = number(order.price) if order.price is not None else ""
        return f"{limit} {trigger}".strip() or "market"

    @admin.display(description="average price")
    def number_average(self, order: Order) -> str:
        return number(order.average_price)

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("trading.cancel"))

    @admin.action(description="Cancel at the venue", permissions=["cancel"])
    def cancel_selected(self, request: HttpRequest, queryset: QuerySet[Order]) -> None:
        chosen = queryset.select_related("account", "venue_account", "order_list")
        for order in chosen[:MOST_AT_ONCE]:
            self._cancel(request, order)

    def get_urls(self) -> list[URLPattern]:
        cancel = self.admin_site.admin_view(require_POST(self.cancel_one))
        mine = [path("<int:order_id>/cancel/", cancel, name="trading_order_cancel")]
        return mine + list(super().get_urls())

    def cancel_one(self, request: HttpRequest, order_id: int) -> HttpResponse:
        if not self.has_cancel_permission(request):
            raise PermissionDenied
        rows = Order.objects.select_related("account", "venue_account", "order_list")
        self._cancel(request, get_object_or_404(rows, pk=order_id))
        return redirect(reverse("admin:trading_order_change", args=(order_id,)))

    def _cancel(self, request: HttpRequest, order: Order) -> None:
        name, actor = order.client_order_id, request.user.get_username()
        if is_final(OrderStatus(order.status)):
            self._give_up(request, order)
            return
        try:
            applied = lifecycle.cancel(order, actor=actor)
        except VenueError as error:
            messages.error(request, f"{name} was not cancelled: {error}")
            return
        for one in applied:
            if one.position_id is not None:
                tasks.want_protection(one.position_id)
        order.refresh_from_db(fields=["status", "booked_quantity"])
        said = f"{name} is {order.status} now."
        if order.continues_id and order.status in (OrderStatus.NOT_PLACED, OrderStatus.CANCELED):
            said += f" {ENDS_HERE.format(number(order.quantity - order.booked_quantity))}"
        messages.success(request, said)

    def _give_up(self, request: HttpRequest, order: Order) -> None:
        """Have an exit that ended short not go on; nothing else of an ended order can be ended."""
        name = order.client_order_id
        if exits.give_up(order, actor=request.user.get_username()):
            left = number(order.quantity - order.booked_quantity)
            messages.success(request, f"{name} goes on no more. {ENDS_HERE.format(left)}")
            return
        said = f"{name} is {order.status} already: nothing to cancel."
        if (successor := exits.carried_on_by(order)) is not None:
            said += f" {successor.client_order_id} sells what it left: cancel that one."
        messages.warning(request, said)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        context = dict(extra_context or {})
        order = self.get_object(request, object_id)
        if order is not None:
            rows = Fill.objects.filter(order=order).select_related("order")
            context["fills"] = list(rows.order_by("pk"))
            context["trail"] = timeline.of(("order", order.pk))
            may_cancel = self.has_cancel_permission(request)
            context["can_cancel"] = may_cancel and not is_final(OrderStatus(order.status))
            context["carried_on_by"] = exits.carried_on_by(order)
            context["waits_to_be_sent"] = order.status == OrderStatus.NEW and order.next_check_at
            context["can_give_up"] = may_cancel and order.follow_up_at is not None
        response: HttpResponse = super().change_view(request, object_id, form_url, context)
        return response


@admin.register(OrderList)
class OrderListAdmin(FactAdmin):
    list_display = ("created_at", "symbol", "kind", "list_client_order_id", "account")
    list_select_related = ("account",)
    list_filter = ("kind", "account")
    search_fields = ("list_client_order_id__exact", "venue_list_id__exact")
    search_help_text = "Client or venue list id, exactly"
