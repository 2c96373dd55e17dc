"""The audit trail over the API: read only, newest first."""

from __future__ import annotations

from typing import Any

from django_filters.filters import CharFilter, IsoDateTimeFilter
from django_filters.rest_framework.filterset import FilterSet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.routers import SimpleRouter

from audit.models import Event


class EventSerializer(serializers.ModelSerializer[Event]):
    class Meta:
        model = Event
        fields = (
            "id",
            "at",
            "kind",
            "actor",
            "correlation_id",
            "signal_uid",
            "environment",
            "subject_type",
            "subject_id",
            "data",
        )


class EventFilter(FilterSet):
    kind_starts_with = CharFilter(field_name="kind", lookup_expr="startswith")
    after = IsoDateTimeFilter(field_name="at", lookup_expr="gte")
    before = IsoDateTimeFilter(field_name="at", lookup_expr="lt")

    class Meta:
        model = Event
        fields = (
            "kind",
            "actor",
            "correlation_id",
            "signal_uid",
            "environment",
            "subject_type",
            "subject_id",
        )


@extend_schema(tags=["audit"])
class EventViewSet(viewsets.ReadOnlyModelViewSet[Any]):
    """What happened, who did it, and to what."""

    queryset = Event.objects.all()
    serializer_class = EventSerializer
    filterset_class = EventFilter
    lookup_value_regex = r"\d{1,18}"


router = SimpleRouter()
router.trailing_slash = "/?"  # welcome, not needed: a redirect would lose a POST
router.register("audit", EventViewSet, basename="audit-event")
urlpatterns = router.urls
