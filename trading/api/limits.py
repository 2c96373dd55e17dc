"""Limits over the API: what is set, what holds, and changes with author and reason."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers as drf
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from foundation.api.documents import problem
from foundation.api.permissions import needs
from foundation.api.problems import Problem
from trading.api import filters, serializers
from trading.api.viewsets import ReadOnly
from trading.models import Limit, LimitChange, VirtualAccount
from trading.services.control import limits
from trading.services.control.four_eyes import SecondPersonNeeded


@extend_schema(tags=["limits"])
class LimitViewSet(ReadOnly):
    """Values that are set, each in its place. What holds for an intent is under `effective`."""

    queryset = Limit.objects.all()
    serializer_class = serializers.LimitSerializer
    filterset_class = filters.LimitFilter


class EffectiveView(APIView):
    """What holds for one account, strategy and symbol, and where each value comes from."""

    @extend_schema(
        operation_id="limits_effective",
        tags=["limits"],
        parameters=[
            OpenApiParameter("account", str, description="Its name; the default one if left out."),
            OpenApiParameter("strategy_id", str),
            OpenApiParameter("symbol", str),
        ],
        responses={
            200: serializers.EffectiveLimitSerializer(many=True),
            404: problem("No such account."),
        },
    )
    def get(self, request: Request) -> Response:
        wanted = request.query_params
        filters.only(request, "account", "strategy_id", "symbol")
        rows = VirtualAccount.objects.all()
        name = wanted.get("account", "")
        account = (rows.filter(name=name) if name else rows.filter(is_default=True)).first()
        if account is None:
            raise Problem(404, "ACCOUNT_UNKNOWN", f"There is no account {name or 'by default'}.")
        held = limits.effective(
            account,
            strategy_id=wanted.get("strategy_id", ""),
            symbol=wanted.get("symbol", "").upper(),
        )
        return Response(serializers.EffectiveLimitSerializer(held.values(), many=True).data)


@extend_schema(tags=["limits"])
class LimitChangeViewSet(ReadOnly):
    """Every change of a limit: who asked, why, from what to what, who approved it."""

    queryset = LimitChange.objects.all()
    serializer_class = serializers.LimitChangeSerializer
    filterset_class = filters.LimitChangeFilter

    def get_permissions(self) -> Any:
        if self.action == "create":
            return [needs("trading.change_limit")()]
        return super().get_permissions()

    @extend_schema(
        request=serializers.LimitWishSerializer,
        responses={
            200: serializers.LimitChangeSerializer,
            201: serializers.LimitChangeSerializer,
            202: serializers.LimitChangeSerializer,
            204: None,
            400: problem("Not understood."),
        },
        description=(
            "Set a limit in one place, or unset it there with a value of null. 201: it holds. "
            "202: it is looser and waits for a second person. 204: it was so already. "
            "Needs `trading.change_limit`."
        ),
        examples=[
            OpenApiExample(
                "Less in one symbol",
                {
                    "scope": "symbol",
                    "key": "BTCUSDT",
                    "name": "max_position_notional",
                    "value": "2500",
                    "reason": "thin book",
                },
                request_only=True,
            )
        ],
    )
    def create(self, request: Request) -> Response:
        asked = serializers.LimitWishSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        try:
            change = limits.set_limit(
                limits.Wish(**asked.validated_data), actor=request.user.get_username()
            )
        except ValidationError as error:
            raise drf.ValidationError(error.message_dict) from None
        if change is None:
            return Response(status=status.HTTP_204_NO_CONTENT)
        waits = change.state == LimitChange.State.PENDING
        code = status.HTTP_202_ACCEPTED if waits else status.HTTP_201_CREATED
        return Response(self.get_serializer(change).data, status=code)

    @extend_schema(
        request=serializers.LimitVerdictSerializer,
        responses={
            200: serializers.LimitChangeSerializer,
            409: problem("It does not wait any more, or you asked for it yourself."),
        },
        description="Let a waiting change hold. Needs `trading.approve_limitchange`.",
    )
    @action(
        detail=True, methods=["post"], permission_classes=[needs("trading.approve_limitchange")]
    )
    def approve(self, request: Request, pk: str) -> Response:  # noqa: ARG002
        return self._decided(request, limits.approve)

    @extend_schema(
        request=serializers.LimitVerdictSerializer,
        responses={
            200: serializers.LimitChangeSerializer,
            409: problem("It does not wait any more."),
        },
        description="Say no to a waiting change. Needs `trading.change_limit`.",
    )
    @action(detail=True, methods=["post"], permission_classes=[needs("trading.change_limit")])
    def decline(self, request: Request, pk: str) -> Response:  # noqa: ARG002
        return self._decided(request, limits.decline)

    def _decided(self, request: Request, decide: Any) -> Response:
        change = self.get_object()
        said = serializers.LimitVerdictSerializer(data=request.data)
        said.is_valid(raise_exception=True)
        actor, reason = request.user.get_username(), said.validated_data["reason"]
        try:
            change = decide(change.pk, actor=actor, reason=reason)
        except SecondPersonNeeded as error:
            raise Problem(409, "SECOND_PERSON_NEEDED", str(error)) from None
        except ValidationError as error:
            raise Problem(409, "CHANGE_NOT_WAITING", " ".join(error.messages)) from None
        return Response(self.get_serializer(change).data)
