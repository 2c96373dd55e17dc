"""The past of a market over public REST: candles, funding rates, aggregated trades.

Everything goes through the weight budget of the address, which the trading gateways share. It may
use no more of it than heavy listings may (70 %), so that neither exits nor entries ever wait for
a backfill. Spot pages hold 1000 candles for a weight of 2. USD-M charges by the size of the page:
499 for 2 is the cheapest candle there (1500 cost 10).
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlencode

import structlog
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from exchanges.domain import errors
from exchanges.domain.candles import Candle, length_ms
from exchanges.domain.venues import Market, Venue
from exchanges.venues import registry
from exchanges.venues.binance import error_mapping, kline_rows
from exchanges.venues.binance.kline_rows import AggTrade, Funding
from exchanges.venues.binance.transport import ConnectionLost, ConnectionNeverMade, Transport
from exchanges.venues.shared import rate_budget as budgets
from exchanges.venues.shared import retries
from exchanges.venues.shared.clock import Clock
from exchanges.venues.shared.rate_budget import Budget, Share

log = structlog.get_logger(__name__)
T = TypeVar("T")
TRADES_PER_PAGE = 1000
FUNDINGS_PER_PAGE = 1000
DEPTH_LEVELS = 1000
USDM_WEIGHT = 2400
FUNDING_CALLS = 100  # a minute: funding rates have a limit of their own, 500 in five minutes


class DepthSnapshot(NamedTuple):
    """A book as text: rows of price and quantity."""

    last_id: int
    bids: list[list[str]]
    asks: list[list[str]]


@dataclass(frozen=True, slots=True)
class Prices:
    """What a market charges and how much a page holds."""

    path: str
    page: int
    klines: int
    trades: int
    depth: int


SPOT = Prices("/api/v3", 1000, 2, 4, 50)
USDM = Prices("/fapi/v1", 499, 2, 20, 20)


@dataclass
class MarketHistory:
    """One market of one venue. Not safe to share by threads.

    Raises VenueError: RateLimited when the budget or the venue says wait (`retry_after`),
    Rejected for a symbol or interval the venue does not know, NotSent when it cannot be reached
    or its answer cannot be read, after three tries.
    """

    venue: Venue
    rest_url: str
    clock: Clock
    budget: Budget
    funding_budget: Budget
    timeout_seconds: float = 12.0
    sleep: Callable[[float], None] = time.sleep
    transport: Transport = field(default_factory=lambda: Transport({"Accept": "application/json"}))

    @property
    def prices(self) -> Prices:
        return USDM if self.venue.market is Market.USDM else SPOT

    def now_ms(self) -> int:
        """Return the venue's time: what is closed is closed by its clock."""
        if self.clock.is_stale:
            self.clock.sync(lambda: self._ask("time", {}, 1, _server_time))
        return self.clock.now_ms()

    def klines(self, symbol: str, interval: str, *, start_ms: int, end_ms: int) -> list[Candle]:
        """Return closed candles that opened within [start_ms, end_ms), oldest first: the first
        page of those the venue has, so that none means that it has none."""
        now_ms, length = self.now_ms(), length_ms(interval)
        params = {
            "symbol": symbol,
            "interval": interval,
            "startTime": start_ms,
            "endTime": end_ms - 1,
            "limit": self.prices.page,
        }
        found = self._ask("klines", params, self.prices.klines, kline_rows.candles)
        return [
            candle
            for candle in found
            if start_ms <= candle.opened_ms < end_ms and candle.opened_ms + length <= now_ms
        ]

    def fundings(self, symbol: str, *, start_ms: int, end_ms: int) -> list[Funding]:
        """Return funding rates of [start_ms, end_ms), one page, oldest first (USD-M only)."""
        self.funding_budget.spend(1, Share.LISTING)
        params = {
            "symbol": symbol,
            "startTime": start_ms,
            "endTime": end_ms - 1,
            "limit": FUNDINGS_PER_PAGE,
        }
        found = self._ask("fundingRate", params, 0, kline_rows.fundings)
        return [one for one in found if start_ms <= one.funded_ms < end_ms]

    def trades_from(self, symbol: str, trade_id: int) -> list[AggTrade]:
        """Return a page of trades from an id on, oldest first."""
        params = {"symbol": symbol, "fromId": trade_id, "limit": TRADES_PER_PAGE}
        return self._trades(params)

    def trades_within(self, symbol: str, *, start_ms: int, end_ms: int) -> list[AggTrade]:
        """Return the first page of trades of [start_ms, end_ms), at most an hour of them."""
        params = {
            "symbol": symbol,
            "startTime": start_ms,
            "endTime": min(end_ms, start_ms + 3_600_000) - 1,
            "limit": TRADES_PER_PAGE,
        }
        return self._trades(params)

    def depth(self, symbol: str) -> DepthSnapshot:
        """Return the whole book, a thousand levels a side, and the update it is as of."""
        params = {"symbol": symbol, "limit": DEPTH_LEVELS}
        return self._ask("depth", params, self.prices.depth, _snapshot)

    # ---- inside ---------------------------------------------------------------------------

    def _trades(self, params: Mapping[str, object]) -> list[AggTrade]:
        found = self._ask("aggTrades", params, self.prices.trades, kline_rows.agg_trades)
        return sorted(found)

    def _ask(
        self, path: str, params: Mapping[str, object], weight: int, read: Callable[[Any], T]
    ) -> T:
        def ask() -> T:
            reply = self._send(path, params, weight)
            try:
                return read(reply.json())
            except ValueError as error:
                raise errors.NotSent(f"{path}: unreadable answer: {error}") from error

        return retries.read(ask, sleep=self.sleep)

    def _send(self, path: str, params: Mapping[str, object], weight: int) -> error_mapping.Reply:
        self.budget.spend(weight, Share.LISTING)
        uri = f"{self.rest_url.rstrip('/')}{self.prices.path}/{path}"
        try:
            reply = self.transport.get(uri, params=urlencode(params), timeout=self.timeout_seconds)
        except (ConnectionNeverMade, ConnectionLost) as error:
            raise errors.NotSent(f"{uri}: {error}") from error
        self.budget.observe(reply.headers)
        if reply.is_success:
            return reply
        verdict = error_mapping.on_read(reply)
        log.warning("history_not_told", path=path, status=reply.status, error=str(verdict))
        if isinstance(verdict, errors.RateLimited):
            self.budget.stop(verdict.retry_after, verdict.scope)
        raise verdict


def for_venue(venue: Venue) -> MarketHistory:
    """Return this thread's way to a venue's past. Raise ImproperlyConfigured for none."""
    key = (os.getpid(), venue)
    mine: dict[tuple[int, Venue], MarketHistory] = _threads.__dict__.setdefault("open", {})
    if key not in mine:
        mine[key] = _build(venue)
    return mine[key]


_threads = threading.local()


def _build(venue: Venue) -> MarketHistory:
    rest_url, clock, budget = _usdm(venue) if venue.market is Market.USDM else _spot(venue)
    funding = Budget(
        f"funding:{venue}",
        clock.now_ms,
        budget.store,
        limits={"weight": FUNDING_CALLS, "orders_10s": 0},
    )
    return MarketHistory(
        venue=venue,
        rest_url=rest_url,
        clock=clock,
        budget=budget,
        funding_budget=funding,
        timeout_seconds=float(settings.BINANCE_TIMEOUT_SECONDS),
    )


def _spot(venue: Venue) -> tuple[str, Clock, Budget]:
    access = registry.access_to(venue)
    clock, budget = registry.clock_and_budget(access)
    return access.rest_url, clock, budget


def _usdm(venue: Venue) -> tuple[str, Clock, Budget]:
    rest_url = settings.BINANCE_USDM_REST_URL or registry.USDM_REST_URLS.get(venue.environment, "")
    if not rest_url:
        raise ImproperlyConfigured(
            f"No history of {venue}: USD-M is served by "
            f"{', '.join(registry.USDM_REST_URLS)}; BINANCE_USDM_REST_URL names another server."
        )
    clock = Clock()
    store = budgets.connect(settings.REDIS_URL) if settings.REDIS_URL else None
    budget = Budget(
        f"{venue}:{rest_url.split('://', 1)[-1]}",
        clock.now_ms,
        store,
        max_weight=int(settings.BINANCE_MAX_WEIGHT_PER_MIN or 0),
        limits={"weight": USDM_WEIGHT, "orders_10s": 0},
    )
    return rest_url, clock, budget


def _server_time(body: Any) -> int:
    try:
        return int(body["serverTime"])
    except (KeyError, TypeError):
        raise kline_rows.UnreadableRow("serverTime is missing") from None


def _snapshot(body: Any) -> DepthSnapshot:
    try:
        return DepthSnapshot(int(body["lastUpdateId"]), list(body["bids"]), list(body["asks"]))
    except (KeyError, TypeError) as error:
        raise ValueError(f"no book: {error!r}") from error
