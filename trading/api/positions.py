"""Positions over the API, and settling what the books hold and the venue does not."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from foundation.api.documents import problem
from foundation.api.permissions import needs
from foundation.api.problems import Problem
from trading.api import filters, serializers
from trading.api.viewsets import ReadOnly
from trading.models import Position, PositionAdjustment
from trading.services.protection import shortfalls


@extend_schema(tags=["positions"])
class PositionViewSet(ReadOnly):
    """What each account holds, what it earned, and how it is protected."""

    queryset = Position.objects.select_related("account")
    serializer_class = serializers.PositionSerializer
    filterset_class = filters.PositionFilter

    @extend_schema(
        operation_id="positions_settle_shortfall",
        request=serializers.SettleSerializer,
        responses={
            201: serializers.AdjustmentSerializer,
            404: problem("No such position."),
            409: problem("There is no shortfall, the venue says otherwise, or it just traded."),
            503: problem("The venue cannot be asked."),
        },
        description=(
            "Take what the books hold and the venue does not off the books, at cost. The venue is "
            "asked first: it must confirm the `shortfall` that the position shows. Needs "
            "`trading.settle_shortfall`."
        ),
        examples=[
            OpenApiExample(
                "Sold by hand",
                {"reason": "0.002 BTC sold by hand at the venue, ticket 4711"},
                request_only=True,
            )
        ],
    )
    @action(
        detail=True,
        methods=["post"],
        url_path="settle-shortfall",
        permission_classes=[needs("trading.settle_shortfall")],
    )
    def settle_shortfall(self, request: Request, pk: str) -> Response:  # noqa: ARG002
        position = self.get_object()
        wish = serializers.SettleSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        actor, reason = request.user.get_username(), wish.validated_data["reason"]
        try:
            row = shortfalls.settle(position.pk, actor=actor, reason=reason)
        except shortfalls.Refused as error:
            raise Problem(409, error.code, str(error)) from None
        body = serializers.AdjustmentSerializer(row).data
        return Response(body, status=status.HTTP_201_CREATED)


@extend_schema(tags=["positions"])
class AdjustmentViewSet(ReadOnly):
    """Shortfalls that were settled: coins taken off the books at cost, by whom and why."""

    queryset = PositionAdjustment.objects.select_related("position__account")
    serializer_class = serializers.AdjustmentSerializer
    filterset_class = filters.AdjustmentFilter
