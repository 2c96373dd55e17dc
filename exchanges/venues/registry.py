"""Which gateway speaks for which venue: one per thread and process, built from the settings.

    from exchanges import gateways
    gateways.for_venue("testnet", "spot").place_order(...)

Celery forks its workers after import: everything here is keyed by process id, so a child never
uses a connection, a lock or a thread that belongs to its parent.
"""

from __future__ import annotations

import functools
import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from exchanges.domain.errors import VenueError
from exchanges.venues.base import ExchangeGateway

if TYPE_CHECKING:  # `binance` takes more than a second to import: only when first asked for
    from exchanges.venues.binance.spot.user_stream import SpotUserStream
    from exchanges.venues.shared.call_stats import Tally
    from exchanges.venues.shared.clock import Clock
    from exchanges.venues.shared.rate_budget import Budget

log = structlog.get_logger(__name__)
ENVIRONMENTS = ("simulator", "testnet", "demo", "mainnet")
REST_URLS = {
    "testnet": "https://testnet.binance.vision",
    "demo": "https://demo-api.binance.com",
    "mainnet": "https://api.binance.com",
}
WS_API_URLS = {
    "testnet": "wss://ws-api.testnet.binance.vision/ws-api/v3",
    "demo": "wss://demo-ws-api.binance.com/ws-api/v3",
    "mainnet": "wss://ws-api.binance.com:443/ws-api/v3",
}
STREAM_URLS = {
    "testnet": "wss://stream.testnet.binance.vision",
    "demo": "wss://demo-stream.binance.com",
    "mainnet": "wss://stream.binance.com:9443",
}
# USD-M serves two sorts of streams under /public and /market; the market feed adds that part.
USDM_STREAM_URLS = {
    "testnet": "wss://fstream.binancefuture.com",
    "demo": "wss://fstream.binancefuture.com",
    "mainnet": "wss://fstream.binance.com",
}
USDM_REST_URLS = {
    "testnet": "https://testnet.binancefuture.com",
    "demo": "https://demo-fapi.binance.com",
    "mainnet": "https://fapi.binance.com",
}


@dataclass(frozen=True, slots=True)
class SpotAccess:
    """Where one spot environment lives and the keys it takes. `repr` shows no secret."""

    environment: str
    rest_url: str
    ws_api_url: str
    stream_url: str
    api_key: str
    api_secret: str

    def __repr__(self) -> str:
        return f"SpotAccess({self.environment} {self.rest_url})"

    @property
    def account_digest(self) -> str:
        """Name the account without telling its key."""
        return hashlib.sha256(self.api_key.encode()).hexdigest()[:12]


_threads = threading.local()
_shared: dict[tuple[int, SpotAccess], tuple[Clock, Budget, Tally]] = {}
_shared_lock = threading.Lock()
_stand_ins: dict[tuple[str, str], ExchangeGateway] = {}


def for_venue(environment: str, market: str = "spot") -> ExchangeGateway:
    """Return this thread's gateway to a venue. Raise ImproperlyConfigured for an unknown one."""
    stand_in = _stand_ins.get((environment, market))
    if stand_in is not None:
        return stand_in
    access = spot_access(environment, market)
    mine: dict[tuple[int, SpotAccess], ExchangeGateway] = _threads.__dict__.setdefault("open", {})
    key = (os.getpid(), access)
    if key not in mine:
        mine[key] = _build(access)
    return mine[key]


def user_stream_for(environment: str, market: str = "spot") -> SpotUserStream:
    """Build a new user stream of a venue account; it connects when it is iterated."""
    from exchanges.venues.binance.spot.user_stream import SpotUserStream

    access = spot_access(environment, market)
    clock, _, _ = _shared_of(access)
    return SpotUserStream(
        url=access.ws_api_url,
        api_key=access.api_key,
        api_secret=access.api_secret,
        recv_window_ms=settings.BINANCE_RECV_WINDOW_MS,
        clock=clock,
    )


def warm(environment: str, market: str = "spot") -> None:
    """Import, connect and set the clock now, so that the first order need not wait for it."""
    for_venue(environment, market).server_time()


def warm_soon(environment: str, market: str = "spot") -> threading.Thread:
    """Do the same beside the start of a process, which must not wait for it or fail by it."""
    thread = threading.Thread(
        target=_warm_or_tell, args=(environment, market), name="warm gateway", daemon=True
    )
    thread.start()
    return thread


def _warm_or_tell(environment: str, market: str) -> None:
    try:
        warm(environment, market)
    except (VenueError, ImproperlyConfigured) as error:  # the first order will meet it and tell
        log.warning("gateway_not_warmed", environment=environment, error=str(error))


@contextmanager
def standing_in(environment: str, market: str, gateway: ExchangeGateway) -> Iterator[None]:
    """Let `gateway` speak for a venue while the block runs: for drills and tests."""
    key = (environment, market)
    before = _stand_ins.get(key)
    _stand_ins[key] = gateway
    try:
        yield
    finally:
        if before is None:
            del _stand_ins[key]
        else:
            _stand_ins[key] = before


def spot_access(environment: str, market: str) -> SpotAccess:
    """Read from the settings where a spot venue lives. Raise ImproperlyConfigured if unknown."""
    if environment not in ENVIRONMENTS or market != "spot":
        raise ImproperlyConfigured(
            f"No gateway for {environment} {market}: environments are {', '.join(ENVIRONMENTS)}, "
            "the market is spot."
        )
    if environment == "simulator":
        return SpotAccess(
            environment,
            settings.SIMULATOR_REST_URL,
            settings.SIMULATOR_WS_API_URL,
            settings.SIMULATOR_STREAM_URL,
            settings.SIMULATOR_API_KEY,
            settings.SIMULATOR_API_SECRET,
        )
    return SpotAccess(
        environment,
        settings.BINANCE_SPOT_REST_URL or REST_URLS[environment],
        settings.BINANCE_SPOT_WS_URL or WS_API_URLS[environment],
        settings.BINANCE_SPOT_STREAM_URL or STREAM_URLS[environment],
        settings.BINANCE_API_KEY,
        settings.BINANCE_API_SECRET,
    )


def clock_and_budget(access: SpotAccess) -> tuple[Clock, Budget]:
    """Return what every caller of this venue in this process goes by."""
    clock, budget, _ = _shared_of(access)
    return clock, budget


def stream_url(environment: str, market: str) -> str:
    """Return where a market's public streams are. Raise ImproperlyConfigured if unknown."""
    if market == "spot":
        return spot_access(environment, "spot").stream_url
    url: str = settings.BINANCE_USDM_STREAM_URL or USDM_STREAM_URLS.get(environment, "")
    if market != "usdm" or not url or environment == "simulator":
        raise ImproperlyConfigured(
            f"No {market} market data in {environment}: usdm is in {', '.join(USDM_STREAM_URLS)} "
            "(the simulator is a spot venue). Take it out of MARKET_DATA_MARKETS."
        )
    return url


def _build(access: SpotAccess) -> ExchangeGateway:
    from exchanges.venues.binance.spot.gateway import BinanceSpotGateway
    from exchanges.venues.shared import latency

    clock, budget, tally = _shared_of(access)
    return BinanceSpotGateway(
        environment=access.environment,
        rest_url=access.rest_url,
        api_key=access.api_key,
        api_secret=access.api_secret,
        recv_window_ms=settings.BINANCE_RECV_WINDOW_MS,
        timeout_seconds=float(settings.BINANCE_TIMEOUT_SECONDS),
        exit_recv_window_ms=settings.EXIT_RECV_WINDOW_MS,
        exit_timeout_seconds=float(settings.EXIT_TIMEOUT_SECONDS),
        budget=budget,
        clock=clock,
        tally=tally,
        may_write=_lock_of(access.environment),
        on_answer=functools.partial(latency.note, access.environment),
    )


def _lock_of(environment: str) -> Callable[[], bool]:
    if environment != "mainnet":
        return lambda: True
    return lambda: bool(settings.MAINNET_TRADING_ENABLED)  # asked anew before every write


def _shared_of(access: SpotAccess) -> tuple[Clock, Budget, Tally]:
    """Return clock, budget and tally of a venue: one of each a process, whatever its threads."""
    from exchanges.venues.shared import rate_budget as budgets
    from exchanges.venues.shared.call_stats import Tally
    from exchanges.venues.shared.clock import Clock

    key = (os.getpid(), access)
    with _shared_lock:
        if key not in _shared:
            clock = Clock()
            store = budgets.connect(settings.REDIS_URL) if settings.REDIS_URL else None
            budget = budgets.Budget(
                name=f"{access.environment}:{access.account_digest}:{_host(access.rest_url)}",
                now_ms=clock.now_ms,
                store=store,
                max_weight=int(settings.BINANCE_MAX_WEIGHT_PER_MIN or 0),
            )
            _shared[key] = (clock, budget, Tally(access.environment, store))
        return _shared[key]


def _host(url: str) -> str:
    return url.split("://", 1)[-1].split("/", 1)[0]


def _forget_parent() -> None:
    """Start afresh in a forked child: a lock held by a thread of the parent never opens again."""
    global _shared_lock
    _shared_lock = threading.Lock()
    _shared.clear()
    _threads.__dict__.clear()


os.register_at_fork(after_in_child=_forget_parent)
