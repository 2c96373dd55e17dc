"""Realised slippage over the API, by strategy, symbol and role."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from foundation.api.exact import ExactField
from trading.api import filters
from trading.models import Order
from trading.selectors import slippage


class SlippageAskedSerializer(serializers.Serializer[Any]):
    """Which filled orders to sum up; all of them when nothing is given."""

    account = serializers.CharField(required=False, default="", max_length=64)
    strategy_id = serializers.CharField(required=False, default="", max_length=100)
    symbol = serializers.CharField(required=False, default="", max_length=32)
    role = serializers.ChoiceField(choices=Order.Role.choices, required=False, default="")
    since = serializers.DateTimeField(required=False, default=None)


class SlippageSerializer(serializers.Serializer[Any]):
    strategy_id = serializers.CharField()
    symbol = serializers.CharField()
    role = serializers.CharField()
    orders = serializers.IntegerField()
    average_bps = ExactField(help_text="Of the price expected; positive is worse.")
    median_bps = ExactField()
    worst_bps = ExactField()
    above_limit = serializers.IntegerField(
        help_text="Orders filled worse than the limit they were decided under."
    )
    cost = ExactField(help_text="Quote units paid beyond, or received short of, what was expected.")


class SlippageView(APIView):
    """What fills cost against the prices their orders were decided on."""

    @extend_schema(
        operation_id="slippage",
        tags=["performance"],
        parameters=[SlippageAskedSerializer],
        responses={200: SlippageSerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        filters.only(request, *SlippageAskedSerializer().fields)
        asked = SlippageAskedSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        rows = slippage.by_strategy_and_symbol(**asked.validated_data)
        return Response(SlippageSerializer(rows, many=True).data)
