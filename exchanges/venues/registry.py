"""Which gateway speaks for which venue: one per thread and process, built from the settings.

    from exchanges.venues import registry
    registry.for_account(order.venue_account).place_order(...)
    registry.for_venue(venue).quote("BTCUSDT")

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
from exchanges.domain.venues import Environment, Market, Venue
from exchanges.venues.base import ExchangeGateway

if TYPE_CHECKING:  # `binance` takes more than a second to import: only when first asked for
    from exchanges.models import VenueAccount
    from exchanges.venues.binance.spot.user_stream import SpotUserStream
    from exchanges.venues.shared.call_stats import Tally
    from exchanges.venues.shared.clock import Clock
    from exchanges.venues.shared.rate_budget import Budget

log = structlog.get_logger(__name__)
FIRST_ACCOUNT = ""  # whose keys have no suffix in the configuration
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
class Access:
    """Where one venue lives and the keys it takes. `repr` shows no secret."""

    venue: Venue
    rest_url: str
    ws_api_url: str
    stream_url: str
    api_key: str
    api_secret: str

    def __repr__(self) -> str:
        return f"Access({self.venue} {self.rest_url})"

    @property
    def account_digest(self) -> str:
        """Name the account without telling its key."""
        return hashlib.sha256(self.api_key.encode()).hexdigest()[:12]


_threads = threading.local()
_shared: dict[tuple[int, Access], tuple[Clock, Budget, Tally]] = {}
_shared_lock = threading.Lock()
_stand_ins: dict[Venue, ExchangeGateway] = {}


def for_account(account: VenueAccount) -> ExchangeGateway:
    """Return this thread's gateway to an account, with the keys of that account.

    Raise ImproperlyConfigured for a venue nobody speaks to, or keys that are not configured.
    """
    return _gateway(account.venue, account.credentials)


def for_venue(venue: Venue) -> ExchangeGateway:
    """Return this thread's gateway to a venue, for what is public. Raise ImproperlyConfigured."""
    return _gateway(venue, FIRST_ACCOUNT)


def user_stream_for(account: VenueAccount) -> SpotUserStream:
    """Build a new user stream of a venue account; it connects when it is iterated."""
    from exchanges.venues.binance.spot.user_stream import SpotUserStream

    access = access_to(account.venue, account.credentials)
    clock, _, _ = _shared_of(access)
    return SpotUserStream(
        url=access.ws_api_url,
        api_key=access.api_key,
        api_secret=access.api_secret,
        recv_window_ms=settings.BINANCE_RECV_WINDOW_MS,
        clock=clock,
    )


def warm(venue: Venue) -> None:
    """Import, connect and set the clock now, so that the first order need not wait for it."""
    for_venue(venue).server_time()


def warm_soon(venue: Venue) -> threading.Thread:
    """Do the same beside the start of a process, which must not wait for it or fail by it."""
    thread = threading.Thread(target=_warm_or_tell, args=(venue,), name="warm gateway", daemon=True)
    thread.start()
    return thread


def _warm_or_tell(venue: Venue) -> None:
    try:
        warm(venue)
    except (VenueError, ImproperlyConfigured) as error:  # the first order will meet it and tell
        log.warning("gateway_not_warmed", venue=str(venue), error=str(error))


@contextmanager
def standing_in(venue: Venue, gateway: ExchangeGateway) -> Iterator[None]:
    """Let `gateway` speak for a venue while the block runs: for drills and tests."""
    before = _stand_ins.get(venue)
    _stand_ins[venue] = gateway
    try:
        yield
    finally:
        if before is None:
            del _stand_ins[venue]
        else:
            _stand_ins[venue] = before


def access_to(venue: Venue, credentials: str = FIRST_ACCOUNT) -> Access:
    """Read from the settings where a venue lives. Raise ImproperlyConfigured if unknown."""
    if venue.market is not Market.SPOT:
        raise ImproperlyConfigured(f"No orders can be sent to {venue} yet: the market is spot.")
    if venue.environment is Environment.SIMULATOR:
        if credentials != FIRST_ACCOUNT:
            raise ImproperlyConfigured(
                f"The simulator has one account: {credentials} would be the same wallet once more."
            )
        return Access(
            venue,
            settings.SIMULATOR_REST_URL,
            settings.SIMULATOR_WS_API_URL,
            settings.SIMULATOR_STREAM_URL,
            settings.SIMULATOR_API_KEY,
            settings.SIMULATOR_API_SECRET,
        )
    key, secret = _keys(credentials)
    return Access(
        venue,
        settings.BINANCE_SPOT_REST_URL or REST_URLS[venue.environment],
        settings.BINANCE_SPOT_WS_URL or WS_API_URLS[venue.environment],
        settings.BINANCE_SPOT_STREAM_URL or STREAM_URLS[venue.environment],
        key,
        secret,
    )


def _keys(credentials: str) -> tuple[str, str]:
    if credentials == FIRST_ACCOUNT:
        return settings.BINANCE_API_KEY, settings.BINANCE_API_SECRET
    keys: tuple[str, str] | None = settings.BINANCE_CREDENTIALS.get(credentials)
    if keys is None:
        raise ImproperlyConfigured(
            f"No keys are configured under {credentials}: set BINANCE_API_KEY_{credentials} and "
            f"BINANCE_API_SECRET_{credentials}."
        )
    return keys


def _gateway(venue: Venue, credentials: str) -> ExchangeGateway:
    stand_in = _stand_ins.get(venue)
    if stand_in is not None:
        return stand_in
    access = access_to(venue, credentials)
    mine: dict[tuple[int, Access], ExchangeGateway] = _threads.__dict__.setdefault("open", {})
    key = (os.getpid(), access)
    if key not in mine:
        mine[key] = _build(access)
    return mine[key]


def clock_and_budget(access: Access) -> tuple[Clock, Budget]:
    """Return what every caller of this venue in this process goes by."""
    clock, budget, _ = _shared_of(access)
    return clock, budget


def stream_url(venue: Venue) -> str:
    """Return where a venue's public streams are. Raise ImproperlyConfigured if unknown."""
    if venue.market is Market.SPOT:
        return access_to(venue).stream_url
    url: str = settings.BINANCE_USDM_STREAM_URL or USDM_STREAM_URLS.get(venue.environment, "")
    if not url or venue.environment is Environment.SIMULATOR:
        raise ImproperlyConfigured(
            f"No market data of {venue}: usdm is in {', '.join(USDM_STREAM_URLS)} "
            "(the simulator is a spot venue). Take it out of MARKET_DATA_MARKETS."
        )
    return url


def _build(access: Access) -> ExchangeGateway:
    from exchanges.venues.binance.spot.gateway import BinanceSpotGateway
    from exchanges.venues.shared import latency

    clock, budget, tally = _shared_of(access)
    return BinanceSpotGateway(
        venue=access.venue,
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
        may_write=_lock_of(access.venue),
        on_answer=functools.partial(latency.note, access.venue),
    )


def _lock_of(venue: Venue) -> Callable[[], bool]:
    if not venue.is_real_money:
        return lambda: True
    return lambda: bool(settings.MAINNET_TRADING_ENABLED)  # asked anew before every write


def _shared_of(access: Access) -> tuple[Clock, Budget, Tally]:
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
                name=f"{access.venue}:{access.account_digest}:{_host(access.rest_url)}",
                now_ms=clock.now_ms,
                store=store,
                max_weight=int(settings.BINANCE_MAX_WEIGHT_PER_MIN or 0),
            )
            _shared[key] = (clock, budget, Tally(access.venue, store))
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
