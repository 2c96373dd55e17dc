"""What trading's rows look like over the API. Facts only: nothing here is written by a client."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from exchanges.models import Balance, VenueAccount
from foundation.api.exact import ExactField, ExactSerializer
from trading.domain.risk.limit_book import BY_NAME, word
from trading.domain.risk.types import TradingMode
from trading.models import (
    Approval,
    Decision,
    Fill,
    Limit,
    LimitChange,
    Order,
    Position,
    PositionAdjustment,
    StopReport,
    TradingState,
    VirtualAccount,
)
from trading.models.limits import LimitScope
from trading.services.control import kill_switch, limits
from trading.services.execution import flatten
from trading.services.reports import cover


class FillSerializer(ExactSerializer):
    order = serializers.PrimaryKeyRelatedField[Order](read_only=True)

    class Meta:
        model = Fill
        fields = (
            "id",
            "order",
            "symbol",
            "venue_trade_id",
            "side",
            "price",
            "quantity",
            "quote_quantity",
            "commission",
            "commission_asset",
            "commission_quote",
            "is_maker",
            "traded_at",
            "recorded_at",
        )


class OrderSerializer(ExactSerializer):
    account = serializers.CharField(source="account.name")
    environment = serializers.CharField(source="venue_account.environment")
    average_price = ExactField(allow_null=True, read_only=True)

    class Meta:
        model = Order
        fields = (
            "id",
            "client_order_id",
            "venue_order_id",
            "account",
            "environment",
            "decision",
            "order_list",
            "role",
            "strategy_id",
            "signal_uid",
            "correlation_id",
            "symbol",
            "side",
            "type",
            "time_in_force",
            "quantity",
            "price",
            "stop_price",
            "stop_loss",
            "take_profit",
            "status",
            "executed_quantity",
            "executed_quote",
            "average_price",
            "reference_price",
            "slippage_bps",
            "reason",
            "reason_code",
            "created_at",
            "submitted_at",
            "acknowledged_at",
            "closed_at",
            "cancel_requested_at",
            "unknown_since",
            "continues",
            "attempt",
            "follow_up_at",
        )


class OrderWithFillsSerializer(OrderSerializer):
    fills = FillSerializer(many=True)

    class Meta(OrderSerializer.Meta):
        fields = (*OrderSerializer.Meta.fields, "fills")  # type: ignore[assignment]


class DecisionSerializer(ExactSerializer):
    account = serializers.CharField(source="account.name")

    class Meta:
        model = Decision
        fields: tuple[str, ...] = (
            "id",
            "intent_uid",
            "account",
            "environment",
            "strategy_id",
            "symbol",
            "kind",
            "approved",
            "code",
            "message",
            "correlation_id",
            "actor",
            "limits_version",
            "decided_at",
        )


class DecisionWithVerdictsSerializer(DecisionSerializer):
    verdicts = serializers.JSONField(help_text="Every rule: passed, inputs, limit, actual.")

    class Meta(DecisionSerializer.Meta):
        fields = (
            *DecisionSerializer.Meta.fields,
            "intent",
            "verdicts",
            "plan",
            "arithmetic",
            "market",
        )


class CoverSerializer(serializers.Serializer[Any]):
    """How a position is protected right now. Quantities are base units."""

    state = serializers.ChoiceField(choices=[state.value for state in cover.State])
    stops = serializers.IntegerField(help_text="Live stops at the venue.")
    covered = ExactField(help_text="What stands under them.")
    guarded = ExactField(help_text="What our guard process holds a stop for.")
    lines = serializers.ListField(
        child=serializers.CharField(), help_text="Sentences for people, what is missing first."
    )


class ManyPositionsSerializer(serializers.ListSerializer[Any]):
    """Asks once how all positions of a page are protected."""

    def to_representation(self, data: Any) -> Any:
        rows = list(data)
        assert isinstance(self.child, PositionSerializer)
        self.child.covers = cover.of(rows)
        return super().to_representation(rows)


class PositionSerializer(ExactSerializer):
    account = serializers.CharField(source="account.name")
    protection = serializers.SerializerMethodField()
    covers: Mapping[int, cover.Cover] = {}

    @extend_schema_field(CoverSerializer)
    def get_protection(self, position: Position) -> Any:
        found = self.covers.get(position.pk) or cover.of([position])[position.pk]
        return CoverSerializer(found).data

    class Meta:
        model = Position
        list_serializer_class = ManyPositionsSerializer
        fields = (
            "id",
            "account",
            "symbol",
            "quantity",
            "average_entry_price",
            "realised_pnl",
            "fees_quote",
            "excess_sold",
            "is_open",
            "stop_price",
            "target_price",
            "naked_since",
            "alarm",
            "guarded_quantity",
            "shortfall",
            "refused_count",
            "refused_until",
            "gap_ms",
            "next_look_at",
            "protection",
            "mark_price",
            "marked_at",
            "opened_at",
            "closed_at",
            "updated_at",
        )


class AdjustmentSerializer(ExactSerializer):
    position = serializers.PrimaryKeyRelatedField[Position](read_only=True)
    account = serializers.CharField(source="position.account.name")
    symbol = serializers.CharField(source="position.symbol")
    cost = ExactField(read_only=True)

    class Meta:
        model = PositionAdjustment
        fields = (
            "id",
            "position",
            "account",
            "symbol",
            "quantity",
            "price",
            "cost",
            "reason",
            "actor",
            "at",
        )


class BalanceSerializer(ExactSerializer):
    class Meta:
        model = Balance
        fields = ("asset", "free", "locked", "updated_at")


class VenueAccountSerializer(ExactSerializer):
    balances = BalanceSerializer(many=True)

    class Meta:
        model = VenueAccount
        fields = (
            "id",
            "environment",
            "market",
            "label",
            "can_trade",
            "maker_rate",
            "taker_rate",
            "balances_at",
            "stream_at",
            "balances",
        )


class EffectiveLimitSerializer(serializers.Serializer[Any]):
    """What holds, and where it comes from; `version` 0 means that nobody ever set it."""

    name = serializers.CharField(source="spec.name")
    value = serializers.CharField(source="text")
    unit = serializers.CharField(source="spec.unit")
    source = serializers.CharField()  # type: ignore[assignment]
    version = serializers.IntegerField()
    is_capped = serializers.BooleanField()
    range = serializers.CharField(source="spec.range")
    help = serializers.CharField(source="spec.help")


class AccountSerializer(ExactSerializer):
    venue_account = VenueAccountSerializer()
    limits = serializers.SerializerMethodField(
        help_text="What holds for the account whatever the strategy and symbol, by name."
    )
    strategies = serializers.SlugRelatedField(  # type: ignore[var-annotated]
        many=True, read_only=True, slug_field="strategy_id"
    )

    def get_limits(self, account: VirtualAccount) -> dict[str, str]:
        return {name: word(held.value) for name, held in limits.effective(account).items()}

    class Meta:
        model = VirtualAccount
        fields = (
            "id",
            "name",
            "is_default",
            "enabled",
            "quote_asset",
            "allowed_symbols",
            "sizing_model",
            "default_order_type",
            "trading_window",
            "capital",
            "limits",
            "strategies",
            "created_at",
            "venue_account",
        )


class LimitSerializer(ExactSerializer):
    class Meta:
        model = Limit
        fields = ("id", "scope", "key", "name", "value", "version")


class LimitChangeSerializer(ExactSerializer):
    class Meta:
        model = LimitChange
        fields = (
            "id",
            "version",
            "scope",
            "key",
            "name",
            "before",
            "after",
            "is_looser",
            "reason",
            "author",
            "asked_at",
            "state",
            "decided_by",
            "decided_at",
            "decision_reason",
        )


class ApprovalSerializer(ExactSerializer):
    class Meta:
        model = Approval
        fields = (
            "id",
            "kind",
            "target",
            "wish",
            "words",
            "reason",
            "author",
            "asked_at",
            "state",
            "decided_by",
            "decided_at",
            "decision_reason",
        )


class TradingStateSerializer(ExactSerializer):
    in_force = serializers.SerializerMethodField()

    class Meta:
        model = TradingState
        fields = (
            "id",
            "scope",
            "key",
            "mode",
            "reason",
            "in_force",
            "engaged_by",
            "engaged_at",
            "expires_at",
            "released_by",
            "released_at",
            "release_reason",
        )

    def get_in_force(self, state: TradingState) -> bool:
        expired = state.expires_at is not None and state.expires_at <= timezone.now()
        return state.released_at is None and not expired


class TextField(serializers.CharField):
    """Text only: DRF itself takes 0 for "0"."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class StopWishSerializer(serializers.Serializer[Any]):
    """A level and a place. The key names what the scope is about; empty for global."""

    mode = serializers.ChoiceField(choices=kill_switch.LEVELS, default=TradingMode.HALTED.value)
    scope = serializers.ChoiceField(
        choices=TradingState.Scope.choices, default=TradingState.Scope.GLOBAL
    )
    key = TextField(max_length=100, allow_blank=True, default="")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs["key"] = kill_switch.spelled(attrs["scope"], attrs["key"])
        if fault := kill_switch.fault_of_key(attrs["scope"], attrs["key"]):
            raise serializers.ValidationError({"key": [fault]})
        return attrs


class EngageSerializer(StopWishSerializer):
    """A wish to be stricter."""

    reason = TextField(max_length=500)
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)

    def validate_expires_at(self, value: datetime | None) -> datetime | None:
        if value is not None and value <= timezone.now():
            raise serializers.ValidationError("must lie in the future", code="in_the_past")
        return value


class PlannedCancelSerializer(serializers.Serializer[Any]):
    """An entry of ours that would be cancelled; figures as exact text."""

    order = serializers.IntegerField()
    client_order_id = serializers.CharField()
    account = serializers.CharField()
    venue = serializers.CharField(help_text="Such as binance.spot.mainnet.")
    environment = serializers.CharField()
    strategy_id = serializers.CharField()
    symbol = serializers.CharField()
    side = serializers.CharField()
    type = serializers.CharField()
    quantity = serializers.CharField()
    filled = serializers.CharField()
    price = serializers.CharField(allow_null=True)
    status = serializers.CharField()


class PlannedCloseSerializer(serializers.Serializer[Any]):
    """A position that would be sold at market, whole."""

    position = serializers.IntegerField()
    account = serializers.CharField()
    venue = serializers.CharField(help_text="Such as binance.spot.mainnet.")
    environment = serializers.CharField()
    symbol = serializers.CharField()
    quantity = serializers.CharField()
    average_entry_price = serializers.CharField()


class StopPlanSerializer(serializers.Serializer[Any]):
    """What a stop would cancel and sell; `too_small` is held but the venue takes no order for."""

    mode = serializers.CharField()
    scope = serializers.CharField()
    key = serializers.CharField()
    cancels = PlannedCancelSerializer(many=True)
    closes = PlannedCloseSerializer(many=True)
    too_small = PlannedCloseSerializer(many=True)


class StopReportSerializer(ExactSerializer):
    """`steps` says by order and position what became of it: done, waits or failed, and why."""

    counts = serializers.SerializerMethodField()

    class Meta:
        model = StopReport
        fields = (
            "state",
            "asked_by",
            "started_at",
            "updated_at",
            "finished_at",
            "ended",
            "left",
            "counts",
            "planned",
            "steps",
        )

    def get_counts(self, report: StopReport) -> dict[str, int]:
        return flatten.counts(report)


class LimitWishSerializer(serializers.Serializer[Any]):
    """A limit to set in one place. The value is text or a whole number; null unsets it there."""

    scope = serializers.ChoiceField(choices=LimitScope.choices)
    key = TextField(max_length=100, allow_blank=True, default="")
    name = serializers.ChoiceField(choices=[(name, name) for name in BY_NAME])
    value = TextField(
        max_length=64,
        allow_null=True,
        error_messages={"invalid": 'Write it as text, such as "0.7" or "on".'},
    )
    reason = TextField(max_length=500)


class LimitVerdictSerializer(serializers.Serializer[Any]):
    reason = TextField(max_length=500, help_text="Why, kept with the change.")


class ReleaseSerializer(serializers.Serializer[Any]):
    reason = TextField(max_length=500, help_text="Why trading may go on.")


class SettleSerializer(serializers.Serializer[Any]):
    reason = TextField(max_length=500, help_text="Where the coins went, kept with the books.")
