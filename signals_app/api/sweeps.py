"""Sweeps over the API: try many parameters, follow it, read whether the best is more than luck."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError as Objections
from django.http import Http404
from django_filters.rest_framework.filterset import FilterSet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from foundation.api.documents import problem
from foundation.api.problems import Problem
from signals_app.api.backtests import MAY_RUN, BacktestAskedSerializer, wish_from
from signals_app.models import BacktestSweep
from signals_app.services import sweeps
from signals_app.services.backtests import NotPossible


class SweepAskedSerializer(BacktestAskedSerializer):
    """A backtest and the values to try."""

    grid = serializers.DictField(
        child=serializers.CharField(max_length=1000),
        allow_empty=False,
        help_text="By parameter: 5:50:5 (from, to and step) or 20,50,100.",
    )
    windows = serializers.IntegerField(
        default=sweeps.WINDOWS, min_value=1, max_value=24, help_text="Of the walk forward."
    )
    ratio = serializers.IntegerField(
        default=sweeps.RATIO,
        min_value=1,
        max_value=20,
        help_text="How many times as long the in-sample part is as what follows.",
    )


class SweepSerializer(serializers.ModelSerializer[BacktestSweep]):
    trials_done = serializers.IntegerField(read_only=True)

    class Meta:
        model = BacktestSweep
        fields: tuple[str, ...] = (
            "id",
            "strategy_id",
            "symbol",
            "interval",
            "wish",
            "status",
            "progress",
            "trials_count",
            "trials_done",
            "error",
            "actor",
            "created_at",
            "started_at",
            "finished_at",
        )
        read_only_fields = fields


class SweepResultsSerializer(SweepSerializer):
    results = serializers.JSONField(
        read_only=True,
        help_text=(
            "What was chosen in each window and what came of it, `warning` about luck, `warnings`"
            " about missing candles, heat map; null until it is done."
        ),
    )
    trials = serializers.SerializerMethodField(help_text="Parameters and figures of each trial.")

    class Meta(SweepSerializer.Meta):
        fields = (*SweepSerializer.Meta.fields, "results", "trials")
        read_only_fields = fields

    def get_trials(self, sweep: BacktestSweep) -> list[dict[str, Any]]:
        return [
            {
                "number": one.number,
                "params": one.params,
                "status": one.status,
                "error": one.error,
                "figures": (one.result or {}).get("whole"),
            }
            for one in sweep.trials.order_by("number")
        ]


class SweepFilter(FilterSet):
    class Meta:
        model = BacktestSweep
        fields = ("status", "strategy_id", "symbol", "interval", "actor")


@extend_schema_view(list=extend_schema(description="Newest first."))
@extend_schema(tags=["backtests"])
class SweepViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[BacktestSweep]):
    """Many parameters put to the past: chosen in-sample, measured out-of-sample. Asking and
    cancelling need `signals_app.run_backtest`."""

    queryset = BacktestSweep.objects.defer("results")
    serializer_class = SweepSerializer
    filterset_class = SweepFilter
    lookup_value_regex = r"\d{1,18}"

    def get_permissions(self) -> list[BasePermission]:
        if self.action in ("create", "cancel"):
            return [MAY_RUN()]
        return super().get_permissions()  # type: ignore[return-value]

    @extend_schema(responses={200: SweepResultsSerializer, 404: problem("No such sweep.")})
    def retrieve(self, request: Request, pk: str) -> Response:  # noqa: ARG002
        """Tell what it came to, trial by trial, and whether the best is more than luck."""
        return Response(SweepResultsSerializer(self._there(pk)).data)

    @extend_schema(
        request=SweepAskedSerializer,
        responses={
            200: SweepSerializer,
            201: SweepSerializer,
            400: problem("Cannot be run so; the field says why."),
        },
        description=(
            "Queues a sweep. The same one asked for again while it waits or runs is not run "
            "twice: it is answered with 200."
        ),
    )
    def create(self, request: Request) -> Response:
        asked = SweepAskedSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given = dict(asked.validated_data)
        own = {name: given.pop(name) for name in ("grid", "windows", "ratio")}
        try:
            sweep, is_new = sweeps.ask(
                wish=wish_from(given), actor=request.user.get_username(), **own
            )
        except Objections as error:
            raise ValidationError(error.message_dict) from None
        code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        return Response(SweepSerializer(sweep).data, status=code)

    @extend_schema(
        request=None,
        responses={
            200: SweepSerializer,
            404: problem("No such sweep."),
            409: problem("It neither waits nor runs."),
        },
    )
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """End a sweep that waits or runs."""
        self._there(pk)
        try:
            sweep = sweeps.cancel(int(pk), actor=request.user.get_username())
        except NotPossible as error:
            raise Problem(409, "SWEEP_NOT_ACTIVE", f"Not cancelled: {error}.") from None
        return Response(SweepSerializer(sweep).data)

    def _there(self, pk: str) -> BacktestSweep:
        found = BacktestSweep.objects.filter(pk=pk).first()
        if found is None:
            raise Http404(f"No sweep {pk}.")
        return found
