"""What a sender is told about its signal: a fill, a refusal with numbers, or where to look."""

from __future__ import annotations

import math
import re
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone

from exchanges.domain import errors
from exchanges.models import InstrumentRow
from foundation.api.problems import Problem, to_json
from signals_app.payload.draft import PayloadError
from signals_app.services.intake import Clash
from signals_app.services.routing import Outcome
from trading.api import results
from trading.domain.order_states import OrderStatus
from trading.models import Decision, Order

DONE = "Signal processed successfully"
REFUSED = "The signal was refused"
NOT_SEEN = frozenset(
    {
        "QUOTE_UNKNOWN",
        "QUOTE_STALE",
        "BALANCE_UNKNOWN",
        "BALANCE_STALE",
        "FEE_RATE_UNKNOWN",
        "OPEN_POSITIONS_UNKNOWN",
        "TRADING_STATE_UNKNOWN",
        "SLIPPAGE_UNKNOWN",
        "VENUE_LATENCY_UNKNOWN",
    }
)  # we could not see the world: our trouble, not the signal's
_LEADING_CODE = re.compile(r"([A-Z][A-Z_]+): ")


def story_url(uid: str) -> str:
    return f"/api/v1/signals/{uid}/"


def of_payload_error(error: PayloadError, uid: str = "") -> Problem:
    """Name the field and what is wrong with it. A row that is kept under `uid` is in the admin."""
    status = 413 if error.code == "TOO_LARGE" and error.field == "body" else 400
    detail = f"{error.field}: {error.message}" if error.field else error.message
    where: dict[str, Any] = {"signal_uid": uid, "follow": story_url(uid)} if uid else {}
    return Problem(
        status,
        error.code,
        detail,
        title="The signal was not understood",
        field=error.field,
        **where,
    )


def of_clash(clash: Clash, uid: str) -> Problem:
    """Refuse another signal under a used id: the first outcome would pass for its own."""
    field = "Idempotency-Key" if clash.is_by_key else "signal_uid"
    return Problem(
        409,
        "IDEMPOTENCY_KEY_REUSED" if clash.is_by_key else "SIGNAL_UID_REUSED",
        f"{field} was used before for a signal that differs in {', '.join(clash.differs_in)}. "
        "Nothing new was stored or traded: follow the first signal, or send this one under a "
        "new id.",
        title="The id belongs to another signal",
        field=field,
        differs_in=list(clash.differs_in),
        signal_uid=uid,
        follow=story_url(uid),
    )


def of_outcome(outcome: Outcome, *, is_repeat: bool) -> HttpResponse:
    """Render what a signal came to; a repeat is told the first outcome and marked as one."""
    refusal = _refusal(outcome)
    response = refusal.response() if refusal else _success(outcome)
    if is_repeat:
        response.headers["Idempotent-Replayed"] = "true"
    return response


def _success(outcome: Outcome) -> HttpResponse:
    signal = outcome.signal
    order = outcome.order
    body: dict[str, Any] = {
        "message": DONE,
        "signal_id": signal.strategy_id,
        "signal_uid": signal.uid,
        "result": _result(outcome),
    }
    if order is not None and order.status not in (OrderStatus.NEW, OrderStatus.SUBMITTING):
        return HttpResponse(to_json(body), content_type="application/json")
    body["message"] = (
        "The venue has not confirmed the outcome: it is being asked, and nothing is sent twice."
        if order is not None and order.unknown_since
        else "The signal is on its way."
    )
    body["follow"] = story_url(signal.uid)
    return HttpResponse(
        to_json(body),
        status=202,
        content_type="application/json",
        headers={"Location": body["follow"]},
    )


def _result(outcome: Outcome) -> dict[str, Any] | None:
    if outcome.order is None:
        return None
    environment = outcome.decision.environment if outcome.decision else ""
    return results.of_order(outcome.order, environment=environment, fills=outcome.fills)


def _refusal(outcome: Outcome) -> Problem | None:
    decision, order = outcome.decision, outcome.order
    if decision is None:
        return _without_decision(outcome)
    if not decision.approved:
        return _denied(outcome, decision)
    if order is None:
        return None
    match order.status:
        case OrderStatus.NOT_PLACED:
            return _not_placed(outcome, order)
        case OrderStatus.REJECTED:
            return _rejected(outcome, order)
        case OrderStatus.NEW if order.reason:
            return _not_sent(outcome, order)
    return None


def _known(outcome: Outcome) -> dict[str, Any]:
    signal, decision, order = outcome.signal, outcome.decision, outcome.order
    known: dict[str, Any] = {
        "signal_id": signal.strategy_id,
        "signal_uid": signal.uid,
        "follow": story_url(signal.uid),
    }
    if decision is not None:
        known["decision"] = f"/api/v1/decisions/{decision.pk}/"
    if order is not None:
        known["result"] = {**(_result(outcome) or {}), "success": False}
    return known


def _without_decision(outcome: Outcome) -> Problem | None:
    signal = outcome.signal
    if signal.status == signal.Status.SHADOW:
        told = "A strategy in shadow said this: it is kept to be looked at and is never traded."
        return Problem(409, "SHADOW", told, title=REFUSED, **_known(outcome))
    if not signal.error_code:
        return None
    return Problem(
        400,
        signal.error_code,
        signal.error_message,
        title=REFUSED,
        **_known(outcome),
    )


def _denied(outcome: Outcome, decision: Decision) -> Problem:
    failed: dict[str, Any] = next((v for v in decision.verdicts if not v["passed"]), {})
    blind = decision.code in NOT_SEEN or (
        decision.code == "SYMBOL_UNKNOWN"
        and not InstrumentRow.objects.filter(environment=decision.environment).exists()
    )
    return Problem(
        503 if blind else 400,
        decision.code,
        decision.message,
        title="Denied: the market could not be seen" if blind else "Denied by our rules",
        rule=failed.get("rule"),
        limit=failed.get("limit"),
        actual=failed.get("actual"),
        **_known(outcome),
    )


def _not_placed(outcome: Outcome, order: Order) -> Problem:
    named = _LEADING_CODE.match(order.reason)
    return Problem(
        400,
        named.group(1) if named else "ORDER_NOT_PLACED",
        order.reason or "The order was called off before it was sent.",
        title="Approved, but not sent",
        **_known(outcome),
    )


def _rejected(outcome: Outcome, order: Order) -> Problem:
    code = str(errors.CODES_OF_TYPED_REFUSALS.get(order.reason_code, order.reason_code))
    return Problem(
        400,
        "VENUE_REJECTED",
        f"API Error: {order.reason}",
        title="Rejected by the venue",
        venue_code=int(code) if code.lstrip("-").isdigit() else None,
        reason_code=order.reason_code,
        **_known(outcome),
    )


def _not_sent(outcome: Outcome, order: Order) -> Problem:
    wait = 1
    if order.next_check_at is not None:
        wait = max(1, math.ceil((order.next_check_at - timezone.now()).total_seconds()))
    return Problem(
        503,
        "VENUE_UNAVAILABLE",
        f"The order did not reach the venue ({order.reason}). It is kept and goes out when the "
        f"venue answers, within {settings.SIGNAL_MAX_AGE_SECONDS} s; do not send it as a new "
        "signal.",
        title="Not sent",
        headers={"Retry-After": str(wait)},
        **_known(outcome),
    )
