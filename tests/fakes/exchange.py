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

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from exchanges.domain import errors
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
from tests.fakes.instruments import spot_instrument, spot_symbol_entry

type_Number = Decimal | str | int

DEFAULT_PRICES = {"BTCUSDT": "45000", "ETHUSDT": "3000", "BNBUSDT": "600"}
DEFAULT_BALANCES = {"USDT": "100000"}


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass
class FakeOrder:
    """What the venue remembers of one order."""

    request: OrderRequest
    venue_order_id: str
    status: VenueStatus
    at: datetime
    executed_quantity: Decimal = ZERO
    executed_quote: Decimal = ZERO
    fills: list[VenueFill] = field(default_factory=list)
    list_client_order_id: str = ""
    venue_list_id: str | None = None
    reason: str = ""

    @property
    def client_order_id(self) -> str:
        return self.request.client_order_id

    @property
    def symbol(self) -> str:
        return self.request.symbol

    @property
    def is_live(self) -> bool:
        return self.status in (VenueStatus.OPEN, VenueStatus.PARTIALLY_FILLED)

    @property
    def remaining(self) -> Decimal:
        return (self.request.quantity or ZERO) - self.executed_quantity


@dataclass
class FakeList:
    request: OrderListRequest
    venue_list_id: str
    working: FakeOrder | None
    target: FakeOrder
    stop: FakeOrder

    @property
    def legs(self) -> tuple[FakeOrder, ...]:
        first = (self.working,) if self.working is not None else ()
        return (*first, self.target, self.stop)


@dataclass(frozen=True)
class _Plan:
    """What a verb said about the next write."""

    kind: str
    error: errors.VenueError | None = None
    price: Decimal | None = None
    quantity: Decimal | None = None


class FakeExchange:
    """An in-memory `ExchangeGateway`; every figure a verb takes may be a string."""

    def __init__(
        self,
        *,
        environment: str = "simulator",
        market: str = "spot",
        prices: Mapping[str, type_Number] | None = None,
        balances: Mapping[str, type_Number] | None = None,
        now: Callable[[], datetime] = _now,
        taker_rate: type_Number = "0.001",
        maker_rate: type_Number = "0.001",
        instruments: Iterable[Instrument] | None = None,
    ) -> None:
        self.environment = environment
        self.market = market
        self.now = now
        self.taker_rate = Decimal(taker_rate)
        self.maker_rate = Decimal(maker_rate)
        self.fee_asset: str | None = None  # None: in the received asset, as Binance does
        self.orders: list[FakeOrder] = []
        self.lists: list[FakeList] = []
        self.calls: list[tuple[str, object]] = []
        self.news: list[ExecutionReport | OrderListReport] = []
        self._plans: deque[_Plan] = deque()
        self._cancel_plans: deque[_Plan] = deque()
        self._read_failures: deque[errors.VenueError] = deque()
        self._hidden_queries = 0
        self._outage: errors.VenueError | None = None
        self._next_number = 1
        self._held: dict[str, tuple[str, Decimal]] = {}
        wanted = prices or DEFAULT_PRICES
        listed = list(instruments) if instruments is not None else []
        self._instruments = {i.symbol: i for i in listed} or {
            symbol: spot_instrument(symbol) for symbol in wanted
        }
        self._quotes: dict[str, tuple[Decimal, Decimal]] = {}
        self._last: dict[str, Decimal] = {}
        for symbol, price in wanted.items():
            self._quotes[symbol] = (Decimal(price), Decimal(price))
            self._last[symbol] = Decimal(price)
        funds = DEFAULT_BALANCES if balances is None else balances
        self._free: dict[str, Decimal] = {a: Decimal(v) for a, v in funds.items()}

    # ---- verbs: what happens to the next write -------------------------------------------

    def fill_next_at(self, price: type_Number, *, quantity: type_Number | None = None) -> None:
        """Fill the next order at `price`; with `quantity` only that much, the rest stays open
        (a MARKET, IOC or FOK order then ends EXPIRED, with its fill)."""
        wanted = None if quantity is None else Decimal(quantity)
        self._plans.append(_Plan("fill", price=Decimal(price), quantity=wanted))

    def rest_next(self) -> None:
        """The next order is accepted and stays open, whatever its price says."""
        self._plans.append(_Plan("rest"))

    def acknowledge_next(self) -> None:
        """Answer the next order with an ACK that carries no status; the order itself goes on."""
        self._plans.append(_Plan("ack"))

    def expire_next(self, reason: str = "UNFILLED_IOC_QUANTITY_EXPIRED") -> None:
        self._plans.append(_Plan("expire", error=errors.Rejected(reason)))

    def reject_next(self, code: int = -2010, text: str = "Order would trigger immediately.") -> None:
        self._plans.append(_Plan("raise", error=errors.Rejected(text, code=code, status=400)))

    def lose_reply_next(self, *, executed: bool = True) -> None:
        """The next write answers OutcomeUnknown; it happened or it did not."""
        error = errors.OutcomeUnknown("read timed out")
        self._plans.append(_Plan("lose" if executed else "raise", error=error))

    def refuse_next(self, retry_after: float = 1.0, scope: str = "weight") -> None:
        self._plans.append(_Plan("raise", error=_limited(retry_after, scope)))

    def drop_next(self, text: str = "connection refused") -> None:
        """The next write is proven not sent."""
        self._plans.append(_Plan("raise", error=errors.NotSent(text)))

    def refuse_credentials_next(self) -> None:
        error = errors.CredentialsRefused(
            "Invalid API-key, IP, or permissions for action.", code=-2015, status=401
        )
        self._plans.append(_Plan("raise", error=error))

    def reject_cancel_next(self, code: int = -2011, text: str = "Unknown order sent.") -> None:
        self._cancel_plans.append(
            _Plan("raise", error=errors.Rejected(text, code=code, status=400))
        )

    def lose_cancel_reply_next(self, *, executed: bool = True) -> None:
        error = errors.OutcomeUnknown("read timed out")
        self._cancel_plans.append(_Plan("lose" if executed else "raise", error=error))

    # ---- verbs: reads and whole outages --------------------------------------------------

    def hide_from_queries(self, times: int = 1) -> None:
        """The next `times` order queries answer OrderNotFound though the order exists."""
        self._hidden_queries += times

    def fail_read_next(self, error: errors.VenueError | None = None) -> None:
        self._read_failures.append(error or errors.NotSent("connection refused"))

    def go_down(self, error: errors.VenueError | None = None) -> None:
        """Every call fails with `error` (NotSent by default) until `come_back`."""
        self._outage = error or errors.NotSent("connection refused")

    def come_back(self) -> None:
        self._outage = None

    # ---- verbs: the market and the account move ------------------------------------------

    def set_quote(self, symbol: str, bid: type_Number, ask: type_Number) -> None:
        """Set the best bid and ask without running resting orders against them."""
        self._quotes[symbol] = (Decimal(bid), Decimal(ask))
        self._last[symbol] = Decimal(bid)

    def move(self, symbol: str, price: type_Number) -> None:
        """Bring the market to `price`: crossed limit orders fill, reached triggers fire."""
        self.set_quote(symbol, price, price)
        for order in [o for o in self.orders if o.symbol == symbol]:
            if not order.is_live:
                continue
            if order.request.type.has_trigger:
                if _trigger_reached(order.request, Decimal(price)):
                    self._fire(order)
            elif self._crosses(order.request):
                self._fill(order, order.request.price or Decimal(price), order.remaining, True)

    def trigger(self, client_order_id: str, *, price: type_Number | None = None) -> None:
        """Fire a stop or target now, at `price` or at the price it waited for."""
        order = self.order(client_order_id)
        wanted = price if price is not None else (order.request.stop_price or order.request.price)
        self._fire(order, at=Decimal(wanted) if wanted is not None else None)

    def fill(
        self,
        client_order_id: str,
        *,
        price: type_Number | None = None,
        quantity: type_Number | None = None,
    ) -> ExecutionReport:
        """Fill a resting order, wholly or by `quantity`; return the report the stream would bring."""
        order = self.order(client_order_id)
        at = Decimal(price) if price is not None else order.request.price
        if at is None:
            at = self._last[order.symbol]
        amount = order.remaining if quantity is None else Decimal(quantity)
        self._fill(order, at, amount, maker=True)
        return self._report(order, fills=order.fills[-1:])

    def cancel_at_venue(self, client_order_id: str) -> ExecutionReport:
        """Cancel behind our back, as an operator on the venue's own page would."""
        order = self.order(client_order_id)
        self._end(order, VenueStatus.CANCELED)
        self._end_siblings(order, VenueStatus.CANCELED)
        return self._report(order)

    def expire(self, client_order_id: str, reason: str = "EXCHANGE_CANCELED") -> ExecutionReport:
        order = self.order(client_order_id)
        self._end(order, VenueStatus.EXPIRED, reason)
        return self._report(order)

    def deposit(self, asset: str, amount: type_Number) -> None:
        self._free[asset] = self._free.get(asset, ZERO) + Decimal(amount)

    def pay_fees_in(self, asset: str | None) -> None:
        """Charge commission in `asset` (converted one to one); None is the received asset."""
        self.fee_asset = asset

    def forget(self, client_order_id: str) -> None:
        """Lose an order as a testnet wipe does."""
        self.orders = [o for o in self.orders if o.client_order_id != client_order_id]

    # ---- looking at it -------------------------------------------------------------------

    def order(self, client_order_id: str) -> FakeOrder:
        """The newest order placed under this id. Raises KeyError."""
        for order in reversed(self.orders):
            if order.client_order_id == client_order_id:
                return order
        raise KeyError(client_order_id)

    @property
    def placed(self) -> list[OrderRequest]:
        """Every order the venue accepted, list legs included, in order of arrival."""
        return [o.request for o in self.orders]

    def count(self, call: str) -> int:
        return sum(1 for name, _ in self.calls if name == call)

    def free(self, asset: str) -> Decimal:
        return self._free.get(asset, ZERO)

    def locked(self, asset: str) -> Decimal:
        return sum((v for a, v in self._held.values() if a == asset), ZERO)

    def drain_news(self) -> list[ExecutionReport | OrderListReport]:
        """Take what the user stream would have said since the last drain."""
        taken, self.news = self.news, []
        return taken

    # ---- ExchangeGateway: reads ----------------------------------------------------------

    def ping(self) -> None:
        self._read("ping")

    def server_time(self) -> datetime:
        self._read("server_time")
        return self.now()

    def instruments(self) -> Sequence[tuple[Instrument, dict[str, object]]]:
        self._read("instruments")
        return [(i, spot_symbol_entry(i.symbol)) for i in self._instruments.values()]

    def quote(self, symbol: str) -> Quote:
        self._read("quote", symbol)
        bid, ask = self._known(self._quotes, symbol)
        size = Decimal(1000)
        return Quote(symbol, bid, size, ask, size, received_at=self.now())

    def last_price(self, symbol: str) -> Decimal:
        self._read("last_price", symbol)
        return self._known(self._last, symbol)

    def account(self) -> AccountReport:
        self._read("account")
        assets = sorted(set(self._free) | {a for a, _ in self._held.values()})
        return AccountReport(
            can_trade=True,
            maker_rate=self.maker_rate,
            taker_rate=self.taker_rate,
            balances=tuple(AssetBalance(a, self.free(a), self.locked(a)) for a in assets),
            reported_at=self.now(),
        )

    def query_order(self, symbol: str, client_order_id: str) -> ExecutionReport:
        self._read("query_order", client_order_id)
        if self._hidden_queries:
            self._hidden_queries -= 1
            raise errors.OrderNotFound("Order does not exist.", code=-2013, status=400)
        return self._report(self._find(symbol, client_order_id))

    def query_order_list(self, list_client_order_id: str) -> OrderListReport:
        self._read("query_order_list", list_client_order_id)
        return self._list_report(self._find_list(list_client_order_id))

    def open_orders(self, symbol: str | None = None) -> Sequence[ExecutionReport]:
        self._read("open_orders", symbol)
        return [
            self._report(o)
            for o in self.orders
            if not o.status.is_final and (symbol is None or o.symbol == symbol)
        ]

    def trades(
        self, symbol: str, *, venue_order_id: str | None = None, from_trade_id: str | None = None
    ) -> Sequence[VenueFill]:
        self._read("trades", symbol)
        found = [
            fill
            for order in self.orders
            if order.symbol == symbol and venue_order_id in (None, order.venue_order_id)
            for fill in order.fills
            if from_trade_id is None or int(fill.trade_id) >= int(from_trade_id)
        ]
        return sorted(found, key=lambda fill: int(fill.trade_id))

    # ---- ExchangeGateway: writes ---------------------------------------------------------

    def place_order(self, request: OrderRequest) -> ExecutionReport:
        plan = self._write("place_order", request)
        self._check(request)
        order = self._accept(request)
        self._run(order, plan)
        if plan.kind == "lose" and plan.error is not None:
            raise plan.error
        if plan.kind == "ack":
            return self._report(order, status_told=False)
        return self._report(order, fills=order.fills)

    def place_order_list(self, request: OrderListRequest) -> OrderListReport:
        plan = self._write("place_order_list", request)
        legs = [leg for leg in (request.working, request.target, request.stop) if leg is not None]
        for leg in legs:
            self._check(leg, funds=leg is request.working)
        if request.working is None:
            self._require_funds(request.target)
        venue_list_id = self._number()
        made = [self._accept(leg, request.list_client_order_id, venue_list_id) for leg in legs]
        target, stop = made[-2:]
        working = made[0] if request.working is not None else None
        placed = FakeList(request, venue_list_id, working, target, stop)
        self.lists.append(placed)
        if working is None:
            self._hold(target)
        else:
            target.status = stop.status = VenueStatus.PENDING
            self._run(working, plan)
        if plan.kind == "lose" and plan.error is not None:
            raise plan.error
        return self._list_report(placed)

    def cancel_order(self, symbol: str, client_order_id: str) -> ExecutionReport:
        plan = self._write("cancel_order", client_order_id, self._cancel_plans)
        order = self._cancelable(symbol, client_order_id)
        self._end(order, VenueStatus.CANCELED)
        self._end_siblings(order, VenueStatus.CANCELED)
        if plan.error is not None:
            raise plan.error
        return self._report(order)

    def cancel_order_list(self, symbol: str, list_client_order_id: str) -> OrderListReport:
        plan = self._write("cancel_order_list", list_client_order_id, self._cancel_plans)
        try:
            found = self._find_list(list_client_order_id)
        except errors.OrderNotFound:
            raise errors.Rejected("Unknown order list sent.", code=-2011, status=400) from None
        live = [leg for leg in found.legs if not leg.status.is_final]
        if not live:
            raise errors.Rejected("Unknown order list sent.", code=-2011, status=400)
        for leg in live:
            self._end(leg, VenueStatus.CANCELED)
        if plan.error is not None:
            raise plan.error
        return self._list_report(found)

    # ---- inside --------------------------------------------------------------------------

    def _read(self, name: str, what: object = None) -> None:
        self.calls.append((name, what))
        if self._outage is not None:
            raise self._outage
        if self._read_failures:
            raise self._read_failures.popleft()

    def _write(self, name: str, what: object, plans: deque[_Plan] | None = None) -> _Plan:
        self.calls.append((name, what))
        if self._outage is not None:
            raise self._outage
        waiting = self._plans if plans is None else plans
        plan = waiting.popleft() if waiting else _Plan("natural")
        if plan.kind == "raise" and plan.error is not None:
            raise plan.error
        return plan

    def _known[T](self, table: Mapping[str, T], symbol: str) -> T:
        if symbol not in table:
            raise errors.Rejected("Invalid symbol.", code=-1121, status=400)
        return table[symbol]
