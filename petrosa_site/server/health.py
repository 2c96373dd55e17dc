"""Is everything there that trading needs? One small look per part, each with a time limit.

`/healthz` says the process lives, `/ready` whether to send it work, `/health` what is wrong.
Nothing here tells an address, a key or a stack: the detail is in the logs.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import redis
import structlog
from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from exchanges import quotes
from exchanges.domain.errors import VenueError
from exchanges.market_data import feed
from exchanges.models import InstrumentRow, VenueAccount
from exchanges.venues import configured, registry
from exchanges.venues.shared import latency
from petrosa_site.server import troubles
from signals_app.models import Signal
from signals_app.realtime import process_status
from trading.domain.order_states import OrderStatus
from trading.domain.risk.types import TradingMode
from trading.models import Order, Position
from trading.services.control import circuit_breakers, kill_switch

log = structlog.get_logger(__name__)
TIMEOUT_SECONDS = 1.0
REMEMBERED_SECONDS = 2.0  # probes and curious visitors share one look
CELERY_QUEUES = ("celery", f"celery:{settings.CELERY_SIGNAL_PRIORITY}", settings.EXIT_QUEUE)
WHAT_TO_DO = {
    "database": "Nothing is traded without it: see docs/operations.md, When PostgreSQL hangs.",
    "redis": "Nothing is enqueued or watched without it: start it again; nothing is lost.",
    "nats": "Signals wait with their senders: start it again.",
    "instruments": "See that the venue answers; they are loaded with the first signal.",
    "venue": "Nothing can be sent there: look at its status page and at our network.",
}
NEEDED = ("database", "redis", "nats", "instruments")  # the venue itself may be away for a while


@dataclass(frozen=True, slots=True)
class Finding:
    """One part's state. `detail` is safe to show to anybody."""

    ok: bool
    detail: str = ""
    took_ms: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        shown: dict[str, Any] = {"ok": self.ok, "took_ms": round(self.took_ms, 1)}
        return shown | ({"detail": self.detail} if self.detail else {})


class NotThere(Exception):
    """A part does not answer, or not as it should."""


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    VenueAccount.objects.exists()  # fails when migrations are missing
    return str(connection.vendor)


def _redis() -> str:
    with redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
    ) as client:
        client.ping()
    return ""


def _nats() -> str:
    """Connect and read the greeting: any one server of the list will do."""
    for url in settings.NATS_URL.split(","):
        parts = urlsplit(url.strip() if "//" in url else f"nats://{url.strip()}")
        try:
            with socket.create_connection(
                (parts.hostname or "127.0.0.1", parts.port or 4222), timeout=TIMEOUT_SECONDS
            ) as peer:
                if peer.recv(4) == b"INFO":
                    return ""
        except OSError as error:
            log.info("nats_not_reachable", error=str(error))
    raise NotThere("no NATS server answers")


def _instruments() -> str:
    if InstrumentRow.objects.filter(**configured.venue().columns()).exists():
        return ""
    _venue()  # not loaded yet: the first signal loads them, when the venue is there
    return "not loaded yet, the venue answers"


def _venue() -> str:
    venue = configured.venue()
    registry.for_venue(venue).ping()
    return str(venue)


CHECKS: Mapping[str, Callable[[], str]] = {
    "database": _database,
    "redis": _redis,
    "nats": _nats,
    "instruments": _instruments,
    "venue": _venue,
}
_remembered: dict[str, tuple[float, Finding]] = {}
_looking = {name: threading.Lock() for name in CHECKS}


def look(name: str) -> Finding:
    """Check one part, or tell what was found a moment ago."""
    with _looking[name]:
        known = _remembered.get(name)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        finding = _examine(name)
        _remembered[name] = (time.monotonic() + REMEMBERED_SECONDS, finding)
        return finding


def forget() -> None:
    """Make the next look a fresh one."""
    _remembered.clear()


def _examine(name: str) -> Finding:
    started = time.perf_counter()
    try:
        detail = CHECKS[name]()
    except (DatabaseError, redis.RedisError, OSError, VenueError, NotThere) as error:
        log.warning("part_not_healthy", part=name, error=str(error))
        return Finding(False, type(error).__name__, (time.perf_counter() - started) * 1000)
    return Finding(True, detail, (time.perf_counter() - started) * 1000)


def readiness() -> dict[str, Finding]:
    """Look at what this process cannot work without."""
    return {name: look(name) for name in NEEDED}


def report() -> dict[str, Any]:
    """Tell everything: what is wrong in sentences, parts, ages of the last signs of life, and how
    much is waiting."""
    parts = {name: look(name) for name in CHECKS}
    problems = [
        f"{name} does not answer as it should ({finding.detail}). {WHAT_TO_DO[name]}"
        for name, finding in parts.items()
        if not finding.ok
    ]
    body: dict[str, Any] = {
        "status": "ok",
        "problems": problems,
        "version": settings.VERSION,
        "environment": settings.VENUE_ENVIRONMENT,
        "time": timezone.now(),
        "dependencies": {name: finding.as_dict() for name, finding in parts.items()},
    }
    if parts["database"].ok:
        body |= {"ages_seconds": _ages(), "waiting": _waiting(), "trading": _trading()}
        problems += troubles.of_database()
    if parts["redis"].ok:
        market = market_data()
        body |= {"queue_depth": _queue_depth(), "prices": _prices(), "trips": _trips()}
        strategies = process_status.seen(redis_url=settings.REDIS_URL)
        body |= {"market_data": market, "strategies": [sign.as_dict() for sign in strategies]}
        problems += [
            f"Market data of {name}: {words}. See docs/market-data.md."
            for name, told in market.items()
            for words in told["troubles"]
        ]
        problems += [*troubles.of_strategies(strategies), *troubles.of_processes()]
    body["status"] = "degraded" if problems else "ok"
    return body


def _ages() -> dict[str, float | None]:
    """Seconds since the last sign of life of the streams and of the last signal."""
    now = timezone.now()
    venue = VenueAccount.objects.filter(**configured.venue().columns()).first()
    last_signal = Signal.objects.order_by("-id").values_list("received_at", flat=True).first()
    moments: dict[str, datetime | None] = {
        "user_stream": venue.stream_at if venue else None,
        "balances": venue.balances_at if venue else None,
        "last_signal": last_signal,
    }
    return {
        name: None if at is None else round((now - at) / timedelta(seconds=1), 1)
        for name, at in moments.items()
    }


def _prices() -> dict[str, Any]:
    """Tell whether the market stream is open, how old each price is, and how slow the venue."""
    venue = configured.venue()
    life, slow = feed.sign_of_life(venue), latency.lately(venue)
    ages = quotes.ages(venue, settings.TRADING_SYMBOLS)
    return {
        "stream_is_live": life is not None and life.is_live,
        "ages_seconds": {
            symbol: None if age is None else round(age.total_seconds(), 1)
            for symbol, age in ages.items()
        },
        "venue_latency_ms": slow.ms if slow else None,
    }


def market_data() -> dict[str, Any]:
    """Tell of each market that is streamed whether it is, and whether the bus is fed with it."""
    return {
        market: _market(feed.sign_of_life(configured.venue(market)))
        for market in settings.MARKET_DATA_MARKETS
    }


def _market(life: feed.SignOfLife | None) -> dict[str, Any]:
    if life is None:  # ages of prices tell the rest: the process may not be wanted here
        return {"streams": 0, "connections": 0, "bus_waiting": 0, "lag_ms": None, "troubles": []}
    return {
        "streams": life.streams,
        "connections": life.connections,
        "bus_waiting": life.bus_waiting,
        "lag_ms": life.lag_worst_ms,
        "troubles": list(_troubles(life)),
    }


def _troubles(life: feed.SignOfLife) -> Iterator[str]:
    if not life.is_live:
        yield "a connection to the venue is down"
    if life.publishes and not life.bus_is_live:
        yield f"the bus is not fed: no NATS, {life.bus_waiting} frames wait"
    if life.bus_lost:
        yield f"{life.bus_lost} trades or closed candles were never published"
    if life.candles_lost:
        yield f"{life.candles_lost} closed candles were not stored (gap repair fetches them)"
    if life.books_out_of_step:
        yield f"books out of step: {', '.join(life.books_out_of_step)}"


def _waiting() -> dict[str, int]:
    return {
        "signals_not_acted_on": Signal.objects.filter(status=Signal.Status.RECEIVED).count(),
        "orders_in_flight": Order.objects.filter(status=OrderStatus.SUBMITTING).count(),
        "positions_naked": Position.objects.filter(is_open=True, naked_since__isnull=False).count(),
    }


def _trading() -> str:
    held = [
        TradingMode(s.mode) for s in kill_switch.in_force(timezone.now()) if s.scope == "global"
    ]
    return max(held, key=kill_switch.STRICTNESS.__getitem__, default=TradingMode.ACTIVE).value


def _trips() -> dict[str, Any]:
    """Tell how each circuit breaker stands, by its name and place."""
    seen = circuit_breakers.seen()
    names = {f: f"{f.name} {f.key}".strip() for f in seen.findings}
    states = {name: f.state for f, name in names.items()}
    ago = None if seen.seconds_ago is None else round(seen.seconds_ago, 1)
    return {"worst": seen.worst, "watched_seconds_ago": ago, "states": states}


def _queue_depth() -> int | None:
    try:
        with redis.Redis.from_url(
            settings.CELERY_BROKER_URL, socket_timeout=TIMEOUT_SECONDS
        ) as client:
            return sum(int(client.llen(queue)) for queue in CELERY_QUEUES)
    except redis.RedisError as error:
        log.warning("queue_depth_not_known", error=str(error))
        return None
