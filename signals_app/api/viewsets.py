"""Signals over the API: lists, whole stories, and sending one again on purpose."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.utils import timezone
from django_filters.filters import IsoDateTimeFilter
from django_filters.rest_framework.filterset import FilterSet
from drf_spectacular.utils import extend_schema
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from foundation.api.documents import problem
from foundation.api.permissions import needs
from foundation.api.problems import Problem
from signals_app import selectors
from signals_app.api.backtests import BacktestViewSet
from signals_app.api.serializers import SignalSerializer, SignalStorySerializer
from signals_app.api.sweeps import SweepViewSet
from signals_app.api.trade import carry_out
from signals_app.api.trade_docs import TradeAnswer
from signals_app.models import Signal
from signals_app.services import intake


class SignalFilter(FilterSet):
    received_after = IsoDateTimeFilter(field_name="received_at", lookup_expr="gte")
    received_before = IsoDateTimeFilter(field_name="received_at", lookup_expr="lt")

    class Meta:
        model = Signal
        fields = (
            "status",
            "strategy_id",
            "symbol",
            "action",
            "source",
            "actor",
            "error_code",
            "correlation_id",
        )


@extend_schema(tags=["signals"])
class SignalViewSet(viewsets.ReadOnlyModelViewSet[Any]):
    """What strategies said and what became of it."""

    queryset = Signal.objects.defer("raw", "draft")
    serializer_class = SignalSerializer
    filterset_class = SignalFilter
    lookup_field = "uid"
    lookup_value_regex = r"[^/]{1,64}"

    @extend_schema(responses={200: SignalStorySerializer, 404: problem("No such signal.")})
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:  # noqa: ARG002
        """Tell the whole story: verdicts, orders, fills and the audit trail."""
        try:
            story = selectors.story(kwargs["uid"])
        except Signal.DoesNotExist:
            raise Http404(f"No signal {kwargs['uid']}.") from None
        context = {"request": request, "story": story}
        return Response(SignalStorySerializer(story.signal, context=context).data)

    @extend_schema(
        request=None,
        responses={
            200: TradeAnswer,
            202: TradeAnswer,
            400: problem("Refused again."),
            404: problem("No such signal."),
            409: problem("It was acted on already: trading it again would be a second entry."),
        },
        description=(
            "Sends a refused or denied signal's bytes through the door again, as a new signal with "
            "a time of its own. Needs `signals_app.replay`."
        ),
    )
    @action(detail=True, methods=["post"], permission_classes=[needs("signals_app.replay")])
    def replay(self, request: Request, uid: str) -> HttpResponse:
        signal = Signal.objects.filter(uid=uid).first()
        if signal is None:
            raise Http404(f"No signal {uid}.")
        try:
            stored = intake.replay(signal, actor=request.user.get_username(), now=timezone.now())
        except intake.NotReplayable as error:
            raise Problem(
                409, "NOT_REPLAYABLE", f"Not sent again: {error}.", signal_uid=uid
            ) from None
        return carry_out(stored)


router = SimpleRouter()
router.trailing_slash = "/?"
router.register("signals", SignalViewSet, basename="signal")
router.register("backtests", BacktestViewSet)
router.register("sweeps", SweepViewSet, basename="sweep")
urlpatterns = router.urls
