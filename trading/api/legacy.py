"""The older engines' paths at the root: account, price, order, stop."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import structlog
from django.conf import settings
from django.db.models import Q
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.views import APIView

from exchanges import catalogue, quotes
from exchanges.domain import errors
from exchanges.models import VenueAccount
from exchanges.venues import configured, registry
from foundation.api.documents import problem
from foundation.api.permissions import needs
from foundation.api.problems import Problem, to_json
from trading import tasks
from trading.api import cancelling, results
from trading.api.legacy_documents import LegacyResult
from trading.domain.order_states import OrderStatus, is_final
from trading.domain.risk.types import TradingMode
from trading.models import Order, VirtualAccount
from trading.selectors import resting
from trading.services.control import kill_switch
from trading.services.orders import lifecycle

log = structlog.get_logger(__name__)
BASIS_POINTS = 10_000


def answer(body: dict[str, Any], status: int = 200) -> HttpResponse:
    return HttpResponse(to_json(body), status=status, content_type="application/json")


def default_account() -> VenueAccount:
    """Return the venue account of the account that takes unmapped signals."""
    account = VirtualAccount.objects.filter(is_default=True).select_related("venue_account").first()
    return account.venue_account if account else VenueAccount(**configured.venue().columns())


class AccountView(APIView):
    """What the venue says of the default account, asked right now."""

    @extend_schema(
        operation_id="account",
        tags=["legacy"],
        summary="Balances and commissions at the venue",
        responses={200: OpenApiTypes.OBJECT, 503: problem("The venue cannot be reached.")},
    )
    def get(self, request: Request) -> HttpResponse:  # noqa: ARG002
        account = default_account()
        report = registry.for_account(account).account()
        held = [
            {"asset": b.asset, "free": b.free, "locked": b.locked}
            for b in report.balances
            if b.free or b.locked
        ]
        return answer(
            {
                "message": "Account information retrieved successfully",
                "data": {
                    "can_trade": report.can_trade,
                    "maker_commission": _basis_points(report.maker_rate),
                    "taker_commission": _basis_points(report.taker_rate),
                    "balances": held,
                    "environment": account.environment,
                    "timestamp": report.reported_at,
                },
            }
        )


def _basis_points(rate: Decimal) -> int | float:
    points = rate * BASIS_POINTS
    return int(points) if points == points.to_integral_value() else float(points)


class PriceView(APIView):
    """The middle of our own book; `bid` and `ask` beside it."""

    @extend_schema(
        operation_id="price",
        tags=["legacy"],
        summary="Current price of a symbol",
        responses={
            200: OpenApiTypes.OBJECT,
            404: problem("The venue does not list the symbol."),
            503: problem("The venue cannot be reached."),
        },
    )
    def get(self, request: Request, symbol: str) -> HttpResponse:  # noqa: ARG002
        venue, symbol = default_account().venue, plain_symbol(symbol)
        if catalogue.get(venue, symbol) is None:
            raise Problem(404, "SYMBOL_UNKNOWN", f"{venue} does not list {symbol}.")
        quote = quotes.get(venue, symbol, max_age=settings.QUOTE_MAX_AGE_SECONDS)
        if quote is None:
            raise Problem(503, "QUOTE_UNKNOWN", f"No fresh price of {symbol} can be had.")
        return answer(
            {
                "symbol": symbol,
                "price": results.number(quote.mid),
                "bid": results.number(quote.bid),
                "ask": results.number(quote.ask),
                "timestamp": quote.received_at,
                "environment": str(venue.environment),
            }
        )


def plain_symbol(text: str) -> str:
    return text.upper().replace("-", "").replace("_", "").replace("/", "")


class OrderView(APIView):
    """One order, by the venue's id or by ours."""

    def get_permissions(self) -> Sequence[Any]:
        if self.request.method == "DELETE":
            return [needs("trading.cancel")()]
        return super().get_permissions()

    @extend_schema(
        operation_id="order_status",
        tags=["legacy"],
        summary="Status of an order",
        description="An order that may still change is looked up at the venue first.",
        responses={200: LegacyResult, 404: problem("No such order.")},
    )
    def get(self, request: Request, symbol: str, order_id: str) -> HttpResponse:
        order = find(symbol, order_id)
        confirmed = True
        if order.status != OrderStatus.NEW and not is_final(OrderStatus(order.status)):
            confirmed = _ask(order, actor=request.user.get_username())
        return answer({**results.of_order(order), "confirmed_by_venue": confirmed})

    @extend_schema(
        operation_id="cancel_order",
        tags=["legacy"],
        summary="Cancel an order",
        description="Needs the permission `trading.cancel`.",
        responses={
            200: OpenApiTypes.OBJECT,
            202: OpenApiTypes.OBJECT,
            404: problem("No such order."),
            409: problem("It has ended already, or the id names several orders."),
            503: problem("The venue cannot be reached."),
        },
    )
    def delete(self, request: Request, symbol: str, order_id: str) -> HttpResponse:
        order = find(symbol, order_id)
        done = cancelling.cancel(order, actor=request.user.get_username())
        message = "Order cancelled" if done else "The venue has not confirmed the cancel yet."
        result = {**results.of_order(order), "success": done}
        body = {"message": message, "order_id": order_id, "result": result}
        return answer(body, 200 if done else 202)


def find(symbol: str, order_id: str) -> Order:
    """Return the one order of that name. Two venues may use the same number: then say which."""
    found = list(
        Order.objects.select_related("account", "venue_account", "order_list")
        .filter(Q(client_order_id=order_id) | Q(venue_order_id=order_id))
        .filter(symbol=plain_symbol(symbol))[:3]
    )
    if not found:
        raise Problem(404, "ORDER_UNKNOWN", f"No order {order_id} in {plain_symbol(symbol)}.")
    if len(found) > 1:
        names = [o.client_order_id for o in found]
        raise Problem(
            409,
            "ORDER_AMBIGUOUS",
            f"{order_id} names several orders: use a client_order_id.",
            client_order_ids=names,
        )
    return found[0]


def _ask(order: Order, *, actor: str) -> bool:
    """Bring our row up to date; False when the venue did not tell, and ours stands."""
    try:
        applied = lifecycle.ask(order, actor=actor)
    except errors.VenueError as error:
        log.info("order_not_confirmed", client_order_id=order.client_order_id, error=str(error))
        return False
    for change in applied:
        if change.position_id is not None:
            tasks.want_protection(change.position_id)
    order.refresh_from_db()
    return True


class StopRequest(serializers.Serializer[object]):
    reason = serializers.CharField(required=False, max_length=500, default="")
    level = serializers.ChoiceField(
        choices=kill_switch.LEVELS,
        required=False,
        default=TradingMode.HALTED.value,
        help_text="CANCEL_OPEN also cancels resting entries, FLATTEN then sells what is held.",
    )
    mode = serializers.ChoiceField(
        choices=kill_switch.LEVELS, required=False, help_text="Another word for `level`."
    )


class StopAnswer(serializers.Serializer[object]):
    message = serializers.CharField()
    resting_entries = serializers.IntegerField(
        help_text="Entry orders still open at a venue: they stay there and may fill."
    )
    resting_entry_urls = serializers.ListField(
        child=serializers.CharField(), help_text="The newest of them, at most 100."
    )
    resting_entries_list = serializers.CharField(help_text="Where all of them are listed.")
    state = serializers.DictField()


class StopView(APIView):
    """Let no new entry leave, anywhere, from now on. Exits and protection go on.

    Entries that rest at the venue stay there: the answer counts and names them.
    """

    permission_classes = [needs("trading.engage_kill_switch")]

    @extend_schema(
        operation_id="stop_trading",
        tags=["legacy"],
        summary="Emergency stop",
        description=(
            "Engages HALTED for everything: no new entry leaves from now on, exits and protection "
            "go on. **Entries that already rest at the venue are not cancelled and may still "
            "fill.** `resting_entries` counts them, `resting_entry_urls` names them: cancel each "
            "with `POST /api/v1/orders/{id}/cancel/`, or stop with the level CANCEL_OPEN, which "
            "cancels them all, or FLATTEN, which also sells what is held. A level that cannot be "
            "read is HALTED. Needs `trading.engage_kill_switch`."
        ),
        request=StopRequest,
        responses={
            200: StopAnswer,
            400: problem("A part of trading was named: this path stops everything."),
            403: problem("Without the permission."),
        },
    )
    def post(self, request: Request) -> HttpResponse:
        _refuse_a_place(request)
        actor = request.user.get_username()
        mode = _level(request)
        state = kill_switch.engage(
            actor=actor, reason=_text(request, "reason") or f"stopped by {actor}", mode=mode
        )
        left = resting.as_json()
        still = resting.in_words(left["resting_entries"])
        fate = "wait to be cancelled" if mode in kill_switch.ACTS else "may fill"
        return answer(
            {
                "message": f"Trading stopped; {still} at the venue and {fate}"
                if still
                else "Trading stopped",
                **left,
                "state": {
                    "id": state.pk,
                    "scope": state.scope,
                    "mode": state.mode,
                    "reason": state.reason,
                    "engaged_by": state.engaged_by,
                    "engaged_at": state.engaged_at,
                },
            }
        )


def _refuse_a_place(request: Request) -> None:
    """This path stops everything: whoever names a part of it means another path."""
    named = [name for name in ("scope", "key", "expires_at") if _text(request, name)]
    if _text(request, "scope") == "global" and named == ["scope"]:
        return
    if named:
        raise Problem(
            400,
            "STOP_FIELD_UNKNOWN",
            f"{named[0]}: this path stops everything at once, and nothing was stopped. Leave it "
            "out, or use POST /api/v1/trading-state/ for a part or a time.",
            field=named[0],
        )


def _level(request: Request) -> TradingMode:
    """Read how much to stop; what cannot be read halts, as if nothing had been asked for.

    `mode` is what the other paths call the level: both are understood, the stricter one counts.
    """
    words = (_text(request, name).upper() for name in ("level", "mode"))
    levels = [_read_level(word) for word in words if word]
    return max(levels, key=kill_switch.STRICTNESS.__getitem__, default=TradingMode.HALTED)


def _read_level(word: str) -> TradingMode:
    try:
        return kill_switch.level(word)
    except ValueError as error:
        log.warning("stop_level_not_read", error=str(error))
        return TradingMode.HALTED


def _text(request: Request, name: str) -> str:
    """Read a field if it can be read: an emergency stop never fails for its wording."""
    try:
        body: Any = request.data
        return str(body.get(name) or "")[:500]
    except (APIException, AttributeError) as error:
        log.warning("stop_body_not_read", field=name, error=str(error))
        return ""
