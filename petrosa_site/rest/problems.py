"""Every failure of the API as a problem document; pages for people keep Django's own."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.views import defaults
from rest_framework import exceptions

from exchanges.domain import errors
from foundation.api.problems import Problem

log = structlog.get_logger(__name__)
PAGES_FOR_PEOPLE = ("/admin/", "/desk/", "/static/")


def exception_handler(error: Exception, context: dict[str, Any]) -> HttpResponse | None:  # noqa: ARG001
    """Answer what a view raised; None lets an unforeseen error through to the 500 handler."""
    problem = of_exception(error)
    if problem is not None and problem.status_code == 503:
        log.warning("answered_503", code=problem.code, error=str(error))
    return problem.response() if problem else None


def of_exception(error: Exception) -> Problem | None:
    match error:
        case Problem():
            return error
        case errors.VenueError():
            return of_venue(error)
        case Http404():
            return Problem(404, "NOT_FOUND", str(error) or "There is nothing here.")
        case RequestDataTooBig():
            return Problem(413, "BODY_TOO_LARGE", "The request body is too large.")
        case PermissionDenied():
            return Problem(403, "PERMISSION_DENIED", str(error) or "You may not do this.")
        case OperationalError() | InterfaceError():
            return Problem(503, "DATABASE_UNAVAILABLE", _of_database(error))
        case exceptions.ValidationError():
            return _validation(error)
        case exceptions.APIException():
            return _api(error)
    return None


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


def _of_database(error: Exception) -> str:
    if type(error.__cause__).__name__ == "LockNotAvailable":
        waited = settings.DATABASE_LOCK_TIMEOUT_SECONDS
        return (
            f"Another transaction has held a lock for more than {waited} s and nothing was done: "
            "try again shortly. /health names the one that holds it."
        )
    return "The database does not answer: try again shortly."


def _api(error: exceptions.APIException) -> Problem:
    headers: dict[str, str] = {}
    if auth_header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = auth_header
    if (wait := getattr(error, "wait", None)) is not None:
        headers["Retry-After"] = str(math.ceil(wait))
    detail = str(error.detail)
    if isinstance(error.detail, dict):
        detail = str(error.detail.get("detail", error.default_detail))
    code = str(error.default_code).upper()
    if detail.startswith("CSRF Failed"):
        code = "CSRF_FAILED"
    return Problem(error.status_code, code, detail, headers=headers)


def _validation(error: exceptions.ValidationError) -> Problem:
    """Name every field at fault; the first one also stands at top level."""
    faults = list(_faults("", error.detail, error.get_codes()))
    first = faults[0] if faults else {"field": "", "code": "INVALID", "detail": str(error)}
    detail = first["detail"] if not first["field"] else f"{first['field']}: {first['detail']}"
    return Problem(400, first["code"], detail, field=first["field"], errors=faults)


def _faults(path: str, detail: Any, codes: Any) -> Iterator[dict[str, str]]:
    if isinstance(detail, dict):
        for key, value in detail.items():
            name = path if key == "non_field_errors" else f"{path}.{key}".lstrip(".")
            yield from _faults(name, value, codes[key])
    elif isinstance(detail, list):
        for value, code in zip(detail, codes, strict=True):
            yield from _faults(path, value, code)
    else:
        yield {"field": path, "code": str(codes).upper(), "detail": str(detail)}


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _is_for_people(request):
        return defaults.page_not_found(request, exception)
    return Problem(404, "NOT_FOUND", f"There is nothing at {request.path}.").response()


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _is_for_people(request):
        return defaults.permission_denied(request, exception)
    return Problem(403, "PERMISSION_DENIED", "You may not do this.").response()


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _is_for_people(request):
        return defaults.bad_request(request, exception)
    problem = of_exception(exception) or Problem(400, "BAD_REQUEST", "The request is malformed.")
    return problem.response()


def server_error(request: HttpRequest) -> HttpResponse:
    if _is_for_people(request):
        return defaults.server_error(request)
    return Problem(
        500, "INTERNAL", "Something went wrong on our side; it is in the logs."
    ).response()


def _is_for_people(request: HttpRequest) -> bool:
    return request.path.startswith(PAGES_FOR_PEOPLE)
