"""The page that asks what a signal would come to: a small form, or a whole payload."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from exchanges.domain.orders import OrderType
from signals_app.payload.draft import Action, PayloadError
from signals_app.services import routing, what_if
from trading.admin.what_if import laid_out, may_look, page
from trading.services.money import accounts
from trading.services.orders.previews import Preview

TITLE = "What if"


def _text(label: str, help_text: str = "", initial: str = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=help_text,
        initial=initial,
        required=False,
        max_length=100,
        widget=UnfoldAdminTextInputWidget,
    )


def _choice(label: str, choices: list[tuple[str, str]]) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label, choices=choices, required=False, widget=UnfoldAdminSelectWidget
    )


class SignalForm(forms.Form):
    """The options people ask about most; the payload takes everything a strategy may send.

    Fields are read by the parser of signals, so that its objections are those of the real door.
    """

    strategy_id = _text("Strategy", "Its account takes the signal.", "what-if")
    symbol = _text("Symbol", "BTCUSDT")
    action = _choice("Action", [(a.value, a.value) for a in Action])
    confidence = _text("Confidence", "0 to 1", "1")
    order_type = _choice(
        "Order type",
        [
            ("", "the account's default"),
            *(
                (t.value.lower(), t.value.lower().replace("_", " "))
                for t in OrderType
                if t is not OrderType.LIMIT_MAKER
            ),
        ],
    )
    price = _text("Price", "Limit price, or the trigger of a stop.")
    quantity = _text("Quantity", "Base units; empty: the account's sizing model.")
    stop_loss = _text("Stop", "Empty: by the account's limits.")
    take_profit = _text("Target")
    payload = forms.CharField(
        label="Or a whole payload, JSON",
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text="As POST /trade takes it. With it, the fields above are not read.",
    )

    def preview(self, *, actor: str) -> Preview | None:
        """Return what the signal would come to, or None with the objection on its field."""
        given = {name: value for name, value in self.cleaned_data.items() if value}
        payload = given.pop("payload", "")
        body = payload.encode() if payload else json.dumps(given).encode()
        try:
            return what_if.look(body, actor=actor, now=timezone.now())
        except PayloadError as error:
            name = "payload" if payload else error.field
            is_here = name in self.fields
            said = error.message if is_here and name == error.field else str(error)
            self.add_error(name if is_here else None, said)
        except (accounts.NoAccount, routing.NotLive) as error:
            self.add_error(None, str(error))
        return None


def show(request: HttpRequest) -> HttpResponse:
    """Show the form, and below it what the rules say to what was filled in."""
    if not may_look(request):
        raise PermissionDenied
    if request.method != "POST":
        return page(request, TITLE, form=SignalForm())
    form = SignalForm(request.POST)
    told: dict[str, Any] = {}
    if form.is_valid():
        preview = form.preview(actor=request.user.get_username())
        told = laid_out(preview) if preview else {}
    return page(request, TITLE, form=form, **told)
