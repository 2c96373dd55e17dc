"""Which shape an answer takes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request

ANYTHING = (None, "", "*/*", "application/json")


class JsonUnlessAsked(DefaultContentNegotiation):
    """Answer with the view's first renderer when nothing it can do was asked for.

    A browser that asks for HTML gets the JSON instead of 406.
    """

    def select_renderer(
        self, request: Request, renderers: Iterable[Any], format_suffix: str | None = None
    ) -> tuple[Any, str]:
        first = next(iter(renderers))
        asks = format_suffix or self.settings.URL_FORMAT_OVERRIDE in request.GET
        if not asks and request.META.get("HTTP_ACCEPT") in ANYTHING:
            return first, first.media_type
        try:
            chosen: tuple[Any, str] = super().select_renderer(request, renderers, format_suffix)
        except NotAcceptable:
            return first, first.media_type
        return chosen
