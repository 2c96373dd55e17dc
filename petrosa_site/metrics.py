"""`/metrics`: what all processes counted, in Prometheus' text format."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView


class Metrics(APIView):
    """Answer anyone by default, and only those who are logged in when METRICS_OPEN is false."""

    throttle_classes = ()

    def get_permissions(self) -> Sequence[BasePermission]:
        return [AllowAny() if settings.METRICS_OPEN else IsAuthenticated()]

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:  # noqa: ARG002
        return HttpResponse(generate_latest(registry()), content_type=CONTENT_TYPE_LATEST)


def registry() -> CollectorRegistry:
    """Return the sum over all processes when they share a folder, else this process's own."""
    if not settings.PROMETHEUS_MULTIPROC_DIR:
        return REGISTRY
    everything = CollectorRegistry()
    MultiProcessCollector(  # type: ignore[no-untyped-call]
        everything, path=settings.PROMETHEUS_MULTIPROC_DIR
    )
    return everything
