"""Binance spot, and every venue that speaks its protocol (the simulator does).

Reads are retried within bounds; a write goes out exactly once. The one exception is -1021, which
proves that nothing was executed: the clock is set, a cancel goes out once more, and an order is
left to its sender, who looks at the kill switch again first.
One instance per thread (`registry` sees to it): python-binance's client is not thread safe.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

import structlog

from exchanges.domain import errors
from exchanges.domain.books import Book
from exchanges.domain.instruments import Instrument, parse_spot
from exchanges.domain.orders import (
    AccountReport,
    ExecutionReport,
    OrderListReport,
    OrderListRequest,
    OrderRequest,
    Purpose,
    Quote,
    VenueFill,
)
from exchanges.domain.venues import Venue
from exchanges.venues.binance import client, error_mapping
from exchanges.venues.binance.client import Stopwatch
from exchanges.venues.binance.spot import endpoints, wire
from exchanges.venues.binance.spot.endpoints import Endpoint
from exchanges.venues.binance.transport import ConnectionLost, ConnectionNeverMade
from exchanges.venues.shared import retries
from exchanges.venues.shared.call_stats import Tally
from exchanges.venues.shared.clock import Clock
from exchanges.venues.shared.rate_budget import Budget, Share
from exchanges.venues.shared.timeouts import Patience, Windows

log = structlog.get_logger(__name__)
T = TypeVar("T")

BOOK_LEVELS = 20
ANSWERS = (errors.Rejected, errors.OrderNotFound)  # a no, but the venue works as it should
TRADES_PER_PAGE = 1000
MOST_PAGES = 50
NO_KEY = "no API key and secret are configured for this venue"
LOCKED = "mainnet trading is locked: set MAINNET_TRADING_ENABLED=true to allow real orders"


class BinanceSpotGateway:
    """An `ExchangeGateway` over Binance's spot REST API.

    `budget`, `clock` and `tally` are shared by the gateways of one process; without them it keeps
    its own. What leaves or protects, and every cancel, gets the `exit_` figures: less time than an
    entry, so that the outcome of a lost one is known sooner. `may_write` is asked right before
    each write leaves: the lock on real money. `on_answer` is told how many milliseconds each
    answer took.
    """

    def __init__(
        self,
        *,
        venue: Venue,
        rest_url: str,
        api_key: str = "",
        api_secret: str = "",
        recv_window_ms: int = 5000,
        timeout_seconds: float = 12.0,
        exit_recv_window_ms: int = 1000,
        exit_timeout_seconds: float = 2.0,
        budget: Budget | None = None,
        clock: Clock | None = None,
        tally: Tally | None = None,
        may_write: Callable[[], bool] | None = None,
        on_answer: Callable[[float], None] = lambda _: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.venue = venue
        self.clock = clock or Clock()
        self.budget = budget or Budget(str(venue), self.clock.now_ms)
        self.tally = tally or Tally(venue)
        self._windows = Windows(
            normal=Patience(recv_window_ms, timeout_seconds),
            urgent=Patience(exit_recv_window_ms, exit_timeout_seconds),
        )
        self._has_key = bool(api_key and api_secret)
        # Mainnet fails closed: whoever builds it must say that writing is allowed.
        self._may_write = may_write or (lambda: not venue.is_real_money)
        self._on_answer = on_answer
        self._sleep = sleep
        self._client = client.build(
            rest_url=rest_url,
            api_key=api_key,
            api_secret=api_secret,
        )

    # ---- reads ----------------------------------------------------------------------------

    def ping(self) -> None:
        self._read(endpoints.PING, {}, lambda _: None)

    def server_time(self) -> datetime:
        """Ask the venue's clock, and set ours by it."""
        self._sync_clock()
        return wire.from_ms(self.clock.now_ms())

    def get_ready(self) -> None:
        """Set the clock when that was not done yet: a last look at the kill switch comes after."""
        self._ready_to_sign(fresh=False)

    def instruments(self) -> Sequence[tuple[Instrument, dict[str, object]]]:
        reply, limits = self._read(
            endpoints.EXCHANGE_INFO, {}, lambda body: (_as_object(body), wire.rate_limits(body))
        )
        self.budget.learn(limits)
        found: list[tuple[Instrument, dict[str, object]]] = []
        for entry in reply.get("symbols", ()):
            try:
                found.append((parse_spot(entry), dict(entry)))
            except (KeyError, TypeError, ValueError, ArithmeticError) as error:
                # One odd listing must not take the other three thousand with it.
                log.warning("instrument_unreadable", symbol=entry.get("symbol"), error=repr(error))
        return found

    def quote(self, symbol: str) -> Quote:
        return self._read(
            endpoints.BOOK_TICKER, {"symbol": symbol}, lambda body: wire.quote(body, now=_now())
        )

    def depth(self, symbol: str) -> Book:
        return self._read(
            endpoints.DEPTH,
            {"symbol": symbol, "limit": str(BOOK_LEVELS)},
            lambda body: wire.book(body, symbol=symbol, now=_now()),
        )

    def last_price(self, symbol: str) -> Decimal:
        return self._read(endpoints.PRICE, {"symbol": symbol}, wire.last_price)

    def account(self) -> AccountReport:
        asked_at = _now()  # what happens while the answer travels is not in it
        return self._read(
            endpoints.ACCOUNT,
            {"omitZeroBalances": "true"},
            lambda body: wire.account_report(body, now=asked_at),
        )

    def query_order(self, symbol: str, client_order_id: str) -> ExecutionReport:
        """Raise OrderNotFound when the venue does not know the id (yet)."""
        return self._read(
            endpoints.QUERY_ORDER,
            {"symbol": symbol, "origClientOrderId": _worded_id(client_order_id)},
            lambda body: wire.execution_report(body, placed_as=client_order_id),
            client_id=client_order_id,
        )

    def query_order_list(self, list_client_order_id: str) -> OrderListReport:
        """Ask for a list and then for each of its legs: the list body carries only their ids."""
        params = {"origClientOrderId": _worded_id(list_client_order_id)}
        return self._query_list(params, list_client_order_id)

    def find_order(self, symbol: str, venue_order_id: str) -> ExecutionReport:
        """Raise OrderNotFound when the venue does not know the id (yet)."""
        return self._read(
            endpoints.QUERY_ORDER,
            {"symbol": symbol, "orderId": venue_order_id},
            lambda body: wire.execution_report(body),
        )

    def find_order_list(self, venue_list_id: str) -> OrderListReport:
        return self._query_list({"orderListId": venue_list_id})

    def _query_list(self, params: Mapping[str, str], client_id: str = "") -> OrderListReport:
        reply, found = self._read(
            endpoints.QUERY_LIST,
            params,
            lambda body: (_as_object(body), wire.order_list_report(body)),
            client_id=client_id,
        )
        legs = [self._query_leg(found.symbol, *leg) for leg in wire.list_legs(reply)]
        return replace(found, reports=tuple(legs))

    def _query_leg(self, symbol: str, venue_order_id: str, placed_as: str) -> ExecutionReport:
        return self._read(
            endpoints.QUERY_ORDER,
            {"symbol": symbol, "orderId": venue_order_id},
            lambda body: wire.execution_report(body, placed_as=placed_as),
            client_id=placed_as,
        )

    def open_orders(self, symbol: str | None = None) -> Sequence[ExecutionReport]:
        endpoint = endpoints.OPEN_ORDERS_OF_SYMBOL if symbol else endpoints.OPEN_ORDERS
        params = {"symbol": symbol} if symbol else {}
        return self._read(
            endpoint, params, lambda rows: [wire.execution_report(row) for row in _as_list(rows)]
        )

    def trades(
        self, symbol: str, *, venue_order_id: str | None = None, from_trade_id: str | None = None
    ) -> Sequence[VenueFill]:
        """Return trades in order of their ids; without a bound the venue gives its last 1000."""
        endpoint = endpoints.TRADES_OF_ORDER if venue_order_id else endpoints.TRADES
        params = {"symbol": symbol, "limit": str(TRADES_PER_PAGE)}
        if venue_order_id is not None:
            params["orderId"] = venue_order_id
        if from_trade_id is not None:
            params["fromId"] = from_trade_id
        found: list[VenueFill] = []
        for _ in range(MOST_PAGES):
            page = self._read(endpoint, params, _trades)
            found += page
            if len(page) < TRADES_PER_PAGE:
                return found
            params["fromId"] = str(int(page[-1].trade_id) + 1)
        log.warning("trades_cut_short", symbol=symbol, rows=len(found))
        return found

    # ---- writes ---------------------------------------------------------------------------

    def place_order(self, request: OrderRequest) -> ExecutionReport:
        return self._write(
            endpoints.for_purpose(endpoints.ORDER, request.purpose),
            _worded(lambda: wire.order_params(request)),
            lambda body: wire.execution_report(body, placed_as=request.client_order_id, now=_now()),
            client_id=request.client_order_id,
            purpose=request.purpose,
        )

    def place_order_list(self, request: OrderListRequest) -> OrderListReport:
        endpoint = endpoints.OCO if request.working is None else endpoints.OTOCO
        return self._write(
            endpoints.for_purpose(endpoint, request.purpose),
            _worded(lambda: wire.order_list_params(request)),
            wire.order_list_report,
            client_id=request.list_client_order_id,
            purpose=request.purpose,
        )

    def cancel_order(self, symbol: str, client_order_id: str) -> ExecutionReport:
        """Raise Rejected (-2011) when it is not open any more: it may have filled, so ask."""
        return self._write(
            endpoints.CANCEL,
            {"symbol": symbol, "origClientOrderId": _worded_id(client_order_id)},
            lambda body: _canceled_report(body, client_order_id),
            client_id=client_order_id,
        )

    def cancel_order_list(self, symbol: str, list_client_order_id: str) -> OrderListReport:
        return self._write(
            endpoints.CANCEL_LIST,
            {"symbol": symbol, "listClientOrderId": _worded_id(list_client_order_id)},
            wire.order_list_report,
            client_id=list_client_order_id,
        )

    # ---- the way out ----------------------------------------------------------------------

    def _read(
        self,
        endpoint: Endpoint,
        params: Mapping[str, str],
        parse: Callable[[Any], T],
        *,
        client_id: str = "",
    ) -> T:
        def ask() -> T:
            if endpoint.signed:
                self._ready_to_sign(fresh=True)
            patience = self._windows.of_read(is_long=endpoint.share is Share.LISTING)
            reply = self._send(endpoint, params, client_id, patience)
            try:
                return parse(reply.json())
            except ValueError as error:
                raise errors.NotSent(f"unreadable answer: {error}", status=reply.status) from error

        return retries.read(ask, sleep=self._sleep)

    def _write(
        self,
        endpoint: Endpoint,
        params: Mapping[str, str],
        parse: Callable[[Any], T],
        *,
        client_id: str,
        purpose: Purpose | None = None,
    ) -> T:
        """Write once; `purpose` is None for a cancel.

        Raise ClockRefused for an order refused for its timestamp: whoever places it looks at the
        kill switch again before the next try. A cancel is tried again here, and so is what leaves
        or protects when its own short window was refused twice: then the normal one applies.
        """
        self._ready_to_sign(fresh=False)
        reply = self._send_in_window(endpoint, params, client_id, purpose)
        try:
            return parse(reply.json())
        except ValueError as error:
            # 2xx, so it was very likely done, but what was done cannot be read.
            raise errors.OutcomeUnknown(
                f"unreadable answer: {error}", status=reply.status
            ) from error

    def _send_in_window(
        self,
        endpoint: Endpoint,
        params: Mapping[str, str],
        client_id: str,
        purpose: Purpose | None,
    ) -> error_mapping.Reply:
        """Send in the window of the purpose. -1021 proves that nothing was executed."""
        may_try_again = purpose is None
        while True:
            try:
                reply = self._send(endpoint, params, client_id, self._windows.of(purpose))
            except errors.NotSent as error:
                if error.code != error_mapping.CLOCK_REFUSED:
                    raise
                self._sync_clock()
                if self._windows.note_refused(purpose):
                    log.warning("short_window_refused_twice", purpose=purpose or "CANCEL")
                elif may_try_again:
                    may_try_again = False
                else:
                    raise errors.ClockRefused(
                        error.text, code=error.code, status=error.status
                    ) from error
            else:
                self._windows.note_taken(purpose)
                return reply

    def _send(
        self, endpoint: Endpoint, params: Mapping[str, str], client_id: str, patience: Patience
    ) -> error_mapping.Reply:
        """Put one request on the wire, once. Return the successful reply or raise its verdict."""
        self.budget.spend(endpoint.weight, endpoint.share, orders=endpoint.orders)
        if endpoint.writes and not self._may_write():
            raise errors.Rejected(LOCKED)
        watch, sent_at = Stopwatch(), _now()
        try:
            reply = self._client.call(
                endpoint.method,
                endpoint.path,
                params,
                patience=patience,
                signed=endpoint.signed,
            )
        except (ConnectionNeverMade, ConnectionLost) as error:
            self.tally.note(failed=True, took_seconds=watch.ms / 1000)
            _log_call(endpoint, watch.ms, client_id, error=str(error))
            if isinstance(error, ConnectionLost):
                self._on_answer(watch.ms)
            if endpoint.writes and isinstance(error, ConnectionLost):
                raise errors.OutcomeUnknown(
                    str(error), recv_window_ms=patience.recv_window_ms, sent_at=sent_at
                ) from error
            raise errors.NotSent(str(error)) from error
        self.budget.observe(reply.headers)
        if endpoint.share is not Share.LISTING:  # a long list takes long to carry
            self._on_answer(watch.ms)
        if reply.is_success:
            self.tally.note(failed=False)
            _log_call(endpoint, watch.ms, client_id, status=reply.status)
            return reply
        verdict = error_mapping.on_write(reply) if endpoint.writes else error_mapping.on_read(reply)
        if isinstance(verdict, errors.OutcomeUnknown):
            verdict.recv_window_ms, verdict.sent_at = patience.recv_window_ms, sent_at
        self.tally.note(failed=not isinstance(verdict, ANSWERS), took_seconds=watch.ms / 1000)
        _log_call(
            endpoint,
            watch.ms,
            client_id,
            status=reply.status,
            code=verdict.code,
            verdict=type(verdict).__name__,
            text=verdict.text[:200],
        )
        self._heed(verdict)
        raise verdict

    def _heed(self, verdict: errors.VenueError) -> None:
        if isinstance(verdict, errors.RateLimited):
            self.budget.stop(verdict.retry_after, verdict.scope)
        elif verdict.code == error_mapping.CLOCK_REFUSED:
            log.warning("venue_clock_refused", offset_ms=self.clock.offset_ms)
            self.clock.doubt()

    def _ready_to_sign(self, *, fresh: bool) -> None:
        """See to key and clock. Reads renew an old offset, so that no write has to wait for it."""
        if not self._has_key:
            raise errors.CredentialsRefused(NO_KEY)
        if not self.clock.is_synced or (fresh and self.clock.is_stale):
            self._sync_clock()
        self._client.timestamp_offset = self.clock.offset_ms

    def _sync_clock(self) -> None:
        """Set the offset by the venue's clock. Raise NotSent: without it nothing was sent."""

        def ask() -> int:
            reply = self._send(endpoints.TIME, {}, "", self._windows.normal)
            return int(_as_object(reply.json())["serverTime"])

        try:
            self.clock.sync(ask)
        except errors.RateLimited:
            raise
        except (errors.VenueError, KeyError, TypeError, ValueError) as error:
            raise errors.NotSent(f"the venue's clock could not be read: {error}") from error
        self.tally.note_clock(offset_ms=self.clock.offset_ms, took_ms=self.clock.took_ms)
        self._client.timestamp_offset = self.clock.offset_ms


def _canceled_report(body: Any, client_order_id: str) -> ExecutionReport:
    """Read a cancel; one that took a whole order list along may answer with the list."""
    if isinstance(body, dict) and "orderReports" in body:
        for leg in wire.order_list_report(body).reports:
            if leg.client_order_id == client_order_id:
                return leg
    return wire.execution_report(body, placed_as=client_order_id, now=_now())


def _trades(body: Any) -> list[VenueFill]:
    return [wire.trade(row) for row in _as_list(body)]


def _worded(write: Callable[[], T]) -> T:
    """Turn a request that cannot be worded into a final refusal: nothing was sent."""
    try:
        return write()
    except (ValueError, TypeError) as error:
        raise errors.Rejected(f"not sent, the request makes no sense: {error}") from error


def _worded_id(client_id: str) -> str:
    return _worded(lambda: wire.checked_id(client_id))


def _as_object(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise wire.Unreadable(f"an object was promised, {type(body).__name__} came")
    return body


def _as_list(body: Any) -> list[Any]:
    if not isinstance(body, list):
        raise wire.Unreadable(f"a list was promised, {type(body).__name__} came")
    return body


def _log_call(endpoint: Endpoint, ms: float, client_id: str, **more: object) -> None:
    """Write one line per venue call. Params stay out: they carry the signature."""
    failed = "error" in more or "verdict" in more
    say = log.warning if failed else log.info if endpoint.writes else log.debug
    say(
        "venue_call",
        method=endpoint.method.upper(),
        path=endpoint.path,
        duration_ms=ms,
        client_id=client_id,
        **more,
    )


def _now() -> datetime:
    return datetime.now(UTC)
