"""What history there is, and what is missing of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django_filters.rest_framework.filterset import FilterSet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets

from exchanges.domain.candles import INTERVALS
from exchanges.history import gaps
from exchanges.models import Outage, Series


class OutageSerializer(serializers.ModelSerializer[Outage]):
    class Meta:
        model = Outage
        fields = ("start_ms", "end_ms", "asked", "asked_at")


class SeriesSerializer(serializers.ModelSerializer[Series]):
    first_at = serializers.SerializerMethodField(help_text="When the oldest candle opened.")
    last_at = serializers.SerializerMethodField(help_text="When the newest candle opened.")
    count = serializers.IntegerField(source="rows")
    missing = serializers.SerializerMethodField(
        help_text="Candles missing between first and last that the venue may have."
    )
    absent = serializers.IntegerField(
        help_text="Candles missing because the venue itself has none: its outages."
    )

    class Meta:
        model = Series
        fields = (
            "id",
            "exchange",
            "environment",
            "market",
            "symbol",
            "interval",
            "first_ms",
            "last_ms",
            "first_at",
            "last_at",
            "count",
            "missing",
            "absent",
            "checked_at",
            "trouble",
        )

    def get_first_at(self, one: Series) -> datetime | None:
        return at(one.first_ms)

    def get_last_at(self, one: Series) -> datetime | None:
        return at(one.last_ms)

    def get_missing(self, one: Series) -> int:
        return max(gaps.missing(one), 0)


class SeriesWithOutagesSerializer(SeriesSerializer):
    outages = OutageSerializer(many=True)

    class Meta(SeriesSerializer.Meta):
        fields = (*SeriesSerializer.Meta.fields, "outages")  # type: ignore[assignment]


class SeriesFilter(FilterSet):
    class Meta:
        model = Series
        fields = ("exchange", "environment", "market", "symbol", "interval")


@extend_schema(tags=["history"])
class SeriesViewSet(viewsets.ReadOnlyModelViewSet[Any]):
    """Which candles are kept: first, last, how many, how many are missing."""

    queryset = Series.objects.filter(interval__in=INTERVALS)
    filterset_class = SeriesFilter
    lookup_value_regex = r"\d{1,9}"

    def get_serializer_class(self) -> type[SeriesSerializer]:
        return SeriesWithOutagesSerializer if self.action == "retrieve" else SeriesSerializer


def at(ms: int | None) -> datetime | None:
    """Return a moment, None for none."""
    return None if ms is None else datetime.fromtimestamp(ms / 1000, UTC)
