"""Order lists: OCO, OTO, OTOCO (and OPO, OPOCO): shape, placing, and what a leg's end causes."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from exchanges.matching import cancellation, execution, filters, parameters, refusals, reservations
from exchanges.matching.account import Account
from exchanges.matching.book import floor_to
from exchanges.matching.enums import (
    STOP_TYPES,
    TRIGGER_TYPES,
    ExecutionType,
    ExpiryReason,
    ListOrderStatus,
    ListStatusType,
    OrderStatus,
    OrderType,
    Side,
)
from exchanges.matching.market import Market
from exchanges.matching.records import ZERO, Order, OrderList, Trade
from exchanges.matching.refusals import VenueRefusal
from exchanges.matching.requests import NewOco, NewOrder, NewOrderList, NewOto, NewOtoco
from exchanges.matching.rules import SymbolRules
from exchanges.matching.state import State, Step

TARGET_TYPES = frozenset(
    {OrderType.LIMIT_MAKER, OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT}
)
OCO_TYPES = TARGET_TYPES | STOP_TYPES
WORKING_TYPES = frozenset({OrderType.LIMIT, OrderType.LIMIT_MAKER})

# What a leg of the wrong kind at the wrong place is told, by its side and kind.
MISPLACED = {
    (Side.BUY, "limit"): VenueRefusal(-1165, "A limit order in a buy OCO must be below."),
    (Side.SELL, "limit"): VenueRefusal(-1166, "A limit order in a sell OCO must be above."),
    (Side.BUY, "stop"): VenueRefusal(-1196, "A stop loss order in a buy OCO must be above."),
    (Side.SELL, "stop"): VenueRefusal(-1197, "A stop loss order in a sell OCO must be below."),
    (Side.BUY, "take"): VenueRefusal(-1198, "A take profit order in a buy OCO must be below."),
    (Side.SELL, "take"): VenueRefusal(-1199, "A take profit order in a sell OCO must be above."),
}


def legs_of(request: NewOrderList) -> tuple[NewOrder, ...]:
    """Return the legs in the venue's order."""
    if isinstance(request, NewOco):
        return request.above, request.below
    if isinstance(request, NewOto):
        return request.working, request.pending
    return request.working, request.pending_above, request.pending_below


# --- checks before anything happens --------------------------------------------------------


def admit(state: State, account: Account, request: NewOrderList, now_ms: int) -> Market:
    """Check shape, parameters, filters and counts of the whole list."""
    legs = legs_of(request)
    market = state.market(request.symbol)
    parameters.check_client_id(request.list_client_order_id, "listClientOrderId")
    _check_shape(request, market.rules)
    for index, leg in enumerate(legs):
        later = index > 0 and not isinstance(request, NewOco) and request.pays
        execution.admit(state, account, leg, now_ms, quantity_later=later)
    execution.check_counts(state, account, legs, now_ms, lists=1)
    return market


def _check_shape(request: NewOrderList, rules: SymbolRules) -> None:
    legs = legs_of(request)
    if any(leg.symbol != request.symbol for leg in legs):
        raise refusals.bad_combination("All orders of a list must name one symbol.")
    if isinstance(request, NewOco):
        _check_supported(rules, oco=True)
        _check_pair(request.above, request.below)
        return
    _check_supported(rules, oto=True, opo=request.pays, oco=isinstance(request, NewOtoco))
    if request.working.type not in WORKING_TYPES:
        raise VenueRefusal(-1158, "Order type not supported in OTO.")
    if request.pays and (
        request.working.side is not Side.BUY or any(leg.side is Side.BUY for leg in legs[1:])
    ):
        raise refusals.bad_combination("OPO needs a BUY working order and SELL pending orders.")
    if isinstance(request, NewOtoco):
        _check_pair(request.pending_above, request.pending_below)
    elif request.pending.quote_quantity is not None:
        raise refusals.not_required("pendingQuoteOrderQty")


def _check_supported(
    rules: SymbolRules, *, oco: bool = False, oto: bool = False, opo: bool = False
) -> None:
    for wanted, allowed, name in (
        (oco, rules.oco_allowed, "OCO"),
        (oto, rules.oto_allowed, "OTO"),
        (opo, rules.opo_allowed, "OPO"),
    ):
        if wanted and not allowed:
            raise refusals.rejected(f"{name} orders are not supported for this symbol")


def _check_pair(above: NewOrder, below: NewOrder) -> None:
    if above.side is not below.side or above.quantity != below.quantity:
        raise refusals.bad_combination("Both legs of an OCO share side and quantity.")
    if above.type not in OCO_TYPES or below.type not in OCO_TYPES:
        raise VenueRefusal(-1158, "Order type not supported in OCO.")
    if above.type is OrderType.LIMIT_MAKER and below.type is OrderType.LIMIT_MAKER:
        raise VenueRefusal(-1168, "At least one OCO order must be contingent.")
    for leg, is_above in ((above, True), (below, False)):
        if _belongs_above(leg) != is_above:
            refusal = MISPLACED[leg.side, _kind(leg.type)]
            raise VenueRefusal(refusal.code, refusal.msg)


def _belongs_above(leg: NewOrder) -> bool:
    if leg.type is OrderType.LIMIT_MAKER:
        return leg.side is Side.SELL
    return filters.triggers_above(leg.type, leg.side)


def _kind(type_: OrderType) -> str:
    if type_ is OrderType.LIMIT_MAKER:
        return "limit"
    return "stop" if type_ in STOP_TYPES else "take"


def _check_pair_prices(market: Market, above: NewOrder, below: NewOrder) -> None:
    """Both legs must lie on their side of the last price."""
    last = market.price_now()
    if last is None:
        return
    upper, lower = _level(above), _level(below)
    if (upper is not None and upper <= last) or (lower is not None and lower >= last):
        raise refusals.bad_oco_prices()


def _level(leg: NewOrder) -> Decimal | None:
    return leg.price if leg.type is OrderType.LIMIT_MAKER else leg.stop_price


def _check_ids(account: Account, request: NewOrderList) -> None:
    wanted = [leg.client_order_id for leg in legs_of(request) if leg.client_order_id is not None]
    if len(set(wanted)) != len(wanted):
        raise refusals.duplicate_order()
    name = request.list_client_order_id
    if name is not None and any(
        held.client_order_id == name and held.symbol == request.symbol
        for held in account.open_lists.values()
    ):
        raise refusals.duplicate_order()


# --- placing ------------------------------------------------------------------------------


def place(
    step: Step, market: Market, account: Account, request: NewOrderList
) -> tuple[OrderList, tuple[Order, ...], list[Trade]]:
    """Accept and start an admitted list; raise before anything changed when it is refused.

    Returns the list, its legs, and the fills of the working leg. Pending legs that the fills set
    free are still PENDING_NEW: `react` activates them when the step is settled.
    """
    _check_ids(account, request)
    for leg in legs_of(request):
        execution.check_allowed(market, account, leg)
    if isinstance(request, NewOco):
        return _place_oco(step, market, account, request)
    return _place_oto(step, market, account, request)


def _place_oco(
    step: Step, market: Market, account: Account, request: NewOco
) -> tuple[OrderList, tuple[Order, ...], list[Trade]]:
    _check_pair_prices(market, request.above, request.below)
    for leg in (request.above, request.below):
        execution.check_marketable(market, leg)
    amount = _pair_need(market, (request.above, request.below))
    asset = _pays_with(market.rules, request.above.side)
    if account.free(asset) < amount:
        raise refusals.insufficient_balance()
    order_list, orders = _open_list(step, market, account, request, "OCO", pending_from=2)
    _reserve(step, account, order_list, asset, amount)
    for order in orders:
        step.report(order, ExecutionType.NEW, on_book=order.is_working)
    for order in orders:
        execution.go_live(step, market, order)
    return order_list, orders, []


def _place_oto(
    step: Step, market: Market, account: Account, request: NewOto | NewOtoco
) -> tuple[OrderList, tuple[Order, ...], list[Trade]]:
    working_request = request.working
    execution.check_marketable(market, working_request)
    amount = execution.funds_needed(market, working_request)
    if account.free(_pays_with(market.rules, working_request.side)) < amount:
        raise refusals.insufficient_balance()
    order_list, orders = _open_list(step, market, account, request, "OTO", pending_from=1)
    order_list.pays = request.pays
    working = orders[0]
    reservations.hold(step, working, amount)
    for order in orders:
        step.report(order, ExecutionType.NEW, on_book=order.is_working)
    trades = execution.go_live(step, market, working)
    return order_list, orders, trades


def _open_list(
    step: Step,
    market: Market,
    account: Account,
    request: NewOrderList,
    contingency: str,
    *,
    pending_from: int,
) -> tuple[OrderList, tuple[Order, ...]]:
    """Register a list and its legs, and report the list; the legs hold no money yet."""
    state = step.state
    list_id = state.next_list_id()
    name = request.list_client_order_id or state.next_name()
    orders = tuple(
        execution.open_order(
            step,
            market,
            account,
            leg,
            list_id=list_id,
            status=OrderStatus.NEW if index < pending_from else OrderStatus.PENDING_NEW,
        )
        for index, leg in enumerate(legs_of(request))
    )
    order_list = OrderList(
        list_id=list_id,
        account_id=account.account_id,
        symbol=request.symbol,
        contingency=contingency,
        client_order_id=name,
        legs=tuple((order.order_id, order.client_order_id) for order in orders),
        created_ms=step.now_ms,
        updated_ms=step.now_ms,
    )
    account.lists[list_id] = account.open_lists[list_id] = order_list
    account.add_to_counts(state.order_limits, len(orders), step.now_ms)
    step.report_list(order_list)
    return order_list, orders


def _pays_with(rules: SymbolRules, side: Side) -> str:
    return rules.quote_asset if side is Side.BUY else rules.base_asset


def _pair_need(market: Market, legs: Sequence[NewOrder]) -> Decimal:
    return max(execution.funds_needed(market, leg) for leg in legs)


def _reserve(
    step: Step, account: Account, order_list: OrderList, asset: str, amount: Decimal
) -> None:
    account.lock(asset, amount)
    step.touch(account.account_id, asset)
    order_list.reserved += amount


# --- consequences -------------------------------------------------------------------------


def react(step: Step, leg: Order) -> None:
    """Draw what follows for a list from the end of one of its legs."""
    account = step.state.accounts[leg.account_id]
    order_list = account.lists[leg.list_id]
    if not order_list.is_open:
        return
    market = step.state.markets[leg.symbol]
    is_working_leg = order_list.contingency == "OTO" and leg.order_id == order_list.order_ids[0]
    if is_working_leg and not order_list.pending_active:
        if leg.status is OrderStatus.FILLED:
            _activate(step, market, account, order_list)
        else:
            _drop_pending(step, account, order_list, ExpiryReason.OTO_PHASE_ONE_EXPIRED)
    _finish_when_done(step, account, order_list)


def _finish_when_done(
    step: Step, account: Account, order_list: OrderList, reject_reason: str = "NONE"
) -> None:
    held = account.open_on(order_list.symbol)
    if not order_list.is_open or any(order_id in held for order_id in order_list.order_ids):
        return
    _release(step, account, order_list)
    order_list.status_type = ListStatusType.ALL_DONE
    order_list.order_status = ListOrderStatus.ALL_DONE
    account.open_lists.pop(order_list.list_id, None)
    step.report_list(order_list, reject_reason)


def _release(step: Step, account: Account, order_list: OrderList) -> None:
    """Give back what the list holds; it is always held for its last leg."""
    last = account.order(order_list.symbol, order_list.order_ids[-1])
    rules = step.state.markets[order_list.symbol].rules
    reservations.release_list(step, order_list, _pays_with(rules, last.side))


def _pending(account: Account, order_list: OrderList) -> list[Order]:
    held = account.open_on(order_list.symbol)
    return [held[i] for i in order_list.order_ids[1:] if i in held]


def _drop_pending(
    step: Step,
    account: Account,
    order_list: OrderList,
    reason: ExpiryReason,
    reject_reason: str = "NONE",
) -> None:
    for order in _pending(account, order_list):
        cancellation.expire(step, order, reason, reject_reason)


def _activate(step: Step, market: Market, account: Account, order_list: OrderList) -> None:
    """Put the pending legs to work, or let them die: funds and filters are looked at now."""
    order_list.pending_active = True
    legs = _pending(account, order_list)
    try:
        _ready(step, market, account, order_list, legs)
    except VenueRefusal as refusal:
        _drop_pending(step, account, order_list, ExpiryReason.REJECTED, refusal.reject_reason)
        _finish_when_done(step, account, order_list, refusal.reject_reason)
        return
    step.report_list(order_list)
    for order in legs:
        order.status = OrderStatus.NEW
        if order.type not in TRIGGER_TYPES:
            order.is_working, order.working_ms = True, step.now_ms
        step.report(order, ExecutionType.NEW, on_book=order.is_working)
    for order in legs:
        execution.go_live(step, market, order)


def _ready(
    step: Step, market: Market, account: Account, order_list: OrderList, legs: list[Order]
) -> None:
    """Size, check and fund the pending legs; raise the refusal that kills them."""
    if order_list.pays:
        for order in legs:
            order.quantity = floor_to(order_list.reserved, market.rules.lot.step)
    requests = [_as_request(order) for order in legs]
    at = filters.Situation(market, account, step.state.exchange_rules, step.now_ms)
    for request in requests:
        if not market.rules.is_trading:
            raise refusals.market_closed()
        filters.check(request, at)
        execution.check_marketable(market, request)
    if len(requests) == 2:
        _check_pair_prices(market, requests[0], requests[1])
    asset = _pays_with(market.rules, legs[0].side)
    for order, request in zip(legs, requests, strict=True):
        order.lock_price = execution.lock_price_of(market, request)
    amount = _activation_need(market, requests)
    missing = amount - order_list.reserved
    if missing > account.free(asset):
        raise refusals.insufficient_balance()
    if missing > 0:
        _reserve(step, account, order_list, asset, missing)
    elif missing < 0:
        account.unlock(asset, -missing)
        step.touch(account.account_id, asset)
        order_list.reserved = amount
    if len(legs) == 1:
        # A lone pending leg holds its own money; only a pair shares through the list.
        legs[0].reserved, order_list.reserved = order_list.reserved, ZERO


def _activation_need(market: Market, requests: list[NewOrder]) -> Decimal:
    """Return what the legs must hold; a MARKET BUY must cover what it will cost now."""
    first = requests[0]
    if first.type is OrderType.MARKET and first.side is Side.BUY:
        quantity = first.quantity or ZERO
        slices = market.book.plan(Side.BUY, quantity, None, market.rules.lot.step)
        return sum((p * q for p, q in slices), ZERO)
    return _pair_need(market, requests)


def _as_request(order: Order) -> NewOrder:
    return NewOrder(
        symbol=order.symbol,
        side=order.side,
        type=order.type,
        quantity=order.quantity,
        price=order.price or None,
        stop_price=order.stop_price,
        trailing_delta=order.trailing_delta,
        time_in_force=order.time_in_force,
        iceberg_quantity=order.iceberg_quantity,
    )


# --- cancelling ---------------------------------------------------------------------------


def cancel(
    step: Step, account: Account, order_list: OrderList, cancel_id: str
) -> tuple[Order, ...]:
    """Cancel every open leg under one cancel id and finish the list."""
    held = account.open_on(order_list.symbol)
    legs = [held[i] for i in order_list.order_ids if i in held]
    _release(step, account, order_list)
    # The list must not react to its own legs' ends while it is being taken down.
    for order in legs:
        cancellation.cancel(step, order, cancel_id)
    _finish_when_done(step, account, order_list)
    return tuple(legs)
