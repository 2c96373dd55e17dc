"""Scorecards over the API, by environment, strategy and symbol."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from exchanges.models.venues import ENVIRONMENTS
from foundation.api.exact import ExactField
from signals_app.selectors import scorecards
from trading.api import filters


class ScorecardsAskedSerializer(serializers.Serializer[Any]):
    """Which days and what of them; everything when nothing is given."""

    environment = serializers.ChoiceField(ENVIRONMENTS, required=False, default="")
    strategy_id = serializers.CharField(required=False, default="", max_length=100)
    symbol = serializers.CharField(required=False, default="", max_length=32)
    since = serializers.DateField(required=False, default=None, help_text="First day.")
    until = serializers.DateField(required=False, default=None, help_text="Last day.")


class ScorecardSerializer(serializers.Serializer[Any]):
    environment = serializers.CharField(help_text="Empty for what never came to a decision.")
    strategy_id = serializers.CharField()
    symbol = serializers.CharField()
    signals = serializers.IntegerField(help_text="Decided, not understood, or told in shadow.")
    rejected = serializers.IntegerField(help_text="Not understood.")
    shadow = serializers.IntegerField(help_text="Told in shadow, never traded.")
    approved = serializers.IntegerField()
    denied = serializers.DictField(child=serializers.IntegerField(), help_text="By code.")
    average_decided_ms = serializers.IntegerField(
        allow_null=True, help_text="From a signal's receipt to its decision."
    )
    acknowledged_95_ms = serializers.IntegerField(
        allow_null=True,
        help_text="Bound under which 95 of 100 orders were answered by the venue since receipt.",
    )
    orders = serializers.IntegerField(help_text="Filled orders held against their price.")
    average_slippage_bps = ExactField(allow_null=True, help_text="Positive is worse.")
    worst_slippage_bps = ExactField(allow_null=True)
    trades = serializers.IntegerField()
    wins = serializers.IntegerField()
    losses = serializers.IntegerField()
    hit_rate = ExactField(allow_null=True)
    expectancy = ExactField(allow_null=True, help_text="Quote units a trade, after fees.")
    profit_factor = ExactField(allow_null=True)
    profit = ExactField(help_text="Quote units, after fees.")
    fees = ExactField()


class ScorecardsView(APIView):
    """What the signals of each strategy came to in each symbol."""

    @extend_schema(
        operation_id="scorecards",
        tags=["performance"],
        parameters=[ScorecardsAskedSerializer],
        responses={200: ScorecardSerializer(many=True)},
        description="Sums over whole days of the desk's clock, about half a minute behind.",
    )
    def get(self, request: Request) -> Response:
        filters.only(request, *ScorecardsAskedSerializer().fields)
        asked = ScorecardsAskedSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        found = scorecards.cards(**asked.validated_data)
        return Response(ScorecardSerializer(found, many=True).data)
