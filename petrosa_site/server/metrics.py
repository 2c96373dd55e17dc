"""`/metrics`: what all processes counted, in Prometheus' text format."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import product

from django.conf import settings
from django.http import HttpResponse
from django.utils.cache import patch_vary_headers
from drf_spectacular.utils import extend_schema
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from exchanges import quotes
from exchanges.domain import venues
from exchanges.domain.venues import Environment, Venue
from exchanges.market_data import feed
from exchanges.venues.shared import latency

REST_PER_RENDERING = 4  # seconds without one for each second it took


PLACE = ("exchange", "market", "environment")


class Scrape:
    """One rendering for all who ask: made when the last is older than `at_most_every` seconds, and
    at most a fifth of the time. Whoever comes during a rendering gets the last one.
    """

    def __init__(self, render: Callable[[], bytes], *, at_most_every: float) -> None:
        self.render = render
        self.at_most_every = at_most_every
        self._rendering = threading.Lock()
        self._made: tuple[bytes, bytes] | None = None  # plain, gzip
        self._good_until = 0.0

    def text(self) -> bytes:
        return self._current()[0]

    def packed(self) -> bytes:
        return self._current()[1]

    def forget(self) -> None:
        self._made = None

    def _current(self) -> tuple[bytes, bytes]:
        made = self._made
        if made and (time.monotonic() < self._good_until or self._rendering.locked()):
            return made
        with self._rendering:
            if self._made is None or time.monotonic() >= self._good_until:
                self._made = self._render()
            return self._made

    def _render(self) -> tuple[bytes, bytes]:
        began = time.monotonic()
        text = self.render()
        made = text, gzip.compress(text, compresslevel=1)
        now = time.monotonic()
        self._good_until = now + max(self.at_most_every, REST_PER_RENDERING * (now - began))
        return made


class Metrics(APIView):
    """Answer anyone by default, and only those who are logged in when METRICS_OPEN is false."""

    throttle_scope = "metrics"

    def get_permissions(self) -> Sequence[BasePermission]:
        return [AllowAny() if settings.METRICS_OPEN else IsAuthenticated()]

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        takes_gzip = "gzip" in request.headers.get("Accept-Encoding", "")
        body = SCRAPE.packed() if takes_gzip else SCRAPE.text()
        response = HttpResponse(body, content_type=CONTENT_TYPE_LATEST)
        patch_vary_headers(response, ("Accept-Encoding",))
        if takes_gzip:
            response["Content-Encoding"] = "gzip"
        return response


def rendered() -> bytes:
    return generate_latest(registry()) + generate_latest(_as_of_now)


SCRAPE = Scrape(rendered, at_most_every=1.0)


def registry() -> CollectorRegistry:
    """Return the sum over all processes when they share a folder, else this process's own."""
    if not settings.PROMETHEUS_MULTIPROC_DIR:
        return REGISTRY
    everything = CollectorRegistry()
    MultiProcessCollector(  # type: ignore[no-untyped-call]
        everything, path=settings.PROMETHEUS_MULTIPROC_DIR
    )
    return everything


class MarketGauges(Collector):
    """Ages and latencies as of the scrape: an age goes on growing when nobody feeds any more."""

    def collect(self) -> Iterator[Metric]:
        ages = GaugeMetricFamily(
            "petrosa_feed_age_seconds",
            "Age of the newest quote; +Inf when nobody received one within a minute",
            labels=[*PLACE, "symbol"],
        )
        slow = GaugeMetricFamily(
            "petrosa_venue_latency_ms", "Median time to answer of the venue", labels=PLACE
        )
        for environment, market in product(Environment, settings.MARKET_DATA_MARKETS):
            venue = venues.venue(environment, market)
            for symbol, age in quotes.ages(venue, _watched(venue)).items():
                seconds = float("inf") if age is None else age.total_seconds()
                ages.add_metric([*venue.labels, symbol], seconds)
            known = latency.lately(venue)
            if known is not None:
                slow.add_metric(list(venue.labels), float(known.ms))
        yield ages
        yield slow


def _watched(venue: Venue) -> list[str]:
    """Return what is fed, and what must be fed where we trade."""
    life = feed.sign_of_life(venue)
    fed = set(life.symbols) if life else set()
    if venue.environment == settings.VENUE_ENVIRONMENT:
        fed |= set(settings.TRADING_SYMBOLS)
    return sorted(fed)


_as_of_now = CollectorRegistry()
_as_of_now.register(MarketGauges())
