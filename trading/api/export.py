"""The audit export over HTTP: streamed line by line, however long it gets."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.http import StreamingHttpResponse
from django.utils.dateparse import parse_datetime
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from foundation.api.documents import problem
from trading.selectors import audit_documents

KNOWN = ("format", "since", "until")


class AnyFormat(BaseContentNegotiation):
    """Leave `?format=` to the view."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser:  # noqa: ARG002
        return next(iter(parsers))

    def select_renderer(
        self,
        request: Request,  # noqa: ARG002
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,  # noqa: ARG002
    ) -> tuple[BaseRenderer, str]:
        first = next(iter(renderers))
        return first, first.media_type


class ExportView(APIView):
    """Documents in the shape of `trade_audit_log`, one per order."""

    content_negotiation_class = AnyFormat

    @extend_schema(
        operation_id="audit_export",
        tags=["audit"],
        summary="Export orders as trade_audit_log documents",
        parameters=[
            OpenApiParameter("format", str, enum=["jsonl", "json"], default="jsonl"),
            OpenApiParameter("since", OpenApiTypes.DATETIME, description="From here on."),
            OpenApiParameter("until", OpenApiTypes.DATETIME, description="Up to, not including."),
        ],
        responses={
            (200, "application/x-ndjson"): OpenApiTypes.STR,
            (200, "application/json"): {"type": "array", "items": {"type": "object"}},
            400: problem("A parameter was not understood."),
        },
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        unknown = sorted(set(request.query_params) - set(KNOWN))
        if unknown:
            raise ValidationError({unknown[0]: [f"is unknown: {', '.join(KNOWN)}"]})
        shape = request.query_params.get("format", "jsonl")
        if shape not in audit_documents.LINES:
            raise ValidationError({"format": [f"is one of {', '.join(audit_documents.LINES)}"]})
        found = audit_documents.documents(
            since=_moment(request, "since"), until=_moment(request, "until")
        )
        return StreamingHttpResponse(
            audit_documents.LINES[shape](found), content_type=CONTENT_TYPES[shape]
        )


def _moment(request: Request, name: str) -> datetime | None:
    text = request.query_params.get(name)
    if text is None:
        return None
    return moment(name, text)


def moment(name: str, text: str) -> datetime:
    """Read an ISO 8601 time with a zone, or refuse it by name."""
    try:
        # A "+" that nobody escaped arrives as a space.
        found = parse_datetime(text.replace(" ", "+") if "T" in text else text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise ValidationError({name: ["is no ISO 8601 time with a zone: 2026-11-21T12:00:00Z"]})
    return found


CONTENT_TYPES = {"jsonl": "application/x-ndjson", "json": "application/json"}
