"""Backtests over the API: ask for one, follow it, read its report."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError as Objections
from django.http import Http404, HttpResponse
from django_filters.rest_framework.filterset import FilterSet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from exchanges.models.venues import ENVIRONMENTS
from foundation.api.documents import problem
from foundation.api.permissions import needs
from foundation.api.problems import Problem, to_json
from signals_app.api.named_fields import NamedFieldsSerializer
from signals_app.models import BacktestReport, BacktestRun
from signals_app.services import backtests
from signals_app.services.backtest_plan import Wish
from signals_app.services.backtests import AlreadyDone, NotPossible
from trading.domain.risk.types import SizingModel

MAY_RUN = needs("signals_app.run_backtest")
FIRST = Wish("", "", "")


class LimitEntrySerializer(NamedFieldsSerializer):
    """A limit of the run, as in a file of `replay_risk`."""

    scope = serializers.CharField(default="global")
    key = serializers.CharField(default="", allow_blank=True)
    name = serializers.CharField()
    value = serializers.CharField()


class BacktestAskedSerializer(NamedFieldsSerializer):
    """What to run. Basis points are of the price; times are UTC."""

    strategy_id = serializers.CharField(max_length=100)
    symbol = serializers.CharField(max_length=32)
    interval = serializers.CharField(max_length=8, help_text="Such as 15m.")
    start = serializers.CharField(
        default="", allow_blank=True, max_length=40, help_text="As 2025-01-31; empty: the oldest."
    )
    end = serializers.CharField(default="", allow_blank=True, max_length=40)
    params = serializers.DictField(child=serializers.FloatField(), default=dict)
    cash = serializers.CharField(default=FIRST.cash, max_length=40)
    fee_bps = serializers.CharField(default=FIRST.fee_bps, max_length=40)
    spread_bps = serializers.CharField(default=FIRST.spread_bps, max_length=40)
    slippage_bps = serializers.CharField(default=FIRST.slippage_bps, max_length=40)
    depth_per_bps = serializers.CharField(default=FIRST.depth_per_bps, max_length=40)
    latency_ms = serializers.IntegerField(
        default=FIRST.latency_ms, min_value=0, max_value=3_600_000
    )
    sizing_model = serializers.ChoiceField(
        [m.value for m in SizingModel], default=FIRST.sizing_model
    )
    limits = LimitEntrySerializer(many=True, default=list)
    environment = serializers.ChoiceField(ENVIRONMENTS, default=FIRST.environment)


def wish_from(given: dict[str, Any]) -> Wish:
    """Return what was asked for in words that were checked."""
    limits = [dict(one) for one in given["limits"]]
    return Wish(**{**given, "symbol": given["symbol"].upper(), "limits": limits})


class BacktestSerializer(serializers.ModelSerializer[BacktestRun]):
    figures = serializers.JSONField(
        read_only=True, help_text="Metrics; null until it is done, and where one has no value."
    )

    class Meta:
        model = BacktestRun
        fields = (
            "id",
            "strategy_id",
            "symbol",
            "interval",
            "wish",
            "status",
            "progress",
            "attempt",
            "error",
            "actor",
            "created_at",
            "started_at",
            "finished_at",
            "digest",
            "figures",
        )
        read_only_fields = fields


class BacktestFilter(FilterSet):
    class Meta:
        model = BacktestRun
        fields = ("status", "strategy_id", "symbol", "interval", "actor")


@extend_schema_view(
    list=extend_schema(description="Newest first."),
    retrieve=extend_schema(responses={200: BacktestSerializer, 404: problem("No such backtest.")}),
)
@extend_schema(tags=["backtests"])
class BacktestViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[BacktestRun]
):
    """Strategies put to the past. Asking, cancelling and repeating need
    `signals_app.run_backtest`."""

    queryset = BacktestRun.objects.all()
    serializer_class = BacktestSerializer
    filterset_class = BacktestFilter
    lookup_value_regex = r"\d{1,18}"

    def get_permissions(self) -> list[BasePermission]:
        if self.action in ("create", "cancel", "again"):
            return [MAY_RUN()]
        return super().get_permissions()  # type: ignore[return-value]

    @extend_schema(
        request=BacktestAskedSerializer,
        responses={
            200: BacktestSerializer,
            201: BacktestSerializer,
            400: problem("Cannot be run so; the field says why."),
        },
        description=(
            "Queues a backtest. The same one asked for again while it waits or runs is not run "
            "twice: it is answered with 200."
        ),
    )
    def create(self, request: Request) -> Response:
        asked = BacktestAskedSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        wish = wish_from(asked.validated_data)
        try:
            run, is_new = backtests.ask(wish=wish, actor=request.user.get_username())
        except Objections as error:
            raise ValidationError(error.message_dict) from None
        code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        return Response(BacktestSerializer(run).data, status=code)

    @extend_schema(
        request=None,
        responses={
            200: BacktestSerializer,
            404: problem("No such backtest."),
            409: problem("It neither waits nor runs."),
        },
    )
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """End a backtest that waits or runs."""
        self._there(pk)
        try:
            run = backtests.cancel(int(pk), actor=request.user.get_username())
        except NotPossible as error:
            raise Problem(409, "BACKTEST_NOT_ACTIVE", f"Not cancelled: {error}.") from None
        return Response(BacktestSerializer(run).data)

    @extend_schema(
        request=None,
        responses={
            200: BacktestSerializer,
            404: problem("No such backtest."),
            409: problem("BACKTEST_DONE: its report stands. BACKTEST_ACTIVE: it waits or runs."),
        },
    )
    @action(detail=True, methods=["post"])
    def again(self, request: Request, pk: str) -> Response:
        """Start a backtest again that failed, was cancelled or lost its worker."""
        self._there(pk)
        try:
            run = backtests.again(int(pk), actor=request.user.get_username())
        except NotPossible as error:
            code = "BACKTEST_DONE" if isinstance(error, AlreadyDone) else "BACKTEST_ACTIVE"
            raise Problem(409, code, f"Not started again: {error}.") from None
        return Response(BacktestSerializer(run).data)

    @extend_schema(
        responses={200: OpenApiTypes.OBJECT, 404: problem("No such backtest, or not done yet.")},
        description="Everything it came to: figures, curves, candles, trades, fills, denials.",
    )
    @action(detail=True, methods=["get"])
    def report(self, request: Request, pk: str) -> HttpResponse:  # noqa: ARG002
        found = BacktestReport.objects.filter(run=int(pk)).first()
        if found is None:
            raise Http404(f"Backtest {pk} has no report.")
        return HttpResponse(to_json(found.told()), content_type="application/json")

    def _there(self, pk: str) -> None:
        if not BacktestRun.objects.filter(pk=pk).exists():
            raise Http404(f"No backtest {pk}.")
