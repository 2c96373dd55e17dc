"""POST /api/v1/decisions/preview: what a signal would come to, without sending it."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from foundation.api.documents import problem
from foundation.api.permissions import needs_one_of
from foundation.api.problems import Problem, to_json
from foundation.serialization import jsonable
from signals_app.api import answers
from signals_app.api.trade import body_of
from signals_app.api.trade_docs import V1, V2, SignalPayload
from signals_app.payload.draft import PayloadError
from signals_app.services import routing, what_if
from trading.services.money import accounts
from trading.services.orders.previews import Preview
from trading.services.risk import decision_record


class VerdictDocument(serializers.Serializer[object]):
    """One rule's word; figures as exact text."""

    rule = serializers.CharField()
    passed = serializers.BooleanField()
    skipped = serializers.BooleanField(help_text="Not asked, or nothing to ask about.")
    warned = serializers.BooleanField(help_text="Passed, but close to its limit.")
    code = serializers.CharField(help_text="Empty when passed.")
    message = serializers.CharField()
    limit = serializers.CharField()
    actual = serializers.CharField()
    inputs = serializers.ListField(
        child=serializers.ListField(child=serializers.CharField()),
        help_text="Pairs of name and figure.",
    )


class PreviewedOrder(serializers.Serializer[object]):
    """Sized, priced and on the venue's grid; quantities base units, the rest quote units."""

    symbol = serializers.CharField()
    side = serializers.CharField()
    type = serializers.CharField()
    quantity = serializers.CharField()
    time_in_force = serializers.CharField(allow_null=True)
    price = serializers.CharField(allow_null=True)
    stop_price = serializers.CharField(allow_null=True)
    stop_loss = serializers.CharField(allow_null=True)
    take_profit = serializers.CharField(allow_null=True)
    reference_price = serializers.CharField(allow_null=True)
    notional = serializers.CharField(allow_null=True)
    estimated_fee = serializers.CharField(allow_null=True)


class FeesDocument(serializers.Serializer[object]):
    order = serializers.CharField(allow_null=True, help_text="Of the order itself.")
    exit_at_stop = serializers.CharField(allow_null=True, help_text="Of selling it at its stop.")


class PreviewAnswer(serializers.Serializer[object]):
    would_be_approved = serializers.BooleanField()
    code = serializers.CharField(help_text="Of the first rule that says no; else empty.")
    message = serializers.CharField()
    account = serializers.CharField(help_text="The virtual account that would take it.")
    environment = serializers.CharField()
    quote_asset = serializers.CharField()
    strategy_id = serializers.CharField()
    symbol = serializers.CharField()
    kind = serializers.CharField(help_text="open_long, reduce or close.")
    limits_version = serializers.IntegerField()
    verdicts = VerdictDocument(many=True)
    order = PreviewedOrder(
        allow_null=True, help_text="Also after a no, where it could be worked out."
    )
    sizing = serializers.DictField(child=serializers.CharField())
    levels = serializers.DictField(child=serializers.CharField())
    fees = FeesDocument()
    worst_loss = serializers.CharField(
        allow_null=True,
        help_text="What the stop costs, both fees included; null for an exit and without a stop.",
    )
    market = serializers.DictField(help_text="Quote, balances, equity and holding as seen.")
    seen_at = serializers.DateTimeField()


class PreviewView(APIView):
    """Show what the rules say to a signal now. Nothing is stored, sent or counted."""

    permission_classes = [needs_one_of("trading.trade", "trading.view_decision")]

    @extend_schema(
        operation_id="decisions_preview",
        tags=["decisions"],
        summary="What would this signal come to?",
        description=(
            "Takes the payload of `POST /trade` and puts it to the same rules on the same "
            "snapshot: every verdict, the order as it would be sized, its fees and the worst loss "
            "at its stop. No signal, decision, order or audit line is stored and no limit on pace "
            "counts it. It takes no lock: what it saw may have changed when the signal is sent. "
            "Needs the permission `trading.trade` or `trading.view_decision`."
        ),
        request=SignalPayload,
        responses={
            200: PreviewAnswer,
            400: problem("Not understood, no account takes it, or its strategy is not live."),
            401: problem("No or wrong credentials."),
            403: problem("Without one of the two permissions."),
            413: problem("The body is too large."),
            429: problem("Too many requests; Retry-After says when to come again."),
        },
        examples=[
            OpenApiExample("Options in meta (v1)", V1, request_only=True),
            OpenApiExample("Options at top level (v2)", V2, request_only=True),
        ],
    )
    def post(self, request: Request) -> HttpResponse:
        try:
            preview = what_if.look(
                body_of(request), actor=request.user.get_username(), now=timezone.now()
            )
        except PayloadError as error:
            raise answers.of_payload_error(error) from None
        except routing.NotLive as error:
            raise Problem(400, error.code, str(error), title=answers.REFUSED) from None
        except accounts.NoAccount as error:
            raise Problem(400, "ACCOUNT_UNKNOWN", str(error), title=answers.REFUSED) from None
        return HttpResponse(to_json(_told(preview)), content_type="application/json")


def _told(preview: Preview) -> dict[str, Any]:
    decision, outlook = preview.decision, preview.outlook
    return {
        "would_be_approved": decision.approved,
        "code": decision.code,
        "message": decision.message,
        "account": decision.account.name,
        "environment": decision.environment,
        "quote_asset": decision.account.quote_asset,
        "strategy_id": decision.strategy_id,
        "symbol": decision.symbol,
        "kind": decision.kind,
        "limits_version": decision.limits_version,
        "verdicts": decision.verdicts,
        "order": jsonable(preview.order),
        **decision.arithmetic,
        "fees": {"order": jsonable(outlook.fee), "exit_at_stop": jsonable(outlook.exit_fee)},
        "worst_loss": jsonable(outlook.worst_loss),
        "market": decision_record.in_short(decision.market),
        "seen_at": decision.decided_at,
    }
