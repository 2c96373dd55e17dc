"""What waits for a second person over the API: look, approve, decline."""

from __future__ import annotations

from collections.abc import Callable

from django.core.exceptions import ValidationError
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from foundation.api.documents import problem
from foundation.api.permissions import needs_one_of
from foundation.api.problems import Problem
from trading.api import filters, serializers
from trading.api.viewsets import ReadOnly
from trading.models import Approval
from trading.services.control.four_eyes import SecondPersonNeeded
from trading.services.money import approvals

MAY_DECIDE = needs_one_of(*approvals.PERMISSIONS.values())  # which one, the act itself says


@extend_schema(tags=["approvals"])
class ApprovalViewSet(ReadOnly):
    """Acts that one person asked for and another must approve (`FOUR_EYES`)."""

    queryset = Approval.objects.all()
    serializer_class = serializers.ApprovalSerializer
    filterset_class = filters.ApprovalFilter

    @extend_schema(
        request=serializers.LimitVerdictSerializer,
        responses={
            200: serializers.ApprovalSerializer,
            403: problem("Without the permission that the act itself needs."),
            409: problem("It does not wait any more, or you asked for it yourself."),
        },
        description="Let it happen, at once. Needs the permission that the act itself needs.",
    )
    @action(detail=True, methods=["post"], permission_classes=[MAY_DECIDE])
    def approve(self, request: Request, pk: str) -> Response:  # noqa: ARG002
        return self._decided(request, approvals.approve)

    @extend_schema(
        request=serializers.LimitVerdictSerializer,
        responses={
            200: serializers.ApprovalSerializer,
            403: problem("Without the permission that the act itself needs."),
            409: problem("It does not wait any more."),
        },
        description="Say no to it. Needs the permission that the act itself needs.",
    )
    @action(detail=True, methods=["post"], permission_classes=[MAY_DECIDE])
    def decline(self, request: Request, pk: str) -> Response:  # noqa: ARG002
        return self._decided(request, approvals.decline)

    def _decided(self, request: Request, decide: Callable[..., Approval]) -> Response:
        row: Approval = self.get_object()
        if not request.user.has_perm(needed := approvals.permission_for(row)):
            raise PermissionDenied(f"This needs the permission {needed}: ask an administrator.")
        said = serializers.LimitVerdictSerializer(data=request.data)
        said.is_valid(raise_exception=True)
        actor, reason = request.user.get_username(), said.validated_data["reason"]
        try:
            row = decide(row.pk, actor=actor, reason=reason)
        except SecondPersonNeeded as error:
            raise Problem(409, "SECOND_PERSON_NEEDED", str(error)) from None
        except ValidationError as error:
            raise Problem(409, "APPROVAL_NOT_WAITING", " ".join(error.messages)) from None
        return Response(self.get_serializer(row).data)
