"""Closed trades over the API, and what they came to."""

from __future__ import annotations

from typing import Any

from django_filters.filters import CharFilter, IsoDateTimeFilter
from django_filters.rest_framework.filterset import FilterSet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from foundation.api.exact import ExactField, ExactSerializer
from trading.api import filters
from trading.api.viewsets import ReadOnly
from trading.models import ClosedTrade
from trading.selectors import performance


class ClosedTradeFilter(FilterSet):
    account = CharFilter(field_name="account__name")
    closed_after = IsoDateTimeFilter(field_name="closed_at", lookup_expr="gte")
    closed_before = IsoDateTimeFilter(field_name="closed_at", lookup_expr="lt")

    class Meta:
        model = ClosedTrade
        fields = ("symbol", "strategy_id")


class ClosedTradeSerializer(ExactSerializer):
    account = serializers.CharField(source="account.name")
    outcome = serializers.CharField(read_only=True)

    class Meta:
        model = ClosedTrade
        fields = (
            "id",
            "account",
            "symbol",
            "strategy_id",
            "opened_at",
            "closed_at",
            "bought",
            "sold",
            "entry_price",
            "exit_price",
            "fees",
            "profit",
            "outcome",
        )


class AskedSerializer(serializers.Serializer[Any]):
    """Which trades to sum up; all of them when nothing is given."""

    account = serializers.CharField(required=False, default="", max_length=64)
    strategy_id = serializers.CharField(required=False, default="", max_length=100)
    symbol = serializers.CharField(required=False, default="", max_length=32)
    since = serializers.DateTimeField(required=False, default=None)


class PerformanceSerializer(serializers.Serializer[Any]):
    trades = serializers.IntegerField()
    wins = serializers.IntegerField()
    losses = serializers.IntegerField()
    breakevens = serializers.IntegerField()
    profit = ExactField(help_text="Quote units, net of fees.")
    gross_profit = ExactField()
    gross_loss = ExactField(help_text="Positive.")
    fees = ExactField()
    drawdown = ExactField(help_text="Largest fall of the summed profit from its highest point.")
    streak = serializers.IntegerField(help_text="Latest trades of one kind; losses negative.")
    longest_losing_streak = serializers.IntegerField()
    win_rate = ExactField(allow_null=True)
    profit_factor = ExactField(allow_null=True)
    expectancy = ExactField(allow_null=True)


@extend_schema(tags=["performance"])
class ClosedTradeViewSet(ReadOnly):
    """Round trips, newest first, with what each earned after fees."""

    queryset = ClosedTrade.objects.select_related("account")
    serializer_class = ClosedTradeSerializer
    filterset_class = ClosedTradeFilter


class PerformanceView(APIView):
    """Wins, losses, profit, drawdown and streaks of an account, a strategy, a symbol."""

    @extend_schema(
        operation_id="performance",
        tags=["performance"],
        parameters=[AskedSerializer],
        responses={200: PerformanceSerializer},
    )
    def get(self, request: Request) -> Response:
        filters.only(request, *AskedSerializer().fields)
        asked = AskedSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        return Response(PerformanceSerializer(performance.of(**asked.validated_data)).data)
