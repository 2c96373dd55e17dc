"""What an intent would come to now, laid out like a decision; nothing is stored."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse

from foundation.readable import pairs
from foundation.serialization import jsonable
from trading.admin.words import spread_out
from trading.domain.figures import plain
from trading.models import Decision
from trading.services.money import accounts
from trading.services.orders import previews
from trading.services.risk import decision_record

TEMPLATE = "admin/what_if.html"
MAY_LOOK = ("trading.trade", "trading.view_decision")


def may_look(request: HttpRequest) -> bool:
    return any(request.user.has_perm(permission) for permission in MAY_LOOK)


def again(request: HttpRequest, decision_id: int) -> HttpResponse:
    """Put a decided intent to the rules of today, on the market of now."""
    if not may_look(request):
        raise PermissionDenied
    decision = get_object_or_404(Decision, pk=decision_id)
    try:
        preview = previews.again(decision, actor=request.user.get_username())
    except (accounts.NoAccount, decision_record.NotOnRecord) as error:
        messages.error(request, f"It cannot be tried again: {error}")
        return redirect(reverse("admin:trading_decision_change", args=(decision_id,)))
    return page(request, "Again under today's limits", before=decision, **laid_out(preview))


def page(request: HttpRequest, title: str, **context: Any) -> TemplateResponse:
    context = {**admin.site.each_context(request), "title": title, **context}
    return TemplateResponse(request, TEMPLATE, context)


def laid_out(preview: previews.Preview) -> dict[str, Any]:
    """Spread a preview out like a decision, with its order and costs in short above."""
    order, outlook = preview.order, preview.outlook
    quote = preview.decision.account.quote_asset
    summary = []
    if order is not None:
        summary.append(("Order", f"{order.side} {plain(order.quantity)} {order.symbol}"))
    reckoned = (
        ("Worth", order.notional if order else None),
        ("Fee", outlook.fee),
        ("Fee of the exit at the stop", outlook.exit_fee),
        ("Worst loss at the stop, fees included", outlook.worst_loss),
    )
    summary += [(name, f"{plain(one)} {quote}") for name, one in reckoned if one is not None]
    return {
        **spread_out(preview.decision),
        "preview": preview,
        "plan": pairs(jsonable(order)),
        "summary": summary,
    }
