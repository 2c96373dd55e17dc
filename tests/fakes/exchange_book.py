"""What the fake venue remembers: orders, lists, prices and funds, and how they change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from exchanges.domain import errors
from exchanges.domain.instruments import ZERO, Instrument
from exchanges.domain.orders import (
    ExecutionReport,
    OrderListReport,
    OrderListRequest,
    OrderRequest,
    OrderType,
    Side,
    TimeInForce,
    VenueFill,
    VenueStatus,
)
from exchanges.venues.binance import error_mapping

INSUFFICIENT = "Account has insufficient balance for requested action."
PRICE_RELATION = "The relationship of the prices for the orders is not correct."


@dataclass
class FakeOrder:
    request: OrderRequest
    venue_order_id: str
    status: VenueStatus
    quantity: Decimal
    executed_quantity: Decimal = ZERO
    executed_quote: Decimal = ZERO
    fills: list[VenueFill] = field(default_factory=list)
    venue_list_id: str | None = None
    reason: str = ""
    fired: bool = False

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
        return self.quantity - self.executed_quantity


@dataclass
class FakeList:
    request: OrderListRequest
    venue_list_id: str
    legs: tuple[FakeOrder, ...]  # working first when there is one, then target, then stop

    @property
    def working(self) -> FakeOrder | None:
        return self.legs[0] if len(self.legs) == 3 else None

    @property
    def pair(self) -> tuple[FakeOrder, FakeOrder]:
        return self.legs[-2], self.legs[-1]


def rejected(text: str, code: int = -2010) -> errors.Rejected:
    return error_mapping.refusal(text, code=code, status=400)


class FakeBook:
    """Orders against one price per side; endless depth; the venue's rules in small."""

    def __init__(
        self,
        *,
        instruments: Mapping[str, Instrument],
        balances: Mapping[str, Decimal],
        now: Callable[[], datetime],
        maker_rate: Decimal,
        taker_rate: Decimal,
    ) -> None:
        self.instruments = instruments
        self.now = now
        self.maker_rate = maker_rate
        self.taker_rate = taker_rate
        self.fee_asset: str | None = None
        self.orders: list[FakeOrder] = []
        self.lists: list[FakeList] = []
        self.quotes: dict[str, tuple[Decimal, Decimal]] = {}
        self.last: dict[str, Decimal] = {}
        self.free: dict[str, Decimal] = dict(balances)
        self.news: list[ExecutionReport | OrderListReport] = []
        self._held: dict[str, tuple[str, Decimal]] = {}  # venue order id -> asset, amount
        self._numbers = 0

    # ---- checks the venue makes before it takes an order ----------------------------------

    def check(self, request: OrderRequest, *, funds: bool = True) -> None:
        """Raise Rejected with the venue's code when the order would not be taken."""
        instrument = self.instrument(request.symbol)
        if any(
            o.client_order_id == request.client_order_id and not o.status.is_final
            for o in self.orders
        ):
            raise rejected("Duplicate order sent.")
        _check_filters(instrument, request, self._reference(request))
        self._check_position_of_prices(request)
        self._check_places(request, instrument)
        if funds:
            asset, amount = self._cost(request, self._quantity(request))
            if amount > self.free.get(asset, ZERO):
                raise rejected(INSUFFICIENT)

    def _check_places(self, request: OrderRequest, instrument: Instrument) -> None:
        if not (request.type.has_trigger and instrument.max_algo_orders):
            return
        resting = [o for o in self.orders if o.symbol == request.symbol and not o.status.is_final]
        conditional = sum(1 for o in resting if o.request.type.has_trigger)
        if conditional >= instrument.max_algo_orders:
            raise rejected("Filter failure: MAX_NUM_ALGO_ORDERS", -1013)

    def instrument(self, symbol: str) -> Instrument:
        if symbol not in self.instruments:
            raise rejected("Invalid symbol.", -1121)
        return self.instruments[symbol]

    def _check_position_of_prices(self, request: OrderRequest) -> None:
        if request.type.has_trigger and trigger_reached(request, self.last[request.symbol]):
            raise rejected("Order would trigger immediately.")
        if request.type is OrderType.LIMIT_MAKER and self.crosses(request):
            raise rejected("Order would immediately match and take.")

    def _reference(self, request: OrderRequest) -> Decimal:
        return request.price or request.stop_price or self.last[request.symbol]

    def taker_price(self, request: OrderRequest) -> Decimal:
        bid, ask = self.quotes[request.symbol]
        return ask if request.side is Side.BUY else bid

    def crosses(self, request: OrderRequest) -> bool:
        if request.price is None:
            return True
        at = self.taker_price(request)
        return request.price >= at if request.side is Side.BUY else request.price <= at

    # ---- taking, filling, ending ----------------------------------------------------------

    def accept(self, request: OrderRequest, venue_list_id: str | None = None) -> FakeOrder:
        order = FakeOrder(
            request=request,
            venue_order_id=self.number(),
            status=VenueStatus.OPEN,
            quantity=self._quantity(request),
            venue_list_id=venue_list_id,
        )
        self.orders.append(order)
        return order

    def rest(self, order: FakeOrder) -> None:
        self._hold(order)
        self.announce(order)

    def reached(self, order: FakeOrder, price: Decimal) -> bool:
        """Would the market at `price` fill or fire this resting order?"""
        if order.request.type.has_trigger:
            return trigger_reached(order.request, price)
        return self.crosses(order.request)

    def run(self, order: FakeOrder) -> None:
        """Do what the market does with a new order right now."""
        if order.request.type.has_trigger or not self.crosses(order.request):
            if order.request.time_in_force in (TimeInForce.IOC, TimeInForce.FOK) and not (
                order.request.type.has_trigger
            ):
                word = order.request.time_in_force.value
                reason = "QUANTITY" if word == "IOC" else "ORDER"
                self.end(order, VenueStatus.EXPIRED, f"UNFILLED_{word}_{reason}_EXPIRED")
                return
            self.rest(order)
            return
        self.fill(order, self.taker_price(order.request), order.remaining, maker=False)

    def fill(self, order: FakeOrder, price: Decimal, quantity: Decimal, *, maker: bool) -> None:
        """Book one trade of `quantity` at `price`; move the funds; wake what waited for it."""
        amount = min(quantity, order.remaining)
        if order.status.is_final or amount <= 0:
            raise AssertionError(f"{order.client_order_id} is {order.status}: nothing to fill")
        self._release_pair(order)
        commission, asset = self._move_funds(order, price, amount, maker)
        order.executed_quantity += amount
        order.executed_quote += amount * price
        order.fills.append(
            VenueFill(
                trade_id=self.number(),
                price=price,
                quantity=amount,
                commission=commission,
                commission_asset=asset,
                is_maker=maker,
                traded_at=self.now(),
            )
        )
        done = order.remaining == 0
        order.status = VenueStatus.FILLED if done else VenueStatus.PARTIALLY_FILLED
        if not done:
            self._hold(order)
        self.last[order.symbol] = price
        self.announce(order, order.fills[-1:])
        self._after_fill(order)

    def fire(self, order: FakeOrder, at: Decimal | None = None) -> None:
        """A trigger is reached: the order fills at `at`, else at its limit or trigger price."""
        wanted = at or order.request.price or order.request.stop_price
        if wanted is None:
            raise AssertionError(f"{order.client_order_id} waits for no price")
        order.fired = True
        self.fill(order, wanted, order.remaining, maker=order.request.price is not None)

    def end(self, order: FakeOrder, status: VenueStatus, reason: str = "") -> None:
        """Close an open order without a fill; its list's other legs are the caller's matter."""
        self._release(order)
        order.status = status
        order.reason = reason
        self.announce(order)

    def end_list_of(self, order: FakeOrder, status: VenueStatus, reason: str = "") -> None:
        found = self.list_of(order)
        for leg in found.legs if found else ():
            if leg is not order and not leg.status.is_final:
                self.end(leg, status, reason)

    def list_of(self, order: FakeOrder) -> FakeList | None:
        for found in self.lists:
            if order in found.legs:
                return found
        return None

    def _after_fill(self, order: FakeOrder) -> None:
        found = self.list_of(order)
        if found is None:
            return
        if order is not found.working:
            for leg in found.pair:
                if leg is not order and not leg.status.is_final:
                    self.end(leg, VenueStatus.EXPIRED, "OCO_TRIGGER")
        elif order.status is VenueStatus.FILLED:
            self._wake(found)

    def _wake(self, found: FakeList) -> None:
        target, stop = found.pair
        asset, amount = self._cost(target.request, target.quantity)
        if amount > self.free.get(asset, ZERO):
            for leg in (target, stop):
                self.end(leg, VenueStatus.EXPIRED, "REJECTED")
            return
        for leg in (target, stop):
            leg.status = VenueStatus.OPEN
            self.announce(leg)
        self._hold(target)

    # ---- funds ----------------------------------------------------------------------------

    def _quantity(self, request: OrderRequest) -> Decimal:
        if request.quantity is not None:
            return request.quantity
        instrument = self.instrument(request.symbol)
        spend = request.quote_quantity or ZERO
        return instrument.floor_quantity(spend / self.taker_price(request), market=True)

    def _cost(self, request: OrderRequest, quantity: Decimal) -> tuple[str, Decimal]:
        instrument = self.instrument(request.symbol)
        if request.side is Side.SELL:
            return instrument.base_asset, quantity
        price = request.price or request.stop_price or self.taker_price(request)
        return instrument.quote_asset, quantity * price

    def _hold(self, order: FakeOrder) -> None:
        """Lock funds. An OCO pair locks once, under its target leg, as at the venue."""
        asset, amount = self._cost(order.request, order.remaining)
        self.free[asset] = self.free.get(asset, ZERO) - amount
        self._held[order.venue_order_id] = (asset, amount)

    def _release(self, order: FakeOrder) -> None:
        asset, amount = self._held.pop(order.venue_order_id, ("", ZERO))
        if asset:
            self.free[asset] += amount

    def _release_pair(self, order: FakeOrder) -> None:
        found = self.list_of(order)
        holders = (order,) if found is None or order is found.working else found.pair
        for holder in holders:
            self._release(holder)

    def _move_funds(
        self, order: FakeOrder, price: Decimal, quantity: Decimal, maker: bool
    ) -> tuple[Decimal, str]:
        instrument = self.instrument(order.symbol)
        base, quote = instrument.base_asset, instrument.quote_asset
        buying = order.request.side is Side.BUY
        sign = 1 if buying else -1
        self.free[base] = self.free.get(base, ZERO) + sign * quantity
        self.free[quote] = self.free.get(quote, ZERO) - sign * quantity * price
        rate = self.maker_rate if maker else self.taker_rate
        asset = self.fee_asset or (base if buying else quote)
        commission = rate * (quantity if asset == base else quantity * price)
        self.free[asset] = self.free.get(asset, ZERO) - commission
        return commission, asset

    def locked(self, asset: str) -> Decimal:
        return sum((amount for held, amount in self._held.values() if held == asset), ZERO)

    def held_assets(self) -> set[str]:
        return {asset for asset, _ in self._held.values()}

    # ---- words ----------------------------------------------------------------------------

    def number(self) -> str:
        self._numbers += 1
        return str(self._numbers)

    def announce(self, order: FakeOrder, fills: list[VenueFill] | None = None) -> None:
        self.news.append(self.report(order, fills=fills or []))

    def report(
        self, order: FakeOrder, *, fills: list[VenueFill] | None = None, told: bool = True
    ) -> ExecutionReport:
        request = order.request
        return ExecutionReport(
            symbol=request.symbol,
            client_order_id=request.client_order_id,
            venue_order_id=order.venue_order_id,
            status=order.status if told else None,
            reported_at=self.now(),
            side=request.side if told else None,
            type=request.type if told else None,
            quantity=order.quantity if told else None,
            price=request.price if told else None,
            stop_price=request.stop_price if told else None,
            executed_quantity=order.executed_quantity if told else None,
            executed_quote=order.executed_quote if told else None,
            venue_list_id=order.venue_list_id,
            reason=order.reason,
            fills=tuple(fills or ()),
        )

    def list_report(self, found: FakeList) -> OrderListReport:
        return OrderListReport(
            symbol=found.request.symbol,
            list_client_order_id=found.request.list_client_order_id,
            venue_list_id=found.venue_list_id,
            is_done=all(leg.status.is_final for leg in found.legs),
            reported_at=self.now(),
            reports=tuple(self.report(leg) for leg in found.legs),
        )


def trigger_reached(request: OrderRequest, last: Decimal) -> bool:
    """Stops wait for the market to go against them, targets for it to go their way."""
    if request.stop_price is None:
        return False
    upwards = (request.side is Side.BUY) == (request.type in (OrderType.STOP, OrderType.STOP_LIMIT))
    return last >= request.stop_price if upwards else last <= request.stop_price


def _check_filters(instrument: Instrument, request: OrderRequest, reference: Decimal) -> None:
    for price in (request.price, request.stop_price):
        if price is not None and not (
            instrument.price.contains(price) and instrument.price.on_grid(price)
        ):
            raise rejected("Filter failure: PRICE_FILTER", -1013)
    if request.quantity is None:
        notional = request.quote_quantity or ZERO
    else:
        notional = request.quantity * reference
        if not (
            instrument.lot.contains(request.quantity) and instrument.lot.on_grid(request.quantity)
        ):
            raise rejected("Filter failure: LOT_SIZE", -1013)
        if request.type is OrderType.MARKET and not instrument.market_lot.contains(
            request.quantity
        ):
            raise rejected("Filter failure: MARKET_LOT_SIZE", -1013)
    if notional < instrument.min_notional:
        raise rejected("Filter failure: NOTIONAL", -1013)
