"""The kill switch: adding a row makes trading stricter, releasing one needs a reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_POST
from unfold.decorators import display

from foundation.admin.facts import FactAdmin, pretty
from trading.admin.words import MODE_COLOURS
from trading.domain.risk.types import TradingMode
from trading.models import StopReport, TradingState
from trading.selectors import resting
from trading.services.control import circuit_breakers, kill_switch
from trading.services.execution import flatten

LEVELS_HELP = (
    "Under every level no new entry leaves from now on; exits and protection go on. Under the "
    "first two, entries that rest at the venue stay there and may fill. The last two act: see "
    "what they would do before you stop."
)
ACTS = tuple(mode.value for mode in kill_switch.ACTS)


class EngageForm(forms.ModelForm):
    class Meta:
        model = TradingState
        fields = ("mode", "scope", "key", "reason", "expires_at")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "mode" in self.fields:  # who opens this form in a hurry wants all of it stopped
            self.fields["mode"].initial = TradingMode.HALTED.value
            self.fields["mode"].help_text = LEVELS_HELP

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if scope := data.get("scope"):
            data["key"] = kill_switch.spelled(scope, data.get("key") or "")
            if fault := kill_switch.fault_of_key(scope, data["key"]):
                self.add_error("key", f"The key {fault}.")
        expires_at = data.get("expires_at")
        if expires_at is not None and expires_at <= timezone.now():
            self.add_error("expires_at", "This time has passed: it would stop nothing.")
        return data


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
        state = kill_switch.engage(
            actor=request.user.get_username(),
            reason=data["reason"],
            mode=TradingMode(data["mode"]),
            scope=data["scope"],
            key=data["key"],
            expires_at=data["expires_at"],
        )
        obj.pk = state.pk
        obj._state.adding = False

    def response_add(
        self, request: HttpRequest, obj: TradingState, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Show the report of a stop that acts: it grows while the page is reloaded."""
        if obj.mode in ACTS:
            messages.warning(request, "Trading is stopped. The report below shows what was done.")
            return redirect(reverse("admin:trading_tradingstate_change", args=(obj.pk,)))
        return super().response_add(request, obj, post_url_continue)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Keep what was filled in when the plan was asked for."""
        data: dict[str, Any] = super().get_changeform_initial_data(request)
        if "expires_at" in data:
            data["expires_at"] = parse_datetime(str(data["expires_at"]))
        return data

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        in_force = list(kill_switch.in_force(timezone.now()).order_by("engaged_at"))
        context = {
            **(extra_context or {}),
            "in_force": in_force,
            "resting": resting.in_words(resting.entries().count()) if in_force else "",
            "resting_url": f"{reverse('admin:trading_order_changelist')}?{resting.ADMIN_FILTER}"
            if request.user.has_perm("trading.view_order")
            else "",
            "can_engage": self.has_add_permission(request),
            "breakers": circuit_breakers.seen(),
        }
        response: TemplateResponse = super().changelist_view(request, context)
        return response

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if "_plan" in request.POST and self.has_add_permission(request):
            form = self.get_form(request)(request.POST)
            if form.is_valid():
                asked = {name: value for name, value in form.cleaned_data.items() if value}
                return redirect(f"{request.path}?{urlencode({**asked, 'plan': 1})}")
            # Not understood: the page says why, as it does when the stop itself is asked for.
        wish = request.GET
        context = {
            **(extra_context or {}),
            "plan": self._planned(wish) if "plan" in wish else None,
            "title": "Stop trading",
            "show_save_and_add_another": False,
            "show_save_and_continue": False,
        }
        response: HttpResponse = super().add_view(request, form_url, context)
        return response

    def _planned(self, wish: Mapping[str, str]) -> flatten.Plan | None:
        form = EngageForm({**dict(wish.items()), "reason": wish.get("reason") or "plan"})
        if not form.is_valid():
            return None
        asked = form.cleaned_data
        return flatten.plan(mode=TradingMode(asked["mode"]), scope=asked["scope"], key=asked["key"])

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        context = {
            **(extra_context or {}),
            "can_release": self.has_release_permission(request),
            **_report(object_id),
        }
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
        else:
            self._release(request, state_id, reason)
        return redirect(reverse("admin:trading_tradingstate_change", args=(state_id,)))

    def _release(self, request: HttpRequest, state_id: int, reason: str) -> None:
        outcome = kill_switch.release(
            state_id=state_id, actor=request.user.get_username(), reason=reason
        )
        if outcome.waits:
            words = "It is still stopped: another person must approve the release, under Approvals."
            messages.warning(request, words)
        elif outcome:
            messages.success(request, "Released. Trading may go on.")
        else:
            messages.warning(request, "It was released before.")


def _report(state_id: str) -> dict[str, Any]:
    """Lay the report of a stop out for reading; nothing when there is none."""
    report = (
        StopReport.objects.filter(state_id=int(state_id)).first() if state_id.isdigit() else None
    )
    if report is None:
        return {"report": None}
    return {
        "report": report,
        "report_counts": flatten.counts(report),
        "report_steps": flatten.lines(report),
    }


@admin.register(StopReport)
class StopReportAdmin(FactAdmin):
    """What each stop that acts has done; its lines stand on the page of the stop."""

    list_display = ("state", "asked_by", "started_at", "left", "ended", "finished_at")
    list_select_related = ("state",)
    search_fields = ("asked_by__exact",)
    search_help_text = "Who asked for it, exactly"
    fields = (
        ("state", "asked_by"),
        ("started_at", "updated_at", "finished_at"),
        ("left", "ended"),
        "planned_json",
        "steps_json",
    )
    readonly_fields = ("planned_json", "steps_json")

    @display(description="planned")
    def planned_json(self, report: StopReport) -> str:
        return pretty(report.planned)

    @display(description="steps")
    def steps_json(self, report: StopReport) -> str:
        return pretty(report.steps)
