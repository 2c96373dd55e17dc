"""Refusals as RFC 9457 problem documents: one shape, whatever went wrong."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import orjson
from django.http import HttpResponse
from rest_framework.exceptions import APIException

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
