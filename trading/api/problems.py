"""Refusals as RFC 9457 problem documents: one shape, whatever went wrong."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import orjson
from django.http import HttpResponse
from rest_framework.exceptions import APIException

from exchanges.domain import errors

CONTENT_TYPE = "application/problem+json"
TITLES = {
    400: "Bad request",
    401: "Not authenticated",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    413: "Content too large",
    415: "Unsupported media type",
    429: "Too many requests",
    500: "Internal error",
    503: "Not available",
}


class Problem(APIException):
    """An answer that is not a success. `code` is for programs, `detail` for people.

    `more` are extension members of the document, such as field, limit, actual, signal_uid.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        title: str = "",
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail=detail, code=code)
        self.status_code = status
        self.code = code
        self.text = detail
        self.title = title or TITLES.get(status, "Refused")
        self.headers = dict(headers or {})
        self.more = more

    def body(self) -> dict[str, Any]:
        """Return the document. `type` is a name, not an address: nothing has to be fetched."""
        kind = self.code.lower().replace("_", "-")
        return {
            "type": f"urn:petrosa:problem:{kind}",
            "title": self.title,
            "status": self.status_code,
            "detail": self.text,
            "code": self.code,
            **self.more,
        }

    def response(self) -> HttpResponse:
        return HttpResponse(
            to_json(self.body()),
            status=self.status_code,
            content_type=CONTENT_TYPE,
            headers=self.headers,
        )


def to_json(value: Any) -> bytes:
    """Encode for the wire; Decimals as plain text, times in ISO 8601 with Z."""
    return orjson.dumps(value, default=_plain, option=orjson.OPT_UTC_Z)


def _plain(value: Any) -> str:
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def of_venue(error: errors.VenueError) -> Problem:
    """Say a venue's failure over HTTP, keeping its code and its words."""
    text = f"API Error: {error.text}"
    match error:
        case errors.RateLimited():
            wait = str(max(1, math.ceil(error.retry_after)))
            return Problem(
                503,
                "VENUE_RATE_LIMITED",
                text,
                venue_code=error.code,
                headers={"Retry-After": wait},
            )
        case errors.NotSent():
            return Problem(503, "VENUE_UNAVAILABLE", text, venue_code=error.code)
        case errors.CredentialsRefused():
            return Problem(503, "VENUE_CREDENTIALS_REFUSED", text, venue_code=error.code)
        case errors.OrderNotFound():
            return Problem(404, "VENUE_ORDER_NOT_FOUND", text, venue_code=error.code)
        case errors.Rejected():
            return Problem(400, "VENUE_REJECTED", text, venue_code=error.code)
        case errors.OutcomeUnknown():
            return Problem(503, "VENUE_OUTCOME_UNKNOWN", text, venue_code=error.code)
    return Problem(503, "VENUE_ERROR", text, venue_code=error.code)
