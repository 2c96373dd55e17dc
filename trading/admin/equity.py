"""What accounts are worth in the admin: snapshots, money moved, losing streaks and their pauses."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST
from unfold.decorators import display

from foundation.admin.facts import FactAdmin
from trading.models import CapitalMove, EquityCourse, EquitySnapshot, LossStreak
from trading.services.money import ledger
from trading.services.risk import cooldowns


class MoveForm(forms.ModelForm):
    """Money to put in or take out."""

    class Meta:
        model = CapitalMove
        fields = ("account", "amount", "reason")


@admin.register(CapitalMove)
class CapitalMoveAdmin(FactAdmin):
    """Adding a row moves money; the first one gives the account a ledger of its own."""

    form = MoveForm
    list_display = ("moved_at", "account", "amount", "cash", "reason", "moved_by")
    list_select_related = ("account",)
    list_filter = ("account",)
    search_fields = ("moved_by__exact",)
    search_help_text = "Who moved it, exactly"
    compressed_fields = False
    add_fields = (("account", "amount"), "reason")
    fields = (("account", "amount"), ("capital", "cash"), "reason", ("moved_by", "moved_at"))

    def get_fields(self, request: HttpRequest, obj: CapitalMove | None = None) -> Any:
        return self.add_fields if obj is None else super().get_fields(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("trading.move_capital"))

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        context = {
            **(extra_context or {}),
            "title": "Move money",
            "show_save_and_add_another": False,
            "show_save_and_continue": False,
        }
        try:
            response: HttpResponse = super().add_view(request, form_url, context)
        except ValidationError as error:
            words = (said for some in error.message_dict.values() for said in some)
            messages.error(request, f"{' '.join(words)} Nothing was moved.")
            return redirect(request.path)
        return response

    def save_model(
        self,
        request: HttpRequest,
        obj: Any,
        form: Any,
        change: bool,  # noqa: ARG002
    ) -> None:
        data = form.cleaned_data
        made = ledger.move(
            data["account"].pk,
            data["amount"],
            actor=request.user.get_username(),
            reason=data["reason"],
        )
        for column in made._meta.concrete_fields:
            setattr(obj, column.attname, getattr(made, column.attname))
        obj._state.adding = False


@admin.register(EquitySnapshot)
class EquitySnapshotAdmin(FactAdmin):
    list_display = (
        "seen_at",
        "account",
        "equity",
        "cash",
        "realised",
        "unrealised",
        "fees",
        "high_water",
        "drawdown_pct",
    )
    list_select_related = ("account",)
    list_filter = ("account",)
    fields = (
        ("account", "seen_at"),
        ("equity", "cash"),
        ("realised", "unrealised", "fees"),
        ("high_water", "drawdown_pct"),
    )


@admin.register(EquityCourse)
class EquityCourseAdmin(FactAdmin):
    """The latest look at each account, and what its losses are measured from."""

    list_display = (
        "account",
        "seen_at",
        "base",
        "profit",
        "day_profit",
        "week_profit",
        "high_profit",
    )
    list_select_related = ("account",)
    fields = (
        ("account", "seen_at"),
        ("base", "profit"),
        ("day", "day_profit"),
        ("week", "week_profit"),
        ("high_profit", "high_at"),
        "steps",
    )


@admin.register(LossStreak)
class LossStreakAdmin(FactAdmin):
    """Losing trades in a row; a pause that runs is ended early with a reason."""

    change_form_template = "admin/trading/lossstreak/change_form.html"
    list_display = ("place", "account", "losses", "left", "cooldown_until", "changed_at")
    list_select_related = ("account",)
    list_filter = ("account", "scope")
    search_fields = ("key__exact",)
    search_help_text = "Strategy or symbol, exactly"
    fields = (
        ("account", "scope", "key"),
        ("losses", "cooldown_losses"),
        ("cooldown_until", "changed_at"),
        ("released_by", "released_at"),
        "release_reason",
    )

    @display(description="losing streak of")
    def place(self, streak: LossStreak) -> str:
        return str(streak)

    @display(description="pause", label={"none": "success"})
    def left(self, streak: LossStreak) -> str:
        seconds = _seconds_left(streak)
        return f"another {seconds // 60}:{seconds % 60:02d} min" if seconds else "none"

    def has_release_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("trading.release_cooldown"))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        streak = LossStreak.objects.filter(pk=object_id).first() if object_id.isdigit() else None
        context = {
            **(extra_context or {}),
            "seconds_left": _seconds_left(streak) if streak else 0,
            "can_release": self.has_release_permission(request),
        }
        response: HttpResponse = super().change_view(request, object_id, form_url, context)
        return response

    def get_urls(self) -> list[URLPattern]:
        release = self.admin_site.admin_view(require_POST(self.release))
        mine = [path("<int:streak_id>/release/", release, name="trading_lossstreak_release")]
        return mine + list(super().get_urls())

    def release(self, request: HttpRequest, streak_id: int) -> HttpResponse:
        """End a pause early, with the reason of the form."""
        if not self.has_release_permission(request):
            raise PermissionDenied
        reason = request.POST.get("reason", "").strip()[:500]
        actor = request.user.get_username()
        if not reason:
            messages.error(request, "Write why it may end early: nothing was changed.")
        elif cooldowns.release(streak_id, actor=actor, reason=reason):
            messages.success(request, "The pause is over.")
        else:
            messages.warning(request, "No pause is running there.")
        return redirect(reverse("admin:trading_lossstreak_change", args=(streak_id,)))


def _seconds_left(streak: LossStreak) -> int:
    if streak.cooldown_until is None:
        return 0
    return max(int((streak.cooldown_until - timezone.now()).total_seconds()), 0)
