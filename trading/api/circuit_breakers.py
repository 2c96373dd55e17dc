"""Circuit breakers over the API: what each one watches, its line, and how it stands."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from trading.domain.circuit_breakers import State
from trading.domain.risk.types import TradingMode
from trading.services.control import circuit_breakers


class TripSerializer(serializers.Serializer[Any]):
    """One circuit breaker in one place. `unknown` is not fine: its facts cannot be had."""

    name = serializers.CharField()
    scope = serializers.CharField(allow_blank=True)
    key = serializers.CharField(allow_blank=True)
    state = serializers.ChoiceField(choices=[(s.value, s.value) for s in State])
    level = serializers.ChoiceField(
        choices=[(m.value, m.value) for m in TradingMode if m is not TradingMode.ACTIVE],
        help_text="What it stops with.",
    )
    limit = serializers.CharField(allow_blank=True)
    actual = serializers.CharField(allow_blank=True)
    what_to_do = serializers.CharField(
        allow_blank=True, help_text="For a person, about one that tripped."
    )


class TripsSerializer(serializers.Serializer[Any]):
    worst = serializers.CharField(help_text="fine, unknown or tripped.")
    seconds_ago = serializers.FloatField(
        allow_null=True, help_text="Since the last watch; null when nobody watches."
    )
    trips = TripSerializer(many=True, source="findings")


class TripsView(APIView):
    """How the circuit breakers stand. One that tripped has stopped entries: see trading-state."""

    @extend_schema(
        operation_id="trips",
        tags=["trading-state"],
        responses={200: TripsSerializer},
    )
    def get(self, request: Request) -> Response:  # noqa: ARG002
        return Response(TripsSerializer(circuit_breakers.seen()).data)
