"""Which rows a list shows. Names not listed here are refused, and so are values nobody knows."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from django_filters.filters import CharFilter, IsoDateTimeFilter, NumberFilter, TypedChoiceFilter
from django_filters.rest_framework.filterset import FilterSet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field

from exchanges.api import query
from trading.domain.order_states import OPEN_STATUSES
from trading.models import (
    Approval,
    Decision,
    Fill,
    Limit,
    LimitChange,
    Order,
    Position,
    PositionAdjustment,
    TradingState,
    VirtualAccount,
)

LARGEST_ID = 2**63 - 1
only = query.only


@extend_schema_field({"type": "integer", "minimum": 1, "maximum": LARGEST_ID})
class IdFilter(NumberFilter):
    """The number of a row: whole, and small enough for any database."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=LARGEST_ID, decimal_places=0, **kwargs)  # type: ignore[no-untyped-call]


@extend_schema_field(OpenApiTypes.BOOL)
class YesNoFilter(TypedChoiceFilter):
    """true or false; any other word is refused instead of meaning "do not filter"."""

    def __init__(self, **kwargs: Any) -> None:
        choices = [("true", "true"), ("false", "false")]
        super().__init__(choices=choices, coerce="true".__eq__, **kwargs)  # type: ignore[no-untyped-call]


class DecisionFilter(FilterSet):
    approved = YesNoFilter()
    account = CharFilter(field_name="account__name")
    signal_uid = CharFilter(field_name="intent_uid")
    decided_after = IsoDateTimeFilter(field_name="decided_at", lookup_expr="gte")
    decided_before = IsoDateTimeFilter(field_name="decided_at", lookup_expr="lt")

    class Meta:
        model = Decision
        fields = ("code", "strategy_id", "symbol", "kind", "environment")


class OrderFilter(FilterSet):
    account = CharFilter(field_name="account__name")
    decision = IdFilter(field_name="decision_id")
    environment = CharFilter(field_name="venue_account__environment")
    is_open = YesNoFilter(method="only_open", label="Whether it may still fill.")
    continues = IdFilter(field_name="continues_id", label="The exit whose rest it sells.")
    created_after = IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")
    created_before = IsoDateTimeFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = Order
        fields = (
            "status",
            "role",
            "symbol",
            "side",
            "type",
            "strategy_id",
            "signal_uid",
            "client_order_id",
            "venue_order_id",
        )

    def only_open(self, rows: QuerySet[Order], name: str, value: bool) -> QuerySet[Order]:  # noqa: ARG002
        is_open = Q(status__in=sorted(OPEN_STATUSES))
        return rows.filter(is_open if value else ~is_open)


class FillFilter(FilterSet):
    is_maker = YesNoFilter()
    order = IdFilter(field_name="order_id")
    account = CharFilter(field_name="order__account__name")
    signal_uid = CharFilter(field_name="order__signal_uid")
    traded_after = IsoDateTimeFilter(field_name="traded_at", lookup_expr="gte")
    traded_before = IsoDateTimeFilter(field_name="traded_at", lookup_expr="lt")

    class Meta:
        model = Fill
        fields = ("symbol", "side", "venue_trade_id")


class PositionFilter(FilterSet):
    account = CharFilter(field_name="account__name")
    is_open = YesNoFilter()
    is_naked = YesNoFilter(
        field_name="naked_since", lookup_expr="isnull", exclude=True, label="Without protection."
    )
    is_guarded = YesNoFilter(method="only_guarded", label="Whose stop our guard process holds.")
    has_shortfall = YesNoFilter(
        method="only_short", label="Of which the books hold more than the venue."
    )

    class Meta:
        model = Position
        fields = ("symbol",)

    def only_guarded(self, rows: QuerySet[Position], name: str, value: bool) -> QuerySet[Position]:  # noqa: ARG002
        return rows.exclude(guarded_quantity=0) if value else rows.filter(guarded_quantity=0)

    def only_short(self, rows: QuerySet[Position], name: str, value: bool) -> QuerySet[Position]:  # noqa: ARG002
        return rows.exclude(shortfall=0) if value else rows.filter(shortfall=0)


class AdjustmentFilter(FilterSet):
    account = CharFilter(field_name="position__account__name")
    symbol = CharFilter(field_name="position__symbol")
    position = IdFilter(field_name="position_id")

    class Meta:
        model = PositionAdjustment
        fields = ()


class TradingStateFilter(FilterSet):
    in_force = YesNoFilter(method="only_in_force", label="Whether it holds right now.")

    class Meta:
        model = TradingState
        fields = ("scope", "key", "mode")

    def only_in_force(self, rows: QuerySet[Any], name: str, value: bool) -> QuerySet[Any]:  # noqa: ARG002
        holds = Q(released_at__isnull=True) & (
            Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now())
        )
        return rows.filter(holds if value else ~holds)


class LimitFilter(FilterSet):
    class Meta:
        model = Limit
        fields = ("scope", "key", "name")


class LimitChangeFilter(FilterSet):
    is_looser = YesNoFilter()
    version = IdFilter()

    class Meta:
        model = LimitChange
        fields = ("state", "scope", "key", "name", "author")


class AccountFilter(FilterSet):
    enabled = YesNoFilter()
    is_default = YesNoFilter()

    class Meta:
        model = VirtualAccount
        fields = ("name",)


class ApprovalFilter(FilterSet):
    class Meta:
        model = Approval
        fields = ("state", "kind", "target", "author")
