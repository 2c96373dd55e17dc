"""How our own strategies run: read by all, changed on record by those who may."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.decorators import display
from unfold.forms import ActionForm
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from audit import timeline
from foundation.admin.facts import FastListAdmin
from signals_app.models import Signal, StrategySetting
from signals_app.services import strategy_settings
from signals_app.services.strategy_settings import Wish
from signals_app.strategies import catalogue
from signals_app.strategies.spec import Kind, Param, ParamInvalid, StrategySpec

MODE_COLOURS = {"off": "warning", "shadow": "info", "live": "success"}
PREFIX = "param_"
LATEST = 20


class SettingForm(forms.ModelForm):
    """Mode, symbols and timeframes of one strategy; `of` adds a field for each parameter."""

    spec: StrategySpec
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)  # the one looked at
    mode = forms.ChoiceField(
        choices=StrategySetting.Mode.choices,
        widget=UnfoldAdminSelectWidget,
        help_text="In shadow it tells its signals where nobody trades them.",
    )
    wanted_symbols = forms.CharField(
        required=False,
        label="symbols",
        widget=UnfoldAdminTextInputWidget,
        help_text="Such as BTCUSDT, ETHUSDT; empty: TRADING_SYMBOLS.",
    )
    reason = forms.CharField(
        required=False,
        max_length=500,
        widget=UnfoldAdminTextInputWidget,
        help_text="Why: it is kept with the change.",
    )

    class Meta:
        model = StrategySetting
        fields = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        preset = kwargs.pop("preset", None)
        super().__init__(*args, **kwargs)
        row = self.instance
        values = self.spec.defaults() | dict(row.params) | dict(preset or {})
        initial: dict[str, Any] = {
            "version": row.version,
            "mode": row.mode,
            "wanted_symbols": ", ".join(row.symbols),
            "wanted_timeframes": ", ".join(row.timeframes),
            **{PREFIX + name: f"{value:g}" for name, value in values.items()},
        }
        self.initial.update(initial)

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        self._check_version(data.get("version"))
        found = strategy_settings.problems(
            self.spec, self.wish(data), data.get("reason", ""), self.instance.params
        )
        for name, words in found.items():
            if name != "params":
                self.add_error(_FIELDS.get(name, name), words)
        self._check_params(data)
        return data

    def _check_version(self, version: int | None) -> None:
        """Lock the row as well: nobody changes it between this look and the save."""
        if version is None:
            self.add_error(None, "The form names no version: load the page again.")
            return
        try:
            strategy_settings.locked(self.spec.strategy_id, version)
        except strategy_settings.ChangedMeanwhile as error:
            self.add_error(None, f"{self.spec.strategy_id} was {error}.")

    def _check_params(self, data: dict[str, Any]) -> None:
        for param in self.spec.params:
            try:
                if data.get(PREFIX + param.name) is not None:
                    param.checked(data[PREFIX + param.name])
            except ParamInvalid as error:
                self.add_error(PREFIX + param.name, error.message)
        if self.errors:
            return
        try:
            self.spec.resolved(self.wish(data).params or {})
        except ParamInvalid as error:
            self.add_error(PREFIX + error.name, error.message)

    def wish(self, data: dict[str, Any]) -> Wish:
        params = {param.name: data.get(PREFIX + param.name) for param in self.spec.params}
        return Wish(
            mode=data.get("mode"),
            symbols=_words(data.get("wanted_symbols")),
            timeframes=_words(data.get("wanted_timeframes")),
            params={name: value for name, value in params.items() if value is not None},
        )


_FIELDS = {"symbols": "wanted_symbols", "timeframes": "wanted_timeframes"}


def form_of(spec: StrategySpec) -> type[SettingForm]:
    """Return the form of one strategy."""
    fields: dict[str, Any] = {PREFIX + param.name: _field(param) for param in spec.params}
    if spec.kind is Kind.TECHNICAL:
        fields["wanted_timeframes"] = forms.CharField(
            required=False,
            label="timeframes",
            widget=UnfoldAdminTextInputWidget,
            help_text=f"Such as 15m, 1h; empty: {', '.join(spec.timeframes) or 'none'}.",
        )
    return cast("type[SettingForm]", type("OfStrategy", (SettingForm,), {"spec": spec, **fields}))


def _field(param: Param) -> forms.FloatField:
    return forms.FloatField(
        label=param.name.replace("_", " "),
        widget=UnfoldAdminDecimalFieldWidget(attrs={"step": "1" if param.is_whole else "any"}),
        help_text=(
            f"{param.sentence} In {param.unit}, {param.minimum:g} to {param.maximum:g}; "
            f"the catalogue says {param.default:g}."
        ),
    )


def _words(text: str | None) -> list[str]:
    return [word for word in (text or "").replace(",", " ").split() if word]


class ReasonForm(ActionForm):
    reason = forms.CharField(
        required=False,
        label="",
        max_length=500,
        widget=forms.TextInput(
            attrs={
                "placeholder": "reason",
                "class": "px-2 py-1 rounded-default text-font-default-light",
            }
        ),
    )


@admin.register(StrategySetting)
class StrategySettingAdmin(FastListAdmin):
    """Rows are made when a strategy is first seen; nobody adds or deletes one."""

    action_form = ReasonForm
    change_form_template = "admin/signals_app/strategysetting/change_form.html"
    list_display = (
        "title",
        "kind",
        "family",
        "mode_label",
        "shown_symbols",
        "own_values",
        "version",
        "changed_at",
        "changed_by",
    )
    list_display_links = ("title",)
    list_filter = ("mode",)
    search_fields = ("strategy_id__exact",)
    search_help_text = "Strategy, exactly"
    ordering = ("strategy_id",)
    actions = ("switch_off", "to_shadow", "to_live")
    facts = (
        ("strategy_id", "mode", "version"),
        ("symbols", "timeframes"),
        ("changed_at", "changed_by"),
    )

    @admin.display(description="strategy")
    def title(self, row: StrategySetting) -> str:
        return row.strategy_id

    @admin.display(description="kind")
    def kind(self, row: StrategySetting) -> str:
        spec = catalogue.BY_ID.get(row.strategy_id)
        return str(spec.kind) if spec else "no longer ours"

    @admin.display(description="family")
    def family(self, row: StrategySetting) -> str:
        spec = catalogue.BY_ID.get(row.strategy_id)
        return str(spec.family) if spec else ""

    @display(description="mode", label=MODE_COLOURS)
    def mode_label(self, row: StrategySetting) -> str:
        return str(row.mode)

    @admin.display(description="symbols")
    def shown_symbols(self, row: StrategySetting) -> str:
        return ", ".join(row.symbols) or "TRADING_SYMBOLS"

    @admin.display(description="own values")
    def own_values(self, row: StrategySetting) -> str:
        return ", ".join(f"{name} {value:g}" for name, value in row.params.items())

    def get_queryset(self, request: HttpRequest) -> QuerySet[StrategySetting]:
        strategy_settings.ensure()
        return super().get_queryset(request)

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(
        self,
        request: HttpRequest,  # noqa: ARG002
        obj: StrategySetting | None = None,  # noqa: ARG002
    ) -> bool:
        return False

    def has_change_permission(
        self, request: HttpRequest, obj: StrategySetting | None = None
    ) -> bool:
        known = obj is None or obj.strategy_id in catalogue.BY_ID
        return known and bool(super().has_change_permission(request, obj))

    # --- one strategy ---------------------------------------------------------------------------

    def get_form(
        self,
        request: HttpRequest,
        obj: StrategySetting | None = None,
        change: bool = False,
        **kwargs: Any,
    ) -> Any:
        if obj is None or not self.has_change_permission(request, obj):
            return super().get_form(request, obj, change=change, **kwargs)
        made = form_of(catalogue.BY_ID[obj.strategy_id])
        preset = made.spec.presets.get(request.GET.get("preset", ""))

        class Filled(made):  # type: ignore[valid-type, misc]
            def __init__(self, *args: Any, **kwargs: Any) -> None:
                super().__init__(*args, preset=preset, **kwargs)

        return Filled

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        if not isinstance(obj, StrategySetting) or not self.has_change_permission(request, obj):
            return [(None, {"fields": list(self.facts)})]
        spec = catalogue.BY_ID[obj.strategy_id]
        where = ["mode", "wanted_symbols"]
        if spec.kind is Kind.TECHNICAL:
            where.append("wanted_timeframes")
        params = [PREFIX + param.name for param in spec.params]
        return [
            ("How it runs", {"fields": where}),
            ("Parameters", {"fields": params}),
            ("Why", {"fields": ["reason"]}),
        ]

    def get_readonly_fields(
        self, request: HttpRequest, obj: StrategySetting | None = None
    ) -> tuple[str, ...]:
        if obj is not None and self.has_change_permission(request, obj):
            return ()
        return tuple(name for line in self.facts for name in line)

    def save_model(
        self,
        request: HttpRequest,
        obj: Any,
        form: Any,
        change: bool,  # noqa: ARG002
    ) -> None:
        strategy_settings.change(
            strategy_id=obj.strategy_id,
            wish=form.wish(form.cleaned_data),
            reason=form.cleaned_data["reason"],
            actor=request.user.get_username(),
            version=form.cleaned_data["version"],
        )

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row = context.get("original")
        if row is not None:
            spec = catalogue.BY_ID.get(row.strategy_id)
            context |= {
                "spec": spec,
                "params": _told(row, spec) if spec else [],
                "preset": request.GET.get("preset", ""),
                "signals": Signal.objects.filter(strategy_id=row.strategy_id)
                .select_related("decision")
                .defer("raw", "draft")
                .order_by("-id")[:LATEST],
                "trail": list(reversed(timeline.of(("strategy", row.strategy_id))))[:LATEST],
            }
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return response

    # --- several at once ------------------------------------------------------------------------

    @admin.action(description="Switch off", permissions=["change"])
    def switch_off(self, request: HttpRequest, queryset: QuerySet[StrategySetting]) -> None:
        self._put(request, queryset, StrategySetting.Mode.OFF)

    @admin.action(description="Put in shadow", permissions=["change"])
    def to_shadow(self, request: HttpRequest, queryset: QuerySet[StrategySetting]) -> None:
        self._put(request, queryset, StrategySetting.Mode.SHADOW)

    @admin.action(description="Put live", permissions=["change"])
    def to_live(self, request: HttpRequest, queryset: QuerySet[StrategySetting]) -> None:
        self._put(request, queryset, StrategySetting.Mode.LIVE)

    def _put(
        self, request: HttpRequest, rows: QuerySet[StrategySetting], mode: StrategySetting.Mode
    ) -> None:
        actor, reason = request.user.get_username(), request.POST.get("reason", "")
        done = []
        for row in rows:
            try:
                strategy_settings.change(
                    strategy_id=row.strategy_id, wish=Wish(mode=mode), reason=reason, actor=actor
                )
            except ValidationError as error:
                messages.error(request, " ".join(error.messages))
                break
            except strategy_settings.UnknownStrategy as error:
                messages.error(request, f"{error}.")
                continue
            done.append(row.strategy_id)
        if done:
            messages.success(request, f"{', '.join(done)}: {mode.label}.")


def _told(row: StrategySetting, spec: StrategySpec) -> list[dict[str, Any]]:
    """Return each parameter with the value that holds, the catalogue's and the presets'."""
    held = spec.defaults() | dict(row.params)
    return [
        {
            "name": param.name,
            "value": f"{held[param.name]:g}",
            "default": f"{param.default:g}",
            "differs": held[param.name] != param.default,
            "unit": param.unit,
            "bounds": f"{param.minimum:g} to {param.maximum:g}",
            "meaning": param.sentence,
            "env": param.env,
            "presets": [
                f"{name} {values[param.name]:g}"
                for name, values in spec.presets.items()
                if param.name in values
            ],
        }
        for param in spec.params
    ]
