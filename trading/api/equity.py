"""What accounts are worth over the API: standing, snapshots, money moved, pauses after losses."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils import timezone
from django_filters.filters import CharFilter, IsoDateTimeFilter
from django_filters.rest_framework.filterset import FilterSet
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import exceptions as drf
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from foundation.api.documents import problem
from foundation.api.exact import ExactField, ExactSerializer
from foundation.api.permissions import needs
from foundation.api.problems import Problem
from trading.api import filters
from trading.api.serializers import ReleaseSerializer, TextField
from trading.api.viewsets import ReadOnly
from trading.models import CapitalMove, EquitySnapshot, LossStreak, VirtualAccount
from trading.services.money import equity, ledger
from trading.services.reports import account_status
from trading.services.risk import cooldowns


class StandingSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    environment = serializers.CharField()
    quote_asset = serializers.CharField()
    enabled = serializers.BooleanField()
    status = serializers.CharField(
        help_text="active, cooldown, off, or the strictest level of the kill switch."
    )
    status_reason = serializers.CharField()
    has_ledger = serializers.BooleanField(help_text="It spends money of its own only.")
    equity = ExactField(allow_null=True)
    cash = ExactField(allow_null=True, help_text="Of its own, or of the whole venue account.")
    profit = ExactField(allow_null=True, help_text="Realised and open, net of fees.")
    realised = ExactField()
    unrealised = ExactField(allow_null=True)
    fees = ExactField()
    daily_loss_pct = ExactField(allow_null=True)
    weekly_loss_pct = ExactField(allow_null=True)
    drawdown_pct = ExactField(allow_null=True, help_text="Fall from its best equity.")
    high_water = ExactField(allow_null=True)
    open_positions = serializers.IntegerField()
    trades = serializers.IntegerField(help_text="Closed ones.")
    wins = serializers.IntegerField()
    losses = serializers.IntegerField()
    streak = serializers.IntegerField(help_text="Latest trades of one kind; losses negative.")
    max_drawdown = ExactField(help_text="Largest fall of the summed profit of closed trades.")
    cooldown_until = serializers.DateTimeField(allow_null=True)
    seen_at = serializers.DateTimeField(allow_null=True)


class StandingView(APIView):
    """How each account stands: worth, losses, wins, pauses."""

    @extend_schema(
        operation_id="standing", tags=["equity"], responses={200: StandingSerializer(many=True)}
    )
    def get(self, request: Request) -> Response:
        filters.only(request)
        return Response(StandingSerializer(account_status.of_accounts(), many=True).data)


class EquityFilter(FilterSet):
    account = CharFilter(field_name="account__name")
    seen_after = IsoDateTimeFilter(field_name="seen_at", lookup_expr="gte")
    seen_before = IsoDateTimeFilter(field_name="seen_at", lookup_expr="lt")

    class Meta:
        model = EquitySnapshot
        fields = ()


class EquitySnapshotSerializer(ExactSerializer):
    account = serializers.CharField(source="account.name")

    class Meta:
        model = EquitySnapshot
        fields = (
            "id",
            "account",
            "seen_at",
            "equity",
            "cash",
            "realised",
            "unrealised",
            "fees",
            "high_water",
            "drawdown_pct",
        )


@extend_schema(tags=["equity"])
class EquityViewSet(ReadOnly):
    """What each account was worth, newest first."""

    queryset = EquitySnapshot.objects.select_related("account")
    serializer_class = EquitySnapshotSerializer
    filterset_class = EquityFilter


class CapitalMoveFilter(FilterSet):
    account = CharFilter(field_name="account__name")

    class Meta:
        model = CapitalMove
        fields = ()


class CapitalMoveSerializer(ExactSerializer):
    account = serializers.CharField(source="account.name")

    class Meta:
        model = CapitalMove
        fields = ("id", "account", "amount", "capital", "cash", "reason", "moved_by", "moved_at")


class CapitalWishSerializer(serializers.Serializer[Any]):
    """Money to put into an account (positive) or take out (negative)."""

    account = TextField(max_length=64)
    amount = serializers.DecimalField(
        max_digits=21, decimal_places=8, help_text="Quote units, as text."
    )
    reason = TextField(max_length=500)


@extend_schema(tags=["equity"])
class CapitalMoveViewSet(ReadOnly):
    """Money put into accounts and taken out."""

    queryset = CapitalMove.objects.select_related("account")
    serializer_class = CapitalMoveSerializer
    filterset_class = CapitalMoveFilter

    def get_permissions(self) -> Any:
        if self.action == "create":
            return [needs("trading.move_capital")()]
        return super().get_permissions()

    @extend_schema(
        request=CapitalWishSerializer,
        responses={201: CapitalMoveSerializer, 400: problem("Not understood, or not so much.")},
        description=(
            "The first move gives the account a ledger of its own: from then on it spends that "
            "money only. Needs `trading.move_capital`."
        ),
        examples=[
            OpenApiExample(
                "Five thousand for one strategy",
                {"account": "skew", "amount": "5000", "reason": "start of the trial"},
                request_only=True,
            )
        ],
    )
    def create(self, request: Request) -> Response:
        wish = CapitalWishSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        asked = wish.validated_data
        account = VirtualAccount.objects.filter(name=asked["account"]).first()
        if account is None:
            raise drf.ValidationError({"account": [f"There is no account {asked['account']}."]})
        try:
            move = ledger.move(
                account.pk,
                asked["amount"],
                actor=request.user.get_username(),
                reason=asked["reason"],
            )
        except ValidationError as error:
            raise drf.ValidationError(error.message_dict) from None
        return Response(self.get_serializer(move).data, status=201)


class CooldownFilter(FilterSet):
    account = CharFilter(field_name="account__name")
    running = filters.YesNoFilter(method="only_running")

    class Meta:
        model = LossStreak
        fields = ("scope", "key")

    def only_running(self, rows: QuerySet[Any], name: str, value: bool) -> QuerySet[Any]:  # noqa: ARG002
        runs = Q(cooldown_until__isnull=False) & Q(cooldown_until__gt=timezone.now())
        return rows.filter(runs if value else ~runs)


class CooldownSerializer(ExactSerializer):
    account = serializers.CharField(source="account.name")
    seconds_left = serializers.SerializerMethodField(help_text="0 when no pause is running.")

    class Meta:
        model = LossStreak
        fields = (
            "id",
            "account",
            "scope",
            "key",
            "losses",
            "cooldown_until",
            "cooldown_losses",
            "seconds_left",
            "changed_at",
            "released_by",
            "released_at",
            "release_reason",
        )

    def get_seconds_left(self, streak: LossStreak) -> int:
        if streak.cooldown_until is None:
            return 0
        left = (streak.cooldown_until - timezone.now()).total_seconds()
        return max(int(left) + 1, 0) if left > 0 else 0


@extend_schema(tags=["equity"])
class CooldownViewSet(ReadOnly):
    """Losing trades in a row, and the pauses that follow them."""

    queryset = LossStreak.objects.select_related("account")
    serializer_class = CooldownSerializer
    filterset_class = CooldownFilter

    @extend_schema(
        request=ReleaseSerializer,
        responses={200: CooldownSerializer, 409: problem("No pause is running.")},
        description="End a pause early, with a reason. Needs `trading.release_cooldown`.",
    )
    @action(detail=True, methods=["post"], permission_classes=[needs("trading.release_cooldown")])
    def release(self, request: Request, pk: str) -> Response:  # noqa: ARG002
        streak = self.get_object()
        wish = ReleaseSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        actor, reason = request.user.get_username(), wish.validated_data["reason"]
        if not cooldowns.release(streak.pk, actor=actor, reason=reason):
            raise Problem(409, "NO_COOLDOWN", "No pause is running there.")
        streak.refresh_from_db()
        return Response(self.get_serializer(streak).data)


class DrawdownResetView(APIView):
    """Measure an account's drawdown from today's worth on."""

    permission_classes = (needs("trading.reset_drawdown"),)

    @extend_schema(
        operation_id="reset_drawdown",
        tags=["equity"],
        request=ReleaseSerializer,
        responses={204: None, 404: problem("No such account."), 409: problem("Not valued yet.")},
        description="With a reason. Needs `trading.reset_drawdown`.",
    )
    def post(self, request: Request, pk: int) -> Response:
        if not VirtualAccount.objects.filter(pk=pk).exists():
            raise drf.NotFound
        wish = ReleaseSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        actor, reason = request.user.get_username(), wish.validated_data["reason"]
        try:
            equity.reset_drawdown(pk, actor=actor, reason=reason)
        except ValueError as error:
            raise Problem(409, "NOT_VALUED", str(error)) from None
        return Response(status=204)
