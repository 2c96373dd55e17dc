"""The API's description and the page that shows it, served from our own static files."""

from __future__ import annotations

from typing import Any

from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from foundation.api.documents import PROBLEM_RESPONSES
from foundation.api.problems import CONTENT_TYPE

PROBLEM_REFERENCE = {"$ref": "#/components/schemas/ProblemDocument"}
OPEN_DOORS = {
    "/": "Health check",
    "/health": "Detailed health check",
    "/healthz": "Alive",
    "/ready": "Ready for work: database, Redis, NATS, instruments",
    "/version": "Version",
}


class Schema(SpectacularAPIView):
    """The OpenAPI document, for whoever is logged in by any means."""


class Page(SpectacularSwaggerSplitView):
    """Swagger UI whose script is a file of its own, as the content security policy asks."""

    template_name = "api/swagger.html"


def add_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Say for every operation that its failures are problem documents."""
    for path, operations in result["paths"].items():
        for operation in operations.values():
            responses = operation["responses"]
            expected = dict(PROBLEM_RESPONSES)
            if operation.get("parameters") or operation.get("requestBody"):
                expected["400"] = "Something in the request was not understood; `field` names it."
            if "{" in path:
                expected["404"] = "There is no such thing."
            for status, description in expected.items():
                responses.setdefault(status, {"description": description})
            for status, response in responses.items():
                if int(status) >= 400:
                    given = response.get("content", {}).get("application/json", {})
                    given["schema"] = PROBLEM_REFERENCE
                    response["content"] = {CONTENT_TYPE: given}
    return result


def name_paths(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Write paths the way senders know them: `/trade`, and the open doors beside the others."""
    paths = {
        path if path.startswith("/api/") else path.rstrip("/"): operations
        for path, operations in result["paths"].items()
    }
    for path, summary in OPEN_DOORS.items():
        paths[path] = {
            "get": {
                "operationId": path.strip("/") or "root",
                "tags": ["health"],
                "summary": summary,
                "security": [{}],
                "responses": {"200": {"description": summary}, "503": {"description": "Not so."}},
            }
        }
    result["paths"] = dict(sorted(paths.items()))
    return result
