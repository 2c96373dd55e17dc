"""Trading over the API: facts to read, and the few deliberate acts a person may do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from foundation.api.documents import problem
from foundation.api.exact import ExactField
from foundation.api.permissions import needs
from foundation.api.problems import Problem, to_json
from trading.api import cancelling, filters, serializers
from trading.models import (
    Decision,
    Fill,
    Order,
    StopReport,
    TradingState,
    VirtualAccount,
)
from trading.selectors import statistics
from trading.services.control import kill_switch
from trading.services.execution import flatten


class ReadOnly(viewsets.ReadOnlyModelViewSet[Any]):
    """A list and a detail; `detail_serializer_class` shows more of one row than of many."""

    lookup_value_regex = r"\d{1,18}"
    detail_serializer_class: type[BaseSerializer[Any]] | None = None

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        if self.action != "list" and self.detail_serializer_class is not None:
            return self.detail_serializer_class
        return super().get_serializer_class()


@extend_schema(tags=["decisions"])
class DecisionViewSet(ReadOnly):
    """Verdicts on intents; the detail lists every rule with its inputs, limit and actual value."""

    queryset = Decision.objects.select_related("account")
    serializer_class = serializers.DecisionSerializer
    detail_serializer_class = serializers.DecisionWithVerdictsSerializer
    filterset_class = filters.DecisionFilter


@extend_schema(tags=["orders"])
class OrderViewSet(ReadOnly):
    """Orders, protective ones included; the detail carries the fills."""

    queryset = Order.objects.select_related("account", "venue_account", "order_list")
    serializer_class = serializers.OrderSerializer
    detail_serializer_class = serializers.OrderWithFillsSerializer
    filterset_class = filters.OrderFilter

    @extend_schema(
        request=None,
        responses={
            200: serializers.OrderWithFillsSerializer,
            202: serializers.OrderWithFillsSerializer,
            404: problem("No such order."),
            409: problem("It has ended already."),
        },
        description=(
            "202 when the venue has not confirmed it yet. An exit that ended short and is to go on "
            "(`follow_up_at`), or the order that carries it on before it is sent, ends here: what "
            "it left stays unsold. Needs `trading.cancel`."
        ),
    )
    @action(detail=True, methods=["post"], permission_classes=[needs("trading.cancel")])
    def cancel(self, request: Request, pk: str) -> Response:  # noqa: ARG002
        order = self.get_object()
        done = cancelling.cancel(order, actor=request.user.get_username())
        body = self.get_serializer(order).data
        return Response(body, status=status.HTTP_200_OK if done else status.HTTP_202_ACCEPTED)


@extend_schema(tags=["fills"])
class FillViewSet(ReadOnly):
    """Venue trades, each booked once."""

    queryset = Fill.objects.all()
    serializer_class = serializers.FillSerializer
    filterset_class = filters.FillFilter


@extend_schema(tags=["accounts"])
class AccountViewSet(ReadOnly):
    """Virtual accounts with their limits, and the balances of the venue account behind them."""

    queryset = VirtualAccount.objects.select_related("venue_account").prefetch_related(
        "venue_account__balances", "strategies"
    )
    serializer_class = serializers.AccountSerializer
    filterset_class = filters.AccountFilter


@extend_schema_view(
    create=extend_schema(
        request=serializers.EngageSerializer,
        responses={201: serializers.TradingStateSerializer, 400: problem("Not understood.")},
        description=(
            "Stop or restrict trading: no new entry leaves from now on. Under `REDUCE_ONLY` and "
            "`HALTED` (also called `HALT_NEW`) entries that already rest at the venue stay there "
            "and may fill: `/api/v1/orders/?role=entry&is_open=true` lists them. `CANCEL_OPEN` "
            "cancels them, `FLATTEN` also sells every open position of the scope at market: "
            "`plan` shows beforehand what would be done, `report` afterwards what was. Needs "
            "`trading.engage_kill_switch`."
        ),
        examples=[
            OpenApiExample(
                "Stop everything",
                {"mode": "HALTED", "scope": "global", "reason": "odd prices"},
                request_only=True,
            ),
            OpenApiExample(
                "Get out of one symbol",
                {"mode": "FLATTEN", "scope": "symbol", "key": "BTCUSDT", "reason": "delisting"},
                request_only=True,
            ),
        ],
    )
)
@extend_schema(tags=["trading-state"])
class TradingStateViewSet(ReadOnly, mixins.CreateModelMixin):
    """The kill switch: what holds, what held, engage, and release with a reason."""

    queryset = TradingState.objects.all()
    serializer_class = serializers.TradingStateSerializer
    filterset_class = filters.TradingStateFilter

    def get_permissions(self) -> Sequence[Any]:
        if self.action == "create":
            return [needs("trading.engage_kill_switch")()]
        return super().get_permissions()

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:  # noqa: ARG002
        wish = serializers.EngageSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        asked = wish.validated_data
        state = kill_switch.engage(
            actor=request.user.get_username(),
            reason=asked["reason"],
            mode=kill_switch.level(asked["mode"]),
            scope=asked["scope"],
            key=asked["key"],
            expires_at=asked["expires_at"],
        )
        return Response(self.get_serializer(state).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        request=serializers.ReleaseSerializer,
        responses={
            200: serializers.TradingStateSerializer,
            202: serializers.ApprovalSerializer,
            404: problem("No such state."),
            409: problem("It was released before."),
        },
        description=(
            "Let trading go on, with a reason. 202 with `FOUR_EYES`: it is still stopped and waits "
            "for another person, under `/api/v1/approvals/`. Needs `trading.release_kill_switch`."
        ),
    )
    @action(
        detail=True, methods=["post"], permission_classes=[needs("trading.release_kill_switch")]
    )
    def release(self, request: Request, pk: str) -> Response:  # noqa: ARG002
        state = self.get_object()
        wish = serializers.ReleaseSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        outcome = kill_switch.release(
            state_id=state.pk,
            actor=request.user.get_username(),
            reason=wish.validated_data["reason"],
        )
        if outcome.waits:
            body = serializers.ApprovalSerializer(outcome.waits).data
            return Response(body, status=status.HTTP_202_ACCEPTED)
        state.refresh_from_db()
        if not outcome:
            raise Problem(
                409,
                "ALREADY_RELEASED",
                f"{state.released_by} released it before.",
                released_at=state.released_at,
            )
        return Response(self.get_serializer(state).data)

    @extend_schema(
        operation_id="trading_state_plan",
        parameters=[serializers.StopWishSerializer],
        responses={200: serializers.StopPlanSerializer, 400: problem("Not understood.")},
        description=(
            "What a stop of this level would cancel and sell right now. Nothing is done. The mild "
            "levels do neither."
        ),
    )
    @action(detail=False, methods=["get"], filterset_class=None, pagination_class=None)
    def plan(self, request: Request) -> Response:
        wish = serializers.StopWishSerializer(data=request.query_params)
        wish.is_valid(raise_exception=True)
        asked = wish.validated_data
        mode = kill_switch.level(asked["mode"])
        planned = flatten.plan(mode=mode, scope=asked["scope"], key=asked["key"])
        body = {**asked, "mode": mode.value, **planned.as_json()}
        return Response(serializers.StopPlanSerializer(body).data)

    @extend_schema(
        responses={
            200: serializers.StopReportSerializer,
            404: problem("No such state, or nothing was to be carried out (yet)."),
        },
        description="What a CANCEL_OPEN or FLATTEN has cancelled and sold, and what is left.",
    )
    @action(detail=True, methods=["get"])
    def report(self, request: Request, pk: str) -> Response:  # noqa: ARG002
        report = StopReport.objects.filter(state=self.get_object()).first()
        if report is None:
            raise Problem(404, "REPORT_UNKNOWN", "Nothing has been carried out for it.")
        return Response(serializers.StopReportSerializer(report).data)


class StatisticsView(APIView):
    """Figures for dashboards and older clients."""

    @extend_schema(
        operation_id="stats",
        tags=["stats"],
        summary="Counts and sums",
        description=(
            "The four keys of the older engine (`trades_total`, `trades_success`, "
            "`trades_failed`, `total_volume_usdt`, JSON numbers) and more, money as exact text. "
            "At most five seconds old."
        ),
        responses={200: OpenApiTypes.OBJECT},
    )
    def get(self, request: Request) -> HttpResponse:  # noqa: ARG002
        figures = statistics.current()
        body = {**figures, "total_volume_usdt": float(figures["total_volume_usdt"])}
        body["total_volume_usdt_exact"] = ExactField().to_representation(
            figures["total_volume_usdt"]
        )
        return HttpResponse(to_json(body), content_type="application/json")
