"""Signals and their whole story; replaying one is a use-case with a permission of its own."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST
from kombu.exceptions import OperationalError
from unfold.decorators import display

from foundation.admin import periods
from foundation.admin.facts import FactAdmin
from signals_app import signal_timeline, tasks
from signals_app.models import Signal
from signals_app.services import intake
from trading.admin.decisions import told
from trading.admin.what_if import may_look

MOST_AT_ONCE = 20
STATUS_COLOURS = {
    "received": "info",
    "approved": "success",
    "denied": "warning",
    "rejected": "danger",
    "shadow": "info",
}
ACTION_COLOURS = {"buy": "success", "sell": "danger", "close": "info"}
HEAVY = (
    "raw",
    "draft",
    "decision__intent",
    "decision__verdicts",
    "decision__plan",
    "decision__arithmetic",
    "decision__market",
)


@admin.register(Signal)
class SignalAdmin(FactAdmin):
    change_form_template = "admin/signals_app/signal/change_form.html"
    list_display = (
        "received_at",
        "strategy_id",
        "symbol",
        "action_label",
        "confidence",
        "status_label",
        "code",
        "source",
        "uid",
    )
    list_display_links = ("received_at", "uid")
    list_select_related = ("decision",)
    list_filter = (periods.by("received_at"), "status", "source")
    search_fields = ("uid__exact", "strategy_id__exact", "symbol__exact", "correlation_id__exact")
    search_help_text = "Uid, strategy, symbol or correlation id, exactly"
    actions = ("replay_selected",)

    @display(description="action", label=ACTION_COLOURS)
    def action_label(self, signal: Signal) -> str:
        return str(signal.action)

    @display(description="outcome", label=STATUS_COLOURS)
    def status_label(self, signal: Signal) -> tuple[str, str]:
        word = "approved" if signal.status == Signal.Status.ROUTED else str(signal.status)
        return word, word

    @admin.display(description="code")
    def code(self, signal: Signal) -> str:
        decision = signal.decision
        return str((decision.code if decision else "") or signal.error_code)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Signal]:
        return super().get_queryset(request).defer(*HEAVY)

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("signals_app.replay"))

    @admin.action(description="Replay as new signals", permissions=["replay"])
    def replay_selected(self, request: HttpRequest, queryset: QuerySet[Signal]) -> None:
        for signal in queryset.order_by("pk")[:MOST_AT_ONCE]:
            self._replay(request, signal)

    def get_urls(self) -> list[URLPattern]:
        replay = self.admin_site.admin_view(require_POST(self.replay_one))
        mine = [path("<int:signal_id>/replay/", replay, name="signals_app_signal_replay")]
        return mine + list(super().get_urls())

    def replay_one(self, request: HttpRequest, signal_id: int) -> HttpResponse:
        if not self.has_replay_permission(request):
            raise PermissionDenied
        stored = self._replay(request, get_object_or_404(Signal, pk=signal_id))
        shown = signal_id if stored is None else stored.signal_id
        return redirect(reverse("admin:signals_app_signal_change", args=(shown,)))

    def _replay(self, request: HttpRequest, signal: Signal) -> intake.Stored | None:
        try:
            stored = intake.replay(signal, actor=request.user.get_username(), now=timezone.now())
        except intake.NotReplayable as error:
            messages.error(request, f"{signal.uid}: not replayed, {error}.")
            return None
        if stored.status != Signal.Status.RECEIVED:
            messages.warning(request, f"{signal.uid} is refused again: {stored.error}")
            return stored
        try:
            tasks.act_on.delay(stored.signal_id)
        except OperationalError:
            messages.warning(request, "Stored; the queue is away, the sweep will pick it up.")
        else:
            messages.success(request, f"{signal.uid} is replayed as {stored.uid}.")
        return stored

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        context = dict(extra_context or {})
        signal = self.get_object(request, object_id)
        if signal is not None:
            context["story"] = signal_timeline.of(signal)
            context["can_replay"] = self.has_replay_permission(request)
            context["may_look"] = may_look(request)
            if signal.decision is not None:
                context |= told(signal.decision)
        response: HttpResponse = super().change_view(request, object_id, form_url, context)
        return response
