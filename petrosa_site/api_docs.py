"""The API's description and the page that shows it, served from our own static files."""

from __future__ import annotations

from typing import Any

from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from trading.api.documents import PROBLEM_RESPONSES


class Schema(SpectacularAPIView):
    """The OpenAPI document, for whoever is logged in by any means."""


class Page(SpectacularSwaggerSplitView):
    """Swagger UI whose script is a file of its own, as the content security policy asks."""

    template_name = "api/swagger.html"


def add_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Say for every operation that its failures are problem documents."""
    reference = {"$ref": "#/components/schemas/ProblemDocument"}
    for operations in result.get("paths", {}).values():
        for operation in operations.values():
            responses = operation.setdefault("responses", {})
            for status, description in PROBLEM_RESPONSES.items():
                responses.setdefault(status, {"description": description})
            for status, response in responses.items():
                if int(status) >= 400:
                    given = response.get("content", {}).get("application/json", {})
                    given["schema"] = reference
                    response["content"] = {"application/problem+json": given}
    return result
