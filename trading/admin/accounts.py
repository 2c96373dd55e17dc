"""Virtual accounts: limits that people change while trading, each change on record."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from audit import timeline
from foundation.admin.facts import FastListAdmin
from trading.models import StrategyMapping, VirtualAccount
from trading.services.control import limits
from trading.services.money import account_settings, accounts

WAITS = "Not done yet: another person must approve it, under Approvals"


class SettingsForm(forms.ModelForm):
    """Asks the use-case's own rules, so that its objections sit on their fields."""

    class Meta:
        model = VirtualAccount
        fields = ("name", "venue_account", *account_settings.CHANGEABLE)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.was_enabled = bool(self.instance.pk) and self.instance.enabled
        if "allowed_symbols" in self.fields:
            self.fields["allowed_symbols"].widget.attrs["rows"] = 2
        if "default_order_type" in self.fields:
            choices = [(t, t.replace("_", " ").lower()) for t in account_settings.ENTRY_TYPES]
            widget = self.fields["default_order_type"].widget
            select = forms.Select(attrs=widget.attrs)
            self.fields["default_order_type"] = forms.ChoiceField(choices=choices, widget=select)

    def clean_allowed_symbols(self) -> Any:
        return self.cleaned_data["allowed_symbols"] or []

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if self.errors or not hasattr(self.instance, "venue_account"):
            return
        enabling = self.instance.enabled and not self.was_enabled
        try:
            account_settings.check(self.instance, is_enabling=enabling)
        except ValidationError as error:
            self.add_error(None, error)

    def _get_validation_exclusions(self) -> set[str]:
        """Leave 'one default account' to the use-case, which moves the mark."""
        return {*super()._get_validation_exclusions(), "is_default"}  # type: ignore[misc]


@admin.register(VirtualAccount)
class VirtualAccountAdmin(FastListAdmin):
    form = SettingsForm
    list_display = (
        "name",
        "venue_account",
        "enabled",
        "is_default",
        "sizing_model",
    )
    list_select_related = ("venue_account",)
    ordering = ("-is_default", "name")
    warn_unsaved_form = True
    compressed_fields = False
    fieldsets = (
        (None, {"fields": (("name", "venue_account"), ("enabled", "is_default"))}),
        (
            "How it trades",
            {
                "fields": (
                    ("sizing_model", "default_order_type"),
                    "allowed_symbols",
                    "trading_window",
                )
            },
        ),
    )

    def get_readonly_fields(
        self,
        request: HttpRequest,  # noqa: ARG002
        obj: VirtualAccount | None = None,
    ) -> tuple[str, ...]:
        return ("name", "venue_account") if obj else ()

    def has_delete_permission(
        self,
        request: HttpRequest,  # noqa: ARG002
        obj: VirtualAccount | None = None,  # noqa: ARG002
    ) -> bool:
        return False  # its decisions, orders and books point at it

    def save_model(
        self,
        request: HttpRequest,
        obj: Any,
        form: Any,
        change: bool,
    ) -> None:
        actor = request.user.get_username()
        if not change:
            account_settings.create(obj, actor=actor)
            return
        changes = {name: form.cleaned_data[name] for name in form.changed_data}
        done = account_settings.change(account_id=obj.pk, changes=changes, actor=actor)
        if done.waits:
            messages.warning(request, f"{WAITS}: {done.waits}.")

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        account = context.get("original")
        if account is not None:
            held = limits.effective(account).values()
            context["limits"] = [
                {
                    "name": one.spec.name,
                    "label": one.spec.name.replace("_", " "),
                    "value": one.text,
                    "unit": one.spec.unit,
                    "source": one.source,
                    "version": one.version,
                    "help": one.spec.help,
                }
                for one in held
            ]
            context["trail"] = list(reversed(timeline.of(("account", account.pk))))[:20]
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return response


class NeedsForm(forms.ModelForm):
    """A mapping, and the least spread the strategy signals from."""

    class Meta:
        model = StrategyMapping
        fields = ("strategy_id", "account", "min_spread_bps")

    def clean_min_spread_bps(self) -> Decimal:
        value: Decimal = self.cleaned_data["min_spread_bps"] or Decimal(0)
        if not 0 <= value <= accounts.MOST_BPS:
            raise ValidationError(f"Write 0 to {accounts.MOST_BPS} basis points.")
        return value


@admin.register(StrategyMapping)
class StrategyMappingAdmin(FastListAdmin):
    """Which account a strategy trades in. A strategy that is not here trades in the default one."""

    list_display = ("strategy_id", "account", "min_spread_bps", "mapped_by", "mapped_at")
    list_select_related = ("account",)
    search_fields = ("strategy_id__exact",)
    search_help_text = "Strategy, exactly"
    ordering = ("strategy_id",)
    fields = (("strategy_id", "account"), "min_spread_bps")
    form = NeedsForm

    def get_readonly_fields(
        self,
        request: HttpRequest,  # noqa: ARG002
        obj: StrategyMapping | None = None,
    ) -> tuple[str, ...]:
        return ("strategy_id",) if obj else ()

    def save_model(
        self,
        request: HttpRequest,
        obj: Any,
        form: Any,
        change: bool,  # noqa: ARG002
    ) -> None:
        actor = request.user.get_username()
        outcome = accounts.map_strategy(obj.strategy_id, obj.account, actor=actor)
        row = StrategyMapping.objects.filter(strategy_id=obj.strategy_id).first()
        if outcome.waits:
            messages.warning(request, f"{WAITS}: {outcome.waits}.")
        if row is not None:
            least = form.cleaned_data["min_spread_bps"]
            accounts.tell_needs(obj.strategy_id, min_spread_bps=least, actor=actor)
            obj.pk = row.pk
            obj._state.adding = False

    def response_add(
        self, request: HttpRequest, obj: StrategyMapping, post_url_continue: str | None = None
    ) -> HttpResponse:
        """A mapping that waits for a second person is not there yet."""
        if obj._state.adding:
            return redirect("admin:trading_approval_changelist")
        return super().response_add(request, obj, post_url_continue)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return super().log_addition(request, obj, message) if obj.pk else None

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        actor = request.user.get_username()
        if waits := accounts.map_strategy(obj.strategy_id, None, actor=actor).waits:
            messages.warning(request, f"{WAITS}: {waits}.")

    def has_delete_permission(
        self, request: HttpRequest, obj: StrategyMapping | None = None
    ) -> bool:
        """One at a time: the list's own bulk deletion would pass the record by."""
        return obj is not None and bool(super().has_delete_permission(request, obj))
