"""The limit book: values as they stand to read, changes to ask for, approve and decline."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from foundation.admin.facts import FactAdmin
from trading.domain.risk.limit_book import BY_NAME, Scope
from trading.models import Limit, LimitChange
from trading.services.control import limits
from trading.services.control.four_eyes import SecondPersonNeeded

SO_ALREADY = "It is set so already."
STATE_COLOURS = {"applied": "success", "pending": "warning", "declined": "danger"}


class WishForm(forms.ModelForm):
    """Asks the use-case's own rules, so that its objections sit on their fields."""

    name = forms.ChoiceField(
        choices=[(name, name.replace("_", " ")) for name in BY_NAME],
        widget=UnfoldAdminSelectWidget,
        help_text="The page of an account shows what each one means and what holds now.",
    )

    class Meta:
        model = LimitChange
        fields = ("name", "scope", "key", "after", "reason")
        labels = {"after": "value"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "scope" in self.fields:
            self.fields["scope"].initial = Scope.GLOBAL.value
        if "after" in self.fields:
            self.fields["after"].help_text = "Empty: no longer set in this place."

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        key = (data.get("key") or "").strip()
        data["key"] = key.upper() if data.get("scope") == Scope.SYMBOL else key
        try:
            if limits.is_so(wish_of(data)):
                self.add_error("after", SO_ALREADY)
        except ValidationError as error:
            for name, words in error.message_dict.items():
                self.add_error("after" if name == "value" else name, words)
        return data


def wish_of(data: dict[str, Any]) -> limits.Wish:
    value = (data.get("after") or "").strip()
    return limits.Wish(
        scope=data.get("scope") or "",
        key=data.get("key") or "",
        name=data.get("name") or "",
        value=value or None,
        reason=data.get("reason") or "",
    )


@admin.register(LimitChange)
class LimitChangeAdmin(FactAdmin):
    """Adding a row is asking for a change; what holds already is never edited."""

    form = WishForm
    change_form_template = "admin/trading/limitchange/change_form.html"
    list_display = (
        "name",
        "scope",
        "key",
        "before",
        "after",
        "state_label",
        "author",
        "asked_at",
        "reason",
        "version",
    )
    list_filter = ("state", "scope", "is_looser")
    search_fields = ("name__exact", "key__exact", "author__exact")
    search_help_text = "Limit, key or author, exactly"
    compressed_fields = False
    add_fields = (("name", "after"), ("scope", "key"), "reason")
    fields = (
        ("name", "scope", "key"),
        ("before", "after", "is_looser"),
        "reason",
        ("author", "asked_at", "version"),
        ("state", "decided_by", "decided_at"),
        "decision_reason",
    )

    @display(description="state", label=STATE_COLOURS)
    def state_label(self, change: LimitChange) -> str:
        return str(change.state)

    def get_fields(self, request: HttpRequest, obj: LimitChange | None = None) -> Any:
        return self.add_fields if obj is None else super().get_fields(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("trading.change_limit"))

    def save_model(
        self,
        request: HttpRequest,
        obj: Any,
        form: Any,
        change: bool,  # noqa: ARG002
    ) -> None:
        actor = request.user.get_username()
        made = limits.set_limit(wish_of(form.cleaned_data), actor=actor)
        if made is None:  # another set it between the form's look and this one
            raise ValidationError(SO_ALREADY)
        if made.state == LimitChange.State.PENDING:
            messages.warning(request, "This is looser: it waits for a second person.")
        for column in made._meta.concrete_fields:
            setattr(obj, column.attname, getattr(made, column.attname))
        obj._state.adding = False

    def get_urls(self) -> list[URLPattern]:
        def decided(verb: str) -> URLPattern:
            view = require_POST(self.admin_site.admin_view(self._decide))
            name = f"trading_limitchange_{verb}"
            return path(f"<int:pk>/{verb}/", view, kwargs={"verb": verb}, name=name)

        return [decided("approve"), decided("decline"), *super().get_urls()]

    def _decide(self, request: HttpRequest, pk: int, verb: str) -> HttpResponse:
        permission = "approve_limitchange" if verb == "approve" else "change_limit"
        if not request.user.has_perm(f"trading.{permission}"):
            raise PermissionDenied
        decide = limits.approve if verb == "approve" else limits.decline
        actor, reason = request.user.get_username(), request.POST.get("reason", "")[:500]
        try:
            decide(pk, actor=actor, reason=reason)
        except LimitChange.DoesNotExist:
            messages.error(request, "There is no such change.")
            return redirect("admin:trading_limitchange_changelist")
        except (ValidationError, SecondPersonNeeded) as error:
            words = error.messages if isinstance(error, ValidationError) else [str(error)]
            messages.error(request, " ".join(words))
        else:
            messages.success(request, f"Change {verb}d.")
        return redirect(reverse("admin:trading_limitchange_change", args=[pk]))


@admin.register(Limit)
class LimitAdmin(FactAdmin):
    """What is set now, place by place."""

    list_display = ("name", "scope", "key", "value", "version")
    list_filter = ("scope",)
    search_fields = ("name__exact", "key__exact")
    search_help_text = "Limit or key, exactly"
    ordering = ("name", "scope", "key")
    fields = (("name", "value"), ("scope", "key"), "version")
