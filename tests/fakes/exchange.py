"""A venue in memory with verbs: the trading services' tests tell it what will happen next.

Without a verb it behaves like Binance spot on a one-price book: market orders fill at once,
limit orders that cross fill at the quote and others rest, triggers fire when the price gets
there, order lists hold their pending legs until the working order has filled, a client order id
is unique among open orders only, a BUY pays its fee in the base asset.

    exchange = FakeExchange(prices={"BTCUSDT": "45000"})
    exchange.lose_reply_next(executed=True)
    exchange.place_order(request)          # raises OutcomeUnknown, and yet it is filled
    exchange.query_order("BTCUSDT", "id")  # tells so
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

from exchanges import quotes
from exchanges.domain import errors
from exchanges.domain.books import Book, Level
from exchanges.domain.instruments import ZERO, Instrument
from exchanges.domain.orders import (
    AccountReport,
    AssetBalance,
    ExecutionReport,
    OrderListReport,
    OrderListRequest,
    OrderRequest,
    OrderType,
    Quote,
    Side,
    TimeInForce,
    VenueFill,
    VenueStatus,
)
from exchanges.domain.venues import venue
from tests.fakes.exchange_book import PRICE_RELATION, FakeBook, FakeList, FakeOrder, rejected
from tests.fakes.instruments import spot_instrument, spot_symbol_entry

Figure = Decimal | str | int

DEFAULT_PRICES: Mapping[str, Figure] = {"BTCUSDT": "45000", "ETHUSDT": "3000", "BNBUSDT": "600"}
DEFAULT_BALANCES: Mapping[str, Figure] = {"USDT": "100000"}


@dataclass(frozen=True)
class _Plan:
    """What a verb said about the next write. `lost` means: do it, then raise `error`."""

    kind: str = "natural"
    error: errors.VenueError | None = None
    price: Decimal = ZERO
    quantity: Decimal | None = None
    reason: str = ""
    meanwhile: Callable[[], object] = lambda: None


class FakeExchange:
    """An in-memory `ExchangeGateway`; every figure a verb takes may be a string."""

    def __init__(
        self,
        *,
        environment: str = "simulator",
        market: str = "spot",
        prices: Mapping[str, Figure] | None = None,
        balances: Mapping[str, Figure] | None = None,
        now: Callable[[], datetime] | None = None,
        taker_rate: Figure = "0.001",
        maker_rate: Figure = "0.001",
        instruments: Iterable[Instrument] = (),
    ) -> None:
        self.venue = venue(environment, market)
        self.calls: list[tuple[str, object]] = []
        self._plans: deque[_Plan] = deque()
        self._cancel_plans: deque[_Plan] = deque()
        self._read_failures: deque[errors.VenueError] = deque()
        self._hidden_queries = 0
        self._hidden_trades = 0
        self._asks: dict[str, tuple[Level, ...]] = {}
        self._outage: errors.VenueError | None = None
        self._outage_seconds = 0.0
        wanted = DEFAULT_PRICES if prices is None else prices
        listed = {i.symbol: i for i in instruments}
        funds = DEFAULT_BALANCES if balances is None else balances
        self.book = FakeBook(
            instruments=listed or {symbol: spot_instrument(symbol) for symbol in wanted},
            balances={asset: Decimal(amount) for asset, amount in funds.items()},
            now=now or (lambda: datetime.now(UTC)),
            maker_rate=Decimal(maker_rate),
            taker_rate=Decimal(taker_rate),
        )
        for symbol, price in wanted.items():
            self.set_quote(symbol, price, price)

    # ---- verbs: what happens to the next write --------------------------------------------

    def fill_next_at(self, price: Figure, *, quantity: Figure | None = None) -> None:
        """Fill the next order at `price`; with `quantity` only that much, the rest stays open
        (a MARKET, IOC or FOK order then ends EXPIRED, with its fill)."""
        part = None if quantity is None else Decimal(quantity)
        self._plans.append(_Plan("fill", price=Decimal(price), quantity=part))

    def rest_next(self) -> None:
        """The next order is accepted and stays open, whatever its price says."""
        self._plans.append(_Plan("rest"))

    def acknowledge_next(self) -> None:
        """Answer the next order with an ACK that carries no status; the order itself goes on."""
        self._plans.append(_Plan("ack"))

    def expire_next(self, reason: str = "INSUFFICIENT_LIQUIDITY") -> None:
        """The next order ends EXPIRED without any fill."""
        self._plans.append(_Plan("expire", reason=reason))

    def reject_next(
        self, code: int = -2010, text: str = "Order would trigger immediately."
    ) -> None:
        self._plans.append(_Plan("refuse", error=rejected(text, code)))

    def lose_reply_next(self, *, executed: bool = True) -> None:
        """The next write answers OutcomeUnknown; it happened, or it did not."""
        error = errors.OutcomeUnknown("read timed out")
        self._plans.append(_Plan("lost" if executed else "refuse", error=error))

    def refuse_next(self, retry_after: float = 1.0, scope: str = "weight") -> None:
        self._plans.append(_Plan("refuse", error=_limited(retry_after, scope)))

    def drop_next(self, text: str = "connection refused") -> None:
        """The next write is proven not sent."""
        self._plans.append(_Plan("refuse", error=errors.NotSent(text)))

    def refuse_clock_next(self, meanwhile: Callable[[], object] = lambda: None) -> None:
        """Refuse the next write for its timestamp; `meanwhile` happens before the answer comes."""
        error = errors.ClockRefused("Timestamp outside of the recvWindow.", code=-1021)
        self._plans.append(_Plan("refuse", error=error, meanwhile=meanwhile))

    def refuse_credentials_next(self) -> None:
        text = "Invalid API-key, IP, or permissions for action."
        error = errors.CredentialsRefused(text, code=-2015, status=401)
        self._plans.append(_Plan("refuse", error=error))

    def reject_cancel_next(self, code: int = -2011, text: str = "Unknown order sent.") -> None:
        self._cancel_plans.append(_Plan("refuse", error=rejected(text, code)))

    def lose_cancel_reply_next(self, *, executed: bool = True) -> None:
        error = errors.OutcomeUnknown("read timed out")
        self._cancel_plans.append(_Plan("lost" if executed else "refuse", error=error))

    # ---- verbs: reads and whole outages ---------------------------------------------------

    def hide_from_queries(self, times: int = 1) -> None:
        """The next `times` order queries answer OrderNotFound though the order exists."""
        self._hidden_queries += times

    def hide_trades(self, times: int = 1) -> None:
        """The next `times` lists of trades are empty though there are some."""
        self._hidden_trades += times

    def fail_read_next(self, error: errors.VenueError | None = None) -> None:
        self._read_failures.append(error or errors.NotSent("connection refused"))

    def go_down(
        self, error: errors.VenueError | None = None, *, after_seconds: float = 0.0
    ) -> None:
        """Every call fails with `error` (NotSent by default) until `come_back`."""
        self._outage = error or errors.NotSent("connection refused")
        self._outage_seconds = after_seconds

    def come_back(self) -> None:
        self._outage = None

    # ---- verbs: the market and the account move -------------------------------------------

    def set_quote(self, symbol: str, bid: Figure, ask: Figure) -> None:
        """Set best bid and ask without running resting orders against them."""
        self.book.quotes[symbol] = (Decimal(bid), Decimal(ask))
        self.book.last[symbol] = Decimal(bid)
        quotes.forget()

    def show_asks(self, symbol: str, *levels: tuple[Figure, Figure]) -> None:
        """Show these (price, quantity) to whoever asks for the book; orders fill as before."""
        self._asks[symbol] = tuple((Decimal(price), Decimal(size)) for price, size in levels)

    def move(self, symbol: str, price: Figure) -> None:
        """Bring the market to `price`: crossed limit orders fill, reached triggers fire."""
        self.set_quote(symbol, price, price)
        at = Decimal(price)
        for order in [o for o in self.book.orders if o.symbol == symbol]:
            if not order.is_live or not self.book.reached(order, at):
                continue
            limit = order.request.price
            self.book.fill(order, limit or at, order.remaining, maker=limit is not None)

    def trigger(self, client_order_id: str, *, price: Figure | None = None) -> None:
        """Fire a stop or target now, at `price` or at the price it waited for."""
        at = None if price is None else Decimal(price)
        self.book.fire(self.order(client_order_id), at)

    def fill(
        self,
        client_order_id: str,
        *,
        price: Figure | None = None,
        quantity: Figure | None = None,
    ) -> ExecutionReport:
        """Fill a resting order, wholly or by `quantity`; return what the stream would bring."""
        order = self.order(client_order_id)
        at = order.request.price or self.book.last[order.symbol]
        at = at if price is None else Decimal(price)
        part = order.remaining if quantity is None else Decimal(quantity)
        self.book.fill(order, at, part, maker=True)
        return self.book.report(order, fills=order.fills[-1:])

    def cancel_at_venue(self, client_order_id: str) -> ExecutionReport:
        """Cancel behind our back, as somebody on the venue's own page would."""
        order = self.order(client_order_id)
        self.book.end(order, VenueStatus.CANCELED)
        self.book.end_list_of(order, VenueStatus.CANCELED)
        return self.book.report(order)

    def expire(self, client_order_id: str, reason: str = "EXCHANGE_CANCELED") -> ExecutionReport:
        order = self.order(client_order_id)
        self.book.end(order, VenueStatus.EXPIRED, reason)
        self.book.end_list_of(order, VenueStatus.EXPIRED, reason)
        return self.book.report(order)

    def take_conditional_places(self, symbol: str, count: int) -> None:
        """Somebody else on the account places stops that never fire."""
        for _ in range(count):
            request = OrderRequest(
                client_order_id=f"foreign-{self.book.number()}",
                symbol=symbol,
                side=Side.BUY,
                type=OrderType.STOP,
                quantity=Decimal("0.001"),
                stop_price=Decimal(999_999),
            )
            self.book.accept(request)

    def give_conditional_places_back(self, symbol: str) -> None:
        for order in self.book.orders:
            if order.client_order_id.startswith("foreign-") and order.is_live:
                order.status = VenueStatus.CANCELED

    def deposit(self, asset: str, amount: Figure) -> None:
        self.book.free[asset] = self.free(asset) + Decimal(amount)

    def pay_fees_in(self, asset: str | None) -> None:
        """Charge commission in `asset`, converted one to one; None is the received asset."""
        self.book.fee_asset = asset

    def forget(self, client_order_id: str) -> None:
        """Lose an order, as a testnet wipe does."""
        self.book.orders.remove(self.order(client_order_id))

    # ---- looking at it --------------------------------------------------------------------

    def order(self, client_order_id: str) -> FakeOrder:
        """The newest order placed under this id. Raises KeyError."""
        for order in reversed(self.book.orders):
            if order.client_order_id == client_order_id:
                return order
        raise KeyError(client_order_id)

    @property
    def placed(self) -> list[OrderRequest]:
        """Every order the venue took, list legs included, in order of arrival."""
        return [o.request for o in self.book.orders]

    def count(self, call: str) -> int:
        """How often a gateway method was called, refused calls included."""
        return sum(1 for name, _ in self.calls if name == call)

    def free(self, asset: str) -> Decimal:
        return self.book.free.get(asset, ZERO)

    def locked(self, asset: str) -> Decimal:
        return self.book.locked(asset)

    def drain_news(self) -> list[ExecutionReport | OrderListReport]:
        """Take what the user stream would have said since the last drain."""
        taken, self.book.news = self.book.news, []
        return taken

    # ---- ExchangeGateway: reads -----------------------------------------------------------

    def ping(self) -> None:
        self._read("ping")

    def server_time(self) -> datetime:
        self._read("server_time")
        return self.book.now()

    def get_ready(self) -> None:
        """It always is."""

    def instruments(self) -> Sequence[tuple[Instrument, dict[str, object]]]:
        self._read("instruments")
        return [(i, spot_symbol_entry(i.symbol)) for i in self.book.instruments.values()]

    def quote(self, symbol: str) -> Quote:
        self._read("quote", symbol)
        self.book.instrument(symbol)
        bid, ask = self.book.quotes[symbol]
        size = Decimal(1000)
        return Quote(symbol, bid, size, ask, size, received_at=self.book.now())

    def depth(self, symbol: str) -> Book:
        self._read("depth", symbol)
        self.book.instrument(symbol)
        bid, ask = self.book.quotes[symbol]
        size = Decimal(1000)
        asks = self._asks.get(symbol) or ((ask, size),)
        return Book(symbol, ((bid, size),), asks, received_at=self.book.now())

    def last_price(self, symbol: str) -> Decimal:
        self._read("last_price", symbol)
        self.book.instrument(symbol)
        return self.book.last[symbol]

    def account(self) -> AccountReport:
        self._read("account")
        assets = sorted(set(self.book.free) | self.book.held_assets())
        return AccountReport(
            can_trade=True,
            maker_rate=self.book.maker_rate,
            taker_rate=self.book.taker_rate,
            balances=tuple(AssetBalance(a, self.free(a), self.locked(a)) for a in assets),
            reported_at=self.book.now(),
        )

    def query_order(self, symbol: str, client_order_id: str) -> ExecutionReport:
        self._read("query_order", client_order_id)
        missing = errors.OrderNotFound("Order does not exist.", code=-2013, status=400)
        if self._hidden_queries:
            self._hidden_queries -= 1
            raise missing
        try:
            order = self.order(client_order_id)
        except KeyError:
            raise missing from None
        if order.symbol != symbol:
            raise missing
        return self.book.report(order)

    def query_order_list(self, list_client_order_id: str) -> OrderListReport:
        self._read("query_order_list", list_client_order_id)
        found = self._find_list(list_client_order_id)
        if found is None:
            raise errors.OrderNotFound("Order list does not exist.", code=-2018, status=400)
        return self.book.list_report(found)

    def find_order(self, symbol: str, venue_order_id: str) -> ExecutionReport:
        self._read("find_order", venue_order_id)
        for order in self.book.orders:
            if (order.symbol, order.venue_order_id) == (symbol, venue_order_id):
                return self.book.report(order)
        raise errors.OrderNotFound("Order does not exist.", code=-2013, status=400)

    def find_order_list(self, venue_list_id: str) -> OrderListReport:
        self._read("find_order_list", venue_list_id)
        for found in self.book.lists:
            if found.venue_list_id == venue_list_id:
                return self.book.list_report(found)
        raise errors.OrderNotFound("Order list does not exist.", code=-2018, status=400)

    def open_orders(self, symbol: str | None = None) -> Sequence[ExecutionReport]:
        self._read("open_orders", symbol)
        return [
            self.book.report(o)
            for o in self.book.orders
            if not o.status.is_final and symbol in (None, o.symbol)
        ]

    def trades(
        self, symbol: str, *, venue_order_id: str | None = None, from_trade_id: str | None = None
    ) -> Sequence[VenueFill]:
        self._read("trades", symbol)
        if self._hidden_trades:
            self._hidden_trades -= 1
            return []
        found = [
            replace(fill, venue_order_id=order.venue_order_id)
            for order in self.book.orders
            if order.symbol == symbol and venue_order_id in (None, order.venue_order_id)
            for fill in order.fills
            if from_trade_id is None or int(fill.trade_id) >= int(from_trade_id)
        ]
        return sorted(found, key=lambda fill: int(fill.trade_id))

    # ---- ExchangeGateway: writes ----------------------------------------------------------

    def place_order(self, request: OrderRequest) -> ExecutionReport:
        plan = self._write("place_order", request, self._plans)
        self.book.check(request)
        order = self.book.accept(request)
        self._run(order, plan)
        if plan.error is not None:
            raise plan.error
        if plan.kind == "ack":
            return self.book.report(order, told=False)
        return self.book.report(order, fills=order.fills)

    def place_order_list(self, request: OrderListRequest) -> OrderListReport:
        plan = self._write("place_order_list", request, self._plans)
        legs = [leg for leg in (request.working, request.target, request.stop) if leg is not None]
        _check_price_relation(request, self.book.last.get(request.symbol, ZERO))
        first, waiting = legs[0], legs[1:]
        self.book.check(first)
        for leg in waiting if request.working is None else ():
            self.book.check(leg, funds=False)
        venue_list_id = self.book.number()
        made = tuple(self.book.accept(leg, venue_list_id) for leg in legs)
        placed = FakeList(request, venue_list_id, made)
        self.book.lists.append(placed)
        self._start(placed, plan)
        if plan.error is not None:
            raise plan.error
        return self.book.list_report(placed)

    def cancel_order(self, symbol: str, client_order_id: str) -> ExecutionReport:
        plan = self._write("cancel_order", client_order_id, self._cancel_plans)
        order = self._cancelable(symbol, client_order_id)
        self.book.end(order, VenueStatus.CANCELED)
        self.book.end_list_of(order, VenueStatus.CANCELED)
        if plan.error is not None:
            raise plan.error
        return self.book.report(order)

    def cancel_order_list(self, symbol: str, list_client_order_id: str) -> OrderListReport:
        plan = self._write("cancel_order_list", list_client_order_id, self._cancel_plans)
        found = self._find_list(list_client_order_id)
        live = [leg for leg in found.legs if not leg.status.is_final] if found else []
        if found is None or not live:
            raise rejected("Unknown order list sent.", -2011)
        for leg in live:
            self.book.end(leg, VenueStatus.CANCELED)
        if plan.error is not None:
            raise plan.error
        return self.book.list_report(found)

    # ---- inside ---------------------------------------------------------------------------

    def _fail_in_an_outage(self) -> None:
        if self._outage is not None:
            time.sleep(self._outage_seconds)
            raise self._outage

    def _read(self, name: str, what: object = None) -> None:
        self.calls.append((name, what))
        self._fail_in_an_outage()
        if self._read_failures:
            raise self._read_failures.popleft()

    def _write(self, name: str, what: object, plans: deque[_Plan]) -> _Plan:
        self.calls.append((name, what))
        self._fail_in_an_outage()
        plan = plans.popleft() if plans else _Plan()
        plan.meanwhile()
        if plan.kind == "refuse" and plan.error is not None:
            raise plan.error
        return plan

    def _run(self, order: FakeOrder, plan: _Plan) -> None:
        if plan.kind == "fill":
            wanted = order.remaining if plan.quantity is None else plan.quantity
            self.book.fill(order, plan.price, wanted, maker=False)
            if order.remaining and _takes_only(order.request):
                self.book.end(order, VenueStatus.EXPIRED, "INSUFFICIENT_LIQUIDITY")
        elif plan.kind == "rest":
            self.book.rest(order)
        elif plan.kind == "expire":
            self.book.end(order, VenueStatus.EXPIRED, plan.reason)
        else:
            self.book.run(order)

    def _start(self, placed: FakeList, plan: _Plan) -> None:
        target, stop = placed.pair
        if placed.working is None:
            self.book.rest(target)
            self.book.announce(stop)
            return
        target.status = stop.status = VenueStatus.PENDING
        self._run(placed.working, plan)
        if placed.working.status is VenueStatus.EXPIRED:
            self.book.end_list_of(
                placed.working, VenueStatus.EXPIRED, reason="OTO_PHASE_ONE_EXPIRED"
            )

    def _cancelable(self, symbol: str, client_order_id: str) -> FakeOrder:
        try:
            order = self.order(client_order_id)
        except KeyError:
            order = None
        if order is None or order.symbol != symbol or order.status.is_final:
            raise rejected("Unknown order sent.", -2011)
        return order

    def _find_list(self, list_client_order_id: str) -> FakeList | None:
        for found in reversed(self.book.lists):
            if found.request.list_client_order_id == list_client_order_id:
                return found
        return None


def _limited(retry_after: float, scope: str) -> errors.RateLimited:
    code, text = (
        (-1015, "Too many new orders.") if scope == "orders" else (-1003, "Too many requests.")
    )
    status = 418 if scope == "ban" else 429
    return errors.RateLimited(text, retry_after=retry_after, scope=scope, code=code, status=status)


def _takes_only(request: OrderRequest) -> bool:
    return request.type is OrderType.MARKET or request.time_in_force in (
        TimeInForce.IOC,
        TimeInForce.FOK,
    )


def _check_price_relation(request: OrderListRequest, last: Decimal) -> None:
    """An OCO's target lies on the far side of the market, its stop on the near one."""
    target = request.target.price or request.target.stop_price or ZERO
    stop = request.stop.stop_price or ZERO
    reference = last
    if request.working is not None:
        reference = request.working.price or last
    low, high = (stop, target) if request.target.side.value == "SELL" else (target, stop)
    if not low < reference < high:
        raise rejected(PRICE_RELATION)
