"""What signals look like over the API."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from audit.api import EventSerializer
from foundation.api.exact import ExactSerializer
from signals_app.models import Signal
from trading.api.serializers import DecisionWithVerdictsSerializer, OrderWithFillsSerializer


class SignalSerializer(ExactSerializer):
    decision = serializers.PrimaryKeyRelatedField[Any](read_only=True, allow_null=True)

    class Meta:
        model = Signal
        fields: tuple[str, ...] = (
            "uid",
            "source",
            "subject",
            "status",
            "strategy_id",
            "symbol",
            "action",
            "confidence",
            "error_field",
            "error_code",
            "error_message",
            "correlation_id",
            "actor",
            "emitted_at",
            "received_at",
            "decided_at",
            "decision",
        )


class SignalStorySerializer(SignalSerializer):
    """A signal with all that followed. `raw` is the body as received, as far as it is text."""

    raw = serializers.SerializerMethodField()
    replay_of = serializers.CharField(source="replay_of.uid", default=None, allow_null=True)
    decision = DecisionWithVerdictsSerializer(allow_null=True)  # type: ignore[assignment]
    orders = serializers.SerializerMethodField()
    audit = serializers.SerializerMethodField()

    class Meta(SignalSerializer.Meta):
        fields = (
            *SignalSerializer.Meta.fields,
            "draft",
            "raw",
            "raw_length",
            "raw_sha256",
            "replay_of",
            "orders",
            "audit",
        )

    def get_raw(self, signal: Signal) -> str:
        return bytes(signal.raw).decode("utf-8", "replace")

    @extend_schema_field(OrderWithFillsSerializer(many=True))
    def get_orders(self, signal: Signal) -> Any:  # noqa: ARG002
        return OrderWithFillsSerializer(self.context["story"].orders, many=True).data

    @extend_schema_field(EventSerializer(many=True))
    def get_audit(self, signal: Signal) -> Any:  # noqa: ARG002
        return EventSerializer(self.context["story"].audit, many=True).data
