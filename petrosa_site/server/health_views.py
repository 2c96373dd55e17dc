"""The open doors: alive, ready, healthy, which version. Plain views, no login, no throttle."""

from __future__ import annotations

import platform
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from foundation.api.problems import Problem, to_json
from petrosa_site.server import health


def open_door(view: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Let anybody read, fresh each time; whoever wants more is answered with a problem."""

    @wraps(view)
    def door(request: HttpRequest) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            words = f"{request.method} is not for this: it can only be read."
            return Problem(
                405, "METHOD_NOT_ALLOWED", words, headers={"Allow": "GET, HEAD"}
            ).response()
        return view(request)

    return csrf_exempt(never_cache(door))


def answer(body: dict[str, Any], status: int = 200) -> HttpResponse:
    return HttpResponse(to_json(body), status=status, content_type="application/json")


@open_door
def root(request: HttpRequest) -> HttpResponse:
    """Say hello to programs; send people to the desk."""
    if "text/html" in request.headers.get("Accept", ""):
        try:
            return redirect(reverse(settings.LOGIN_REDIRECT_URL))
        except NoReverseMatch:
            return redirect(reverse("admin:index"))
    return answer({"name": "Petrosa", "status": "ok", "version": settings.VERSION, "docs": "/docs"})


@open_door
def healthz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Answer while the process can answer: nothing else is looked at."""
    return answer({"status": "ok", "time": timezone.now()})


@open_door
def ready(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    found = health.readiness()
    missing = [name for name, finding in found.items() if not finding.ok]
    parts = {name: finding.as_dict() for name, finding in found.items()}
    if missing:
        return Problem(
            503,
            "NOT_READY",
            f"Not ready: {', '.join(missing)}.",
            missing=missing,
            dependencies=parts,
        ).response()
    return answer({"status": "ready", "dependencies": parts})


@open_door
def detail(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Answer 200 while the database is there, so that a page can still show what is wrong."""
    body = health.report()
    return answer(body, 200 if body["dependencies"]["database"]["ok"] else 503)


@open_door
def version(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    return answer({"name": "Petrosa", "version": settings.VERSION, "api": ["legacy", "v1"]})


class StatusView(APIView):
    """`/status`: the same report as `/health`, under its other name."""

    @extend_schema(
        operation_id="status",
        tags=["health"],
        summary="Detailed status",
        responses={200: OpenApiTypes.OBJECT},
    )
    def get(self, request: Request) -> HttpResponse:  # noqa: ARG002
        return answer(health.report())


class InfoView(APIView):
    """`/info`: what runs here and with which first limits. No secret is among them."""

    @extend_schema(
        operation_id="info",
        tags=["health"],
        summary="What runs here",
        responses={200: OpenApiTypes.OBJECT},
    )
    def get(self, request: Request) -> HttpResponse:  # noqa: ARG002
        return answer(
            {
                "name": "Petrosa",
                "version": settings.VERSION,
                "python": platform.python_version(),
                "environment": settings.VENUE_ENVIRONMENT,
                "simulation": settings.SIMULATION_ENABLED,
                "signals": {
                    "subjects": [settings.NATS_SIGNAL_SUBJECT, settings.NATS_LEGACY_SUBJECT],
                    "max_age_seconds": settings.SIGNAL_MAX_AGE_SECONDS,
                    "max_bytes": settings.SIGNAL_MAX_BYTES,
                },
                "defaults": {
                    "order_type": settings.DEFAULT_ORDER_TYPE,
                    "stop_loss_pct": settings.STOP_LOSS_DEFAULT,
                    "take_profit_pct": settings.TAKE_PROFIT_DEFAULT,
                    "min_confidence": settings.MIN_CONFIDENCE,
                },
            }
        )
