"""Candles and funding rates as columns, page by page of time."""

from __future__ import annotations

from typing import Any

import orjson
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from exchanges.api import query
from exchanges.domain.candles import Candle
from exchanges.domain.venues import Market
from exchanges.history import funding, store

PAGING = (
    "Oldest first. With `start`, `next` goes forward in time; without it the newest rows come "
    "first and `next` goes back. No `next` means that there is no more on that side."
)


def _column(kind: type[serializers.Field[Any, Any, Any, Any]], text: str, **more: Any) -> Any:
    return serializers.ListField(child=kind(**more), help_text=text)


class CandleColumnsSerializer(serializers.Serializer[Any]):
    """Columns of equal length."""

    opened_ms = _column(serializers.IntegerField, "Epoch milliseconds.")
    open = _column(serializers.FloatField, "Quote units, as the other prices.")
    high = _column(serializers.FloatField, "")
    low = _column(serializers.FloatField, "")
    close = _column(serializers.FloatField, "")
    volume = _column(serializers.FloatField, "Base units.")
    quote_volume = _column(serializers.FloatField, "Quote units.")
    trades = _column(serializers.IntegerField, "How many.")
    taker_volume = _column(serializers.FloatField, "Base units that takers bought.")
    taker_quote_volume = _column(serializers.FloatField, "Quote units that takers paid.")


class CandlesSerializer(serializers.Serializer[Any]):
    exchange = serializers.CharField()
    environment = serializers.CharField()
    market = serializers.CharField()
    symbol = serializers.CharField()
    interval = serializers.CharField()
    count = serializers.IntegerField(help_text="Of this page.")
    candles = CandleColumnsSerializer()
    next = serializers.CharField(allow_null=True, help_text="Address of the next page.")


class FundingColumnsSerializer(serializers.Serializer[Any]):
    """Columns of equal length."""

    funded_ms = _column(serializers.IntegerField, "Epoch milliseconds.")
    rate = _column(serializers.FloatField, "Fraction of the notional that longs paid to shorts.")
    mark_price = _column(serializers.FloatField, "Null where the venue told none.", allow_null=True)
    kind = _column(serializers.CharField, "Regular or Special.")


class FundingRatesSerializer(serializers.Serializer[Any]):
    exchange = serializers.CharField()
    environment = serializers.CharField()
    market = serializers.CharField()
    symbol = serializers.CharField()
    count = serializers.IntegerField(help_text="Of this page.")
    rates = FundingColumnsSerializer()
    next = serializers.CharField(allow_null=True, help_text="Address of the next page.")


class CandlesView(APIView):
    """Closed candles of one symbol and interval."""

    @extend_schema(
        operation_id="candles",
        tags=["history"],
        parameters=[query.CandlesAskedSerializer],
        responses={200: CandlesSerializer},
        description=f"Closed candles as columns. {PAGING}",
    )
    def get(self, request: Request) -> HttpResponse:
        wanted = query.read(request, query.CandlesAskedSerializer)
        names = {k: wanted[k] for k in ("symbol", "interval")}
        venue = query.venue_of(wanted)
        start, limit = wanted.get("start"), wanted["limit"]
        found = store.load(
            venue=venue,
            **names,
            start_ms=start,
            end_ms=wanted.get("end"),
            first=limit + 1 if start is not None else None,
            last=limit + 1 if start is None else None,
        )
        there_is_more = len(found) > limit
        page = (
            found.head(limit)
            if start is not None
            else found.slice(max(len(found) - limit, 0), len(found))
        )
        opened = page.opened_ms
        following = None
        if there_is_more and start is not None:
            following = query.link(request, start=int(opened[-1]) + 1)
        elif there_is_more:
            following = query.link(request, end=int(opened[0]))
        columns = {name: getattr(page, name) for name in Candle._fields}
        answer = {"count": len(page), "candles": columns, "next": following}
        return _answer({**venue.columns(), **names, **answer})


class FundingRatesView(APIView):
    """Funding rates of one USD-M symbol."""

    @extend_schema(
        operation_id="funding_rates",
        tags=["history"],
        parameters=[query.StretchSerializer],
        responses={200: FundingRatesSerializer},
        description=f"Funding rates of USD-M futures as columns. {PAGING}",
    )
    def get(self, request: Request) -> HttpResponse:
        wanted = query.read(request, query.StretchSerializer)
        venue = query.venue_of(wanted, Market.USDM)
        start, limit = wanted.get("start"), wanted["limit"]
        found = funding.load(
            venue=venue,
            symbol=wanted["symbol"],
            start_ms=start,
            end_ms=wanted.get("end"),
            limit=limit + 1,
            newest=start is None,
        )
        there_is_more = len(found) > limit
        if there_is_more:
            found = found[1:] if start is None else found[:-1]
        following = None
        if there_is_more and start is not None:
            following = query.link(request, start=found[-1].funded_ms + 1)
        elif there_is_more:
            following = query.link(request, end=found[0].funded_ms)
        columns = {
            name: [getattr(row, name) for row in found]
            for name in ("funded_ms", "rate", "mark_price", "kind")
        }
        names = {**venue.columns(), "symbol": wanted["symbol"]}
        return _answer({**names, "count": len(found), "rates": columns, "next": following})


def _answer(body: dict[str, Any]) -> HttpResponse:
    """Write JSON straight from the columns: no object is made for a number."""
    return HttpResponse(
        orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY), content_type="application/json"
    )
