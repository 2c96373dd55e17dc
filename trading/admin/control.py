"""The kill switch: adding a row makes trading stricter, releasing one needs a reason."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST
from unfold.decorators import display

from audit.admin.facts import FactAdmin
from exchanges.models import Environment
from trading.admin.words import MODE_COLOURS
from trading.domain.risk.types import TradingMode
from trading.models import TradingState, VirtualAccount
from trading.selectors import resting
from trading.services import control

STAYS = (
    "No new entry leaves from now on; exits and protection go on. Entries that rest at the venue "
    "stay there and may fill: cancel them in the list of orders."
)


class EngageForm(forms.ModelForm):
    class Meta:
        model = TradingState
        fields = ("mode", "scope", "key", "reason", "expires_at")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "mode" in self.fields:  # who opens this form in a hurry wants all of it stopped
            self.fields["mode"].initial = TradingMode.HALTED.value
            self.fields["mode"].help_text = STAYS

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        scope, key = data.get("scope"), (data.get("key") or "").strip()
        if scope == TradingState.Scope.SYMBOL:
            key = key.upper()
        data["key"] = key
        if scope == TradingState.Scope.GLOBAL and key:
            self.add_error("key", "Everything has no key: leave it empty.")
        elif scope and scope != TradingState.Scope.GLOBAL and not key:
            self.add_error("key", "Name what the scope is about.")
        elif scope == TradingState.Scope.VENUE and key not in Environment.values:
            self.add_error("key", f"Choose one of {', '.join(Environment.values)}.")
        elif scope == TradingState.Scope.ACCOUNT and not self._is_account(key):
            self.add_error("key", "There is no virtual account of this name.")
        expires_at = data.get("expires_at")
        if expires_at is not None and expires_at <= timezone.now():
            self.add_error("expires_at", "This time has passed: it would stop nothing.")
        return data

    def _is_account(self, name: str) -> bool:
        return VirtualAccount.objects.filter(name=name).exists()


@admin.register(TradingState)
class TradingStateAdmin(FactAdmin):
    change_form_template = "admin/trading/tradingstate/change_form.html"
    form = EngageForm
    list_display = (
        "mode_label",
        "scope",
        "key",
        "reason",
        "engaged_by",
        "engaged_at",
        "expires_at",
        "standing",
    )
    list_filter = ("mode", "scope")
    search_fields = ("key__exact", "engaged_by__exact")
    search_help_text = "Key or who engaged it, exactly"
    list_before_template = "admin/trading/tradingstate/in_force.html"  # type: ignore[assignment]
    compressed_fields = False
    add_fields = (("mode", "scope", "key"), ("reason", "expires_at"))
    fields = (
        ("mode", "scope", "key"),
        "reason",
        ("engaged_by", "engaged_at", "expires_at"),
        ("released_by", "released_at"),
        "release_reason",
    )

    @display(description="mode", label=MODE_COLOURS)
    def mode_label(self, state: TradingState) -> str:
        return str(state.mode)

    @display(description="state", label={"in force": "danger", "released": "success"})
    def standing(self, state: TradingState) -> str:
        if state.released_at:
            return "released"
        if state.expires_at and state.expires_at <= timezone.now():
            return "expired"
        return "in force"

    def get_fields(self, request: HttpRequest, obj: TradingState | None = None) -> Any:
        return self.add_fields if obj is None else super().get_fields(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("trading.engage_kill_switch"))

    def has_release_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("trading.release_kill_switch"))

    def has_view_permission(self, request: HttpRequest, obj: TradingState | None = None) -> bool:
        return (
            bool(super().has_view_permission(request, obj))
            or self.has_add_permission(request)
            or self.has_release_permission(request)
        )

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(super().has_module_permission(request)) or self.has_view_permission(request)

    def save_model(
        self,
        request: HttpRequest,
        obj: Any,
        form: Any,
        change: bool,  # noqa: ARG002
    ) -> None:
        data = form.cleaned_data
        state = control.engage(
            actor=request.user.get_username(),
            reason=data["reason"],
            mode=TradingMode(data["mode"]),
            scope=data["scope"],
            key=data["key"],
            expires_at=data["expires_at"],
        )
        obj.pk = state.pk
        obj._state.adding = False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        in_force = list(control.in_force(timezone.now()).order_by("engaged_at"))
        context = {
            **(extra_context or {}),
            "in_force": in_force,
            "resting": resting.in_words(resting.entries().count()) if in_force else "",
            "resting_url": f"{reverse('admin:trading_order_changelist')}?{resting.ADMIN_FILTER}"
            if request.user.has_perm("trading.view_order")
            else "",
            "can_engage": self.has_add_permission(request),
        }
        response: TemplateResponse = super().changelist_view(request, context)
        return response

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        context = {
            **(extra_context or {}),
            "title": "Stop trading",
            "show_save_and_add_another": False,
            "show_save_and_continue": False,
        }
        response: HttpResponse = super().add_view(request, form_url, context)
        return response

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        context = {**(extra_context or {}), "can_release": self.has_release_permission(request)}
        response: HttpResponse = super().change_view(request, object_id, form_url, context)
        return response

    def get_urls(self) -> list[URLPattern]:
        release = self.admin_site.admin_view(require_POST(self.release))
        mine = [path("<int:state_id>/release/", release, name="trading_tradingstate_release")]
        return mine + list(super().get_urls())

    def release(self, request: HttpRequest, state_id: int) -> HttpResponse:
        """Let trading go on, with the reason of the form."""
        if not self.has_release_permission(request):
            raise PermissionDenied
        reason = request.POST.get("reason", "").strip()[:500]
        if not reason:
            messages.error(request, "Write why trading may go on: nothing was released.")
        elif control.release(state_id=state_id, actor=request.user.get_username(), reason=reason):
            messages.success(request, "Released. Trading may go on.")
        else:
            messages.warning(request, "It was released before.")
        return redirect(reverse("admin:trading_tradingstate_change", args=(state_id,)))
