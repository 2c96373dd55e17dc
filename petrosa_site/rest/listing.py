"""How every list is read: newest first, page by page without counting, unknown filters refused."""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request

if TYPE_CHECKING:  # DRF reads its settings, and so this file, while it makes APIView
    from rest_framework.views import APIView

PAGE_SIZE = 100
LARGEST_PAGE = 1000
MOST_DIGITS = 18  # of a 64-bit id


class NewestFirst(CursorPagination):
    """Pages by id: stable while rows arrive, and as quick on the last page as on the first."""

    ordering = "-id"
    page_size = PAGE_SIZE
    page_size_query_param = "page_size"
    max_page_size = LARGEST_PAGE
    page_size_query_description = f"1 to {LARGEST_PAGE}, {PAGE_SIZE} when not given."

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        """Describe what `get_page_size` lets through."""
        parameters: list[dict[str, Any]] = super().get_schema_operation_parameters(view)
        for parameter in parameters:
            if parameter["name"] == self.page_size_query_param:
                parameter["schema"] |= {"minimum": 1, "maximum": LARGEST_PAGE}
        return parameters

    def decode_cursor(self, request: Request) -> Cursor | None:
        """Refuse a cursor that we did not make: it would show a page nobody asked for."""
        text = request.query_params.get(self.cursor_query_param)
        if text is not None and not is_ours(text):
            raise ValidationError({self.cursor_query_param: ["is none that was given out."]})
        return super().decode_cursor(request)

    def get_page_size(self, request: Request) -> int:
        asked = request.query_params.get("page_size")
        if asked is None:
            return PAGE_SIZE
        if not asked.isascii() or not asked.isdigit() or not 1 <= int(asked) <= LARGEST_PAGE:
            fault = f"{asked[:20]!r} is not a whole number from 1 to {LARGEST_PAGE}."
            raise ValidationError({"page_size": [fault]})
        return int(asked)


def is_ours(cursor: str) -> bool:
    """Say whether `cursor` is a page marker of ours: an id, a direction, an offset."""
    try:
        parts = parse_qs(b64decode(cursor, validate=True).decode("ascii"), strict_parsing=True)
    except ValueError:  # not base64, not ASCII, not name=value
        return False
    return set(parts) <= {"p", "r", "o"} and all(
        value.isdigit() and len(value) <= MOST_DIGITS for (value, *_) in parts.values()
    )


class StrictFilters(DjangoFilterBackend):
    """Refuse a filter nobody knows, or one without a value: neither may answer with everything."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: APIView) -> Any:
        filterset = self.get_filterset(request, queryset, view)  # type: ignore[no-untyped-call]
        known = {"cursor", "page_size", "format"}
        if filterset is not None:
            known |= set(filterset.filters)
        for name, value in request.query_params.items():
            if not value:
                raise ValidationError({name: ["is empty: leave it out to see everything."]})
            if name not in known:
                choices = ", ".join(sorted(known - {"format"}))
                fault = ValidationError(f"is no filter here: {choices}", code="unknown_filter")
                raise ValidationError({name: fault.detail})
        return super().filter_queryset(request, queryset, view)  # type: ignore[no-untyped-call]
