"""What a query asks for: names nobody knows are refused, and so are values that make no sense."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.utils.dateparse import parse_datetime
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from exchanges.domain import venues
from exchanges.domain.candle_checks import LAST_MS
from exchanges.domain.candles import INTERVALS
from exchanges.domain.venues import Market
from exchanges.models.venues import ENVIRONMENTS, EXCHANGES, MARKETS

LARGEST_PAGE = 5000


def only(request: Request, *names: str) -> None:
    """Refuse a query that names something else, or nothing by a name: neither may answer with
    everything."""
    for name, value in request.query_params.items():
        if name not in names:
            raise ValidationError({name: [f"is no filter here: {', '.join(names)}"]})
        if not value:
            raise ValidationError({name: ["is empty: leave it out to see everything."]})


@extend_schema_field(
    {
        "oneOf": [
            {"type": "integer", "minimum": 0, "maximum": LAST_MS - 1},
            {"type": "string", "format": "date-time"},
        ]
    }
)
class MomentField(serializers.Field[int, str, int, Any]):
    """Epoch milliseconds, or an ISO time with its offset; read as milliseconds."""

    def to_internal_value(self, data: str) -> int:
        at_ms = self._read(str(data))
        if at_ms is None or not 0 <= at_ms < LAST_MS:
            raise ValidationError(
                f"{str(data)[:40]!r} is neither epoch milliseconds nor a time such as "
                "2024-08-09T00:00:00Z, from 1970 to 2100."
            )
        return at_ms

    def to_representation(self, value: int) -> int:
        return value

    @staticmethod
    def _read(text: str) -> int | None:
        if text.isascii() and text.isdigit():
            return int(text) if len(text) <= 15 else None
        try:
            at = parse_datetime(text.upper())
            if at is None or at.tzinfo is None:
                return None
            return round((at - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)
        except (ValueError, OverflowError):
            return None


class StretchSerializer(serializers.Serializer[Any]):
    """Which stretch of time of which symbol."""

    symbol = serializers.RegexField(r"^[A-Z0-9_]{2,32}$", help_text="As the venue spells it.")
    environment = serializers.ChoiceField(
        ENVIRONMENTS, required=False, help_text="Where signals trade when not given."
    )
    exchange = serializers.ChoiceField(EXCHANGES, required=False, default="binance")
    start = MomentField(required=False, help_text="First moment; without it the newest rows.")
    end = MomentField(required=False, help_text="Moment after the last.")
    limit = serializers.IntegerField(
        required=False, default=500, min_value=1, max_value=LARGEST_PAGE
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs.setdefault("environment", settings.VENUE_ENVIRONMENT)
        if "start" in attrs and "end" in attrs and attrs["start"] >= attrs["end"]:
            raise ValidationError({"start": ["is not before `end`."]})
        return attrs


class CandlesAskedSerializer(StretchSerializer):
    interval = serializers.ChoiceField([(name, name) for name in INTERVALS])
    market = serializers.ChoiceField(MARKETS, required=False, default=Market.SPOT.value)


def read(request: Request, serializer: type[StretchSerializer]) -> dict[str, Any]:
    """Return what was asked for. Raise ValidationError by field."""
    only(request, *serializer().fields)
    asked = serializer(data=request.query_params)
    asked.is_valid(raise_exception=True)
    found: dict[str, Any] = asked.validated_data
    return found


def link(request: Request, **changes: int | None) -> str:
    """Return this request's address with other limits: the next page."""
    query = request.query_params.copy()
    for name, value in changes.items():
        query.pop(name, None)
        if value is not None:
            query[name] = str(value)
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")


def venue_of(asked: dict[str, Any], market: str = Market.SPOT) -> venues.Venue:
    """Return the venue of a query that was read; `market` where the query does not name one."""
    return venues.venue(asked["environment"], asked.get("market", market), asked["exchange"])
