"""Life of an order at the venue: admitted, accepted, taking, resting, triggered."""

from __future__ import annotations

from decimal import Decimal

from exchanges.matching import cancellation, filters, parameters, refusals, reservations
from exchanges.matching.account import Account
from exchanges.matching.book import Slices, floor_to
from exchanges.matching.enums import (
    TRIGGER_TYPES,
    ExecutionType,
    ExpiryReason,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
)
from exchanges.matching.fills import fill
from exchanges.matching.market import Market
from exchanges.matching.records import NO_LIST, ZERO, Order, Trade
from exchanges.matching.refusals import VenueRefusal
from exchanges.matching.requests import NewOrder
from exchanges.matching.state import State, Step

BIP = Decimal(10_000)
TYPE_REFUSALS = {
    OrderType.MARKET: "Market orders are not supported for this symbol.",
    OrderType.LIMIT: "Limit orders are not supported for this symbol.",
    OrderType.LIMIT_MAKER: "Limit maker orders are not supported for this symbol.",
    OrderType.STOP_LOSS: "Stop loss orders are not supported for this symbol.",
    OrderType.STOP_LOSS_LIMIT: "Stop loss limit orders are not supported for this symbol.",
    OrderType.TAKE_PROFIT: "Take profit orders are not supported for this symbol.",
    OrderType.TAKE_PROFIT_LIMIT: "Take profit limit orders are not supported for this symbol.",
}


# --- before the engine -----------------------------------------------------------------------


def admit(
    state: State, account: Account, order: NewOrder, now_ms: int, *, quantity_later: bool = False
) -> Market:
    """Check parameters and figure filters: what the venue refuses before its engine sees it."""
    market = state.market(order.symbol)
    rules = market.rules
    parameters.check(order, rules, quantity_later=quantity_later)
    mode = order.self_trade_prevention
    if mode is not None and mode != "NONE" and rules.stp_modes and mode not in rules.stp_modes:
        raise VenueRefusal(
            -1013, "This symbol does not allow the specified self-trade prevention mode."
        )
    at = filters.Situation(market, account, state.exchange_rules, now_ms)
    filters.check(order, at)
    return market


def check_counts(
    state: State, account: Account, orders: tuple[NewOrder, ...], now_ms: int, *, lists: int = 0
) -> None:
    """Check how many orders may be open, and how many unfilled ones the windows still allow."""
    market = state.market(orders[0].symbol)
    at = filters.Situation(market, account, state.exchange_rules, now_ms)
    filters.check_counts(orders, at, lists=lists)
    check_rate(state, account, len(orders), now_ms)


def check_rate(state: State, account: Account, orders: int, now_ms: int) -> None:
    for index, limit in enumerate(state.order_limits):
        if account.count_in(index, limit.span_ms, now_ms) + orders > limit.limit:
            raise refusals.too_many_orders(limit.limit, f"{limit.interval_num} {limit.interval}")


# --- the engine's own checks ------------------------------------------------------------------


def check_allowed(market: Market, account: Account, order: NewOrder) -> None:
    """Refuse what symbol or account do not support, or an id that is in use."""
    rules = market.rules
    if not account.can_trade:
        raise refusals.may_not_trade()
    if not rules.is_trading:
        raise refusals.market_closed()
    if not rules.allows(order.type):
        raise refusals.rejected(TYPE_REFUSALS[order.type])
    if order.quote_quantity is not None and not rules.quote_quantity_allowed:
        raise refusals.rejected("Quote order qty market orders are not support for this symbol.")
    if order.trailing_delta is not None and not rules.trailing_allowed:
        raise refusals.rejected("Trailing stop orders are not supported for this symbol.")
    if order.client_order_id is not None and account.open_with_client_id(
        order.symbol, order.client_order_id
    ):
        raise refusals.duplicate_order()


def check_marketable(market: Market, order: NewOrder) -> None:
    """Refuse post-only orders that would take, and triggers that have already been passed."""
    if order.type is OrderType.LIMIT_MAKER and order.price is not None:
        best = market.book.best_facing(order.side)
        if best is not None and _crosses(order.side, order.price, best):
            raise refusals.would_take()
    if order.stop_price is not None:
        last = market.price_now()
        if last is not None and _reached(order.type, order.side, order.stop_price, last):
            raise refusals.would_trigger()


def _crosses(side: Side, price: Decimal, opposite: Decimal) -> bool:
    return price >= opposite if side is Side.BUY else price <= opposite


def _reached(type_: OrderType, side: Side, stop_price: Decimal, last: Decimal) -> bool:
    if filters.triggers_above(type_, side):
        return last >= stop_price
    return last <= stop_price


# --- placing ------------------------------------------------------------------------------


def lock_price_of(market: Market, order: NewOrder) -> Decimal:
    """Return the quote a waiting BUY must hold per unit; zero for orders that run as MARKET.

    The venue does not publish what a STOP_LOSS BUY holds; we hold its stop price, or the present
    price when it only trails.
    """
    if order.price is not None:
        return order.price
    if order.type is OrderType.MARKET:
        return ZERO
    return order.stop_price or market.price_now() or ZERO


def funds_needed(market: Market, order: NewOrder) -> Decimal:
    """Return what a waiting (not MARKET) order must lock, in the asset it pays with."""
    quantity = order.quantity or ZERO
    if order.side is Side.SELL:
        return quantity
    return quantity * lock_price_of(market, order)


def place(step: Step, market: Market, account: Account, request: NewOrder) -> list[Trade]:
    """Accept and run one admitted order; raise before anything changed when it is refused."""
    check_allowed(market, account, request)
    check_marketable(market, request)
    if request.type is OrderType.MARKET:
        return _place_market(step, market, account, request)
    rules = market.rules
    pays_with = rules.quote_asset if request.side is Side.BUY else rules.base_asset
    amount = funds_needed(market, request)
    if account.free(pays_with) < amount:
        raise refusals.insufficient_balance()
    order = open_order(step, market, account, request)
    account.add_to_counts(step.state.order_limits, 1, step.now_ms)
    reservations.hold(step, order, amount)
    step.report(order, ExecutionType.NEW, on_book=order.is_working)
    return go_live(step, market, order)


def open_order(
    step: Step,
    market: Market,
    account: Account,
    request: NewOrder,
    *,
    list_id: int = NO_LIST,
    status: OrderStatus = OrderStatus.NEW,
    quantity: Decimal | None = None,
) -> Order:
    """Enter a new order in the account's registers. It holds no money yet."""
    state, rules = step.state, market.rules
    waits = request.type in TRIGGER_TYPES or status is OrderStatus.PENDING_NEW
    order = Order(
        order_id=state.next_order_id(),
        account_id=account.account_id,
        symbol=request.symbol,
        side=request.side,
        type=request.type,
        time_in_force=request.time_in_force or TimeInForce.GTC,
        client_order_id=request.client_order_id or state.next_name(),
        quantity=quantity if quantity is not None else request.quantity or ZERO,
        created_ms=step.now_ms,
        updated_ms=step.now_ms,
        price=request.price or ZERO,
        quote_quantity=request.quote_quantity or ZERO,
        stop_price=request.stop_price,
        trailing_delta=request.trailing_delta,
        iceberg_quantity=request.iceberg_quantity or None,
        strategy_id=request.strategy_id,
        strategy_type=request.strategy_type,
        self_trade_prevention=request.self_trade_prevention or rules.default_stp_mode,
        list_id=list_id,
        status=status,
        is_working=not waits,
        working_ms=-1 if waits else step.now_ms,
        lock_price=lock_price_of(market, request),
    )
    account.orders.setdefault(order.symbol, []).append(order)
    account.open_on(order.symbol)[order.order_id] = order
    account.by_client_id[(order.symbol, order.client_order_id)] = order
    return order


def go_live(step: Step, market: Market, order: Order) -> list[Trade]:
    """Let a reserved order act: watch for its trigger, or take and then rest or expire."""
    if order.type in TRIGGER_TYPES and not order.is_working:
        market.watching[order.order_id] = order
        return []
    if order.price:
        return _take_and_rest(step, market, order)
    return _run_as_market(step, market, order)


# --- taking ------------------------------------------------------------------------------


def _place_market(step: Step, market: Market, account: Account, request: NewOrder) -> list[Trade]:
    rules, side = market.rules, request.side
    if request.quote_quantity is not None:
        slices, quantity = _plan_quote_order(market, request.side, request.quote_quantity)
    else:
        quantity = request.quantity or ZERO
        slices = market.book.plan(side, quantity, None, rules.lot.step)
    slices, breached = _within_price_range(market, side, slices)
    if side is Side.BUY:
        pays_with, amount = rules.quote_asset, _cost(slices)
    else:
        pays_with, amount = rules.base_asset, quantity
    # Whoever offers an amount must own all of it, whatever the book can take.
    if account.free(pays_with) < max(amount, _offered(request)):
        raise refusals.insufficient_balance()
    order = open_order(step, market, account, request, quantity=quantity)
    account.add_to_counts(step.state.order_limits, 1, step.now_ms)
    reservations.hold(step, order, amount)
    step.report(order, ExecutionType.NEW, on_book=True)
    trades = _apply(step, market, order, slices)
    if order.is_open:
        cancellation.expire(
            step,
            order,
            ExpiryReason.EXECUTION_RULE_PRICE_RANGE_EXCEEDED
            if breached
            else ExpiryReason.INSUFFICIENT_LIQUIDITY,
        )
    return trades


def _offered(request: NewOrder) -> Decimal:
    if request.side is Side.BUY:
        return request.quote_quantity or ZERO
    return request.quantity or ZERO


def _plan_quote_order(market: Market, side: Side, quote: Decimal) -> tuple[Slices, Decimal]:
    """Turn a quote amount into slices and the base quantity it stands for.

    When depth runs out, the quantity asked for is what the rest would have bought at the last
    price seen, so that the order ends EXPIRED and partly filled as the venue's do.
    """
    rules = market.rules
    slices, sufficed = market.book.plan_quote(side, quote, rules.lot.step)
    quantity = sum((q for _, q in slices), ZERO)
    if not market.book.facing(side):
        raise refusals.rejected("Order book liquidity is less than symbol minimum quantity.")
    for band, name in ((rules.lot, "LOT_SIZE"), (rules.market_lot, "MARKET_LOT_SIZE")):
        if quantity < band.minimum or not quantity:
            if sufficed:
                raise refusals.filter_failure(name)
            raise refusals.rejected(
                f"Order book liquidity is less than {name} filter minimum quantity."
            )
        if band.maximum and quantity > band.maximum:
            raise refusals.filter_failure(name)
    if not sufficed:
        left = quote - _cost(slices)
        quantity += max(rules.lot.step, floor_to(left / slices[-1][0], rules.lot.step))
    return slices, quantity


def _within_price_range(market: Market, side: Side, slices: Slices) -> tuple[Slices, bool]:
    """Cut slices at the execution rule's price range; say whether it cut."""
    rule, reference = market.price_range, market.reference_price
    if rule is None or reference is None:
        return slices, False
    down, up = rule.bid if side is Side.BUY else rule.ask
    for index, (price, _) in enumerate(slices):
        if (up and price > reference * up) or (down and price < reference * down):
            return slices[:index], True
    return slices, False


def _take_and_rest(step: Step, market: Market, order: Order) -> list[Trade]:
    """Take what the limit price reaches, then rest (GTC) or expire (IOC, FOK)."""
    slices = market.book.plan(order.side, order.remaining, order.price, market.rules.lot.step)
    slices, breached = _within_price_range(market, order.side, slices)
    fillable = sum((q for _, q in slices), ZERO)
    if order.time_in_force is TimeInForce.FOK and fillable < order.remaining:
        cancellation.expire(step, order, ExpiryReason.UNFILLED_FOK_ORDER_EXPIRED)
        return []
    trades = _apply(step, market, order, slices)
    if not order.is_open:
        return trades
    if breached:
        cancellation.expire(step, order, ExpiryReason.EXECUTION_RULE_PRICE_RANGE_EXCEEDED)
    elif order.time_in_force is TimeInForce.IOC:
        cancellation.expire(step, order, ExpiryReason.UNFILLED_IOC_QUANTITY_EXPIRED)
    else:
        if step.state.queue_at_touch:
            order.queue_ahead = market.book.displayed(order.side, order.price)
        market.rest(order)
    return trades


def _run_as_market(step: Step, market: Market, order: Order) -> list[Trade]:
    """Run a triggered STOP_LOSS/TAKE_PROFIT (or a pending MARKET leg) as a market order.

    A BUY may cost more than it held: the rest comes from free funds, and what these cannot pay
    expires. Nobody can be asked any more at this point.
    """
    step_size = market.rules.lot.step
    slices = market.book.plan(order.side, order.remaining, None, step_size)
    slices, breached = _within_price_range(market, order.side, slices)
    short_of_funds = False
    if order.side is Side.BUY:
        account = step.state.accounts[order.account_id]
        order.lock_price = ZERO
        available = order.reserved + account.free(market.rules.quote_asset)
        slices, short_of_funds = _affordable(slices, available, step_size)
        cost = _cost(slices)
        if cost > order.reserved:
            reservations.hold(step, order, cost - order.reserved)
        else:
            reservations.release(step, order, keep=cost)
    trades = _apply(step, market, order, slices)
    if order.is_open:
        reason = ExpiryReason.INSUFFICIENT_LIQUIDITY
        if breached:
            reason = ExpiryReason.EXECUTION_RULE_PRICE_RANGE_EXCEEDED
        elif short_of_funds:
            reason = ExpiryReason.EXCHANGE_CANCELED
        cancellation.expire(step, order, reason)
    return trades


def _affordable(slices: Slices, funds: Decimal, step_size: Decimal) -> tuple[Slices, bool]:
    """Cut slices where the money ends; say whether it ended."""
    kept: Slices = []
    for price, quantity in slices:
        if price * quantity <= funds:
            kept.append((price, quantity))
            funds -= price * quantity
            continue
        part = floor_to(funds / price, step_size)
        if part:
            kept.append((price, part))
        return kept, True
    return kept, False


def _apply(step: Step, market: Market, order: Order, slices: Slices) -> list[Trade]:
    if not slices:
        return []
    market.book.consume(order.side, slices)
    return [
        fill(step, market, order, price, quantity, is_maker=False) for price, quantity in slices
    ]


def _cost(slices: Slices) -> Decimal:
    return sum((price * quantity for price, quantity in slices), ZERO)


# --- resting -----------------------------------------------------------------------------


def match_book(step: Step, market: Market) -> None:
    """Fill resting orders that the outside quotes now cross, at their own price, as maker."""
    for resting, taker_side in ((market.buys, Side.BUY), (market.sells, Side.SELL)):
        while resting:
            order = resting[0]
            slices = market.book.plan(
                taker_side, order.remaining, order.price, market.rules.lot.step
            )
            if not slices:
                break
            market.book.consume(taker_side, slices)
            quantity = sum((q for _, q in slices), ZERO)
            fill(step, market, order, order.price, quantity, is_maker=True)


def shrink_queues(market: Market) -> None:
    """Orders ahead may have been pulled: nobody waits behind more than is displayed."""
    for order in market.buys + market.sells:
        if order.queue_ahead:
            shown = market.book.displayed(order.side, order.price)
            order.queue_ahead = min(order.queue_ahead, shown)


def match_print(
    step: Step, market: Market, price: Decimal, quantity: Decimal, buyer_is_maker: bool | None
) -> None:
    """Fill resting orders that an outside trade reached, by at most its quantity.

    An outside seller (buyer is maker) meets our BUYs first, an outside buyer our SELLs. A trade
    beyond our price must have passed us whoever started it.
    """
    for resting, side in ((market.buys, Side.BUY), (market.sells, Side.SELL)):
        left = quantity
        for order in tuple(resting):
            if not left or not _crosses(side, order.price, price):
                break
            if not order.is_open:
                continue
            if order.price == price:
                if buyer_is_maker is not None and buyer_is_maker != (side is Side.BUY):
                    break
                passed = min(left, order.queue_ahead)
                order.queue_ahead -= passed
                left -= passed
            amount = order.remaining if order.remaining <= left else left
            amount = floor_to(amount, market.rules.lot.step)
            if amount:
                left -= amount
                fill(step, market, order, order.price, amount, is_maker=True)


# --- triggers ----------------------------------------------------------------------------


def watch(step: Step, market: Market, price: Decimal) -> None:
    """Show one trade price to every waiting trigger, oldest first."""
    for order in tuple(market.watching.values()):
        # An earlier one of this round may have expired it (its OCO sibling).
        if order.order_id in market.watching and _fires(order, price, step.now_ms):
            trigger(step, market, order)


def _fires(order: Order, price: Decimal, now_ms: int) -> bool:
    stop = order.stop_price
    if order.trailing_delta is None:
        return stop is not None and _reached(order.type, order.side, stop, price)
    if order.trailing_extreme is None:
        if stop is not None and not _reached(order.type, order.side, stop, price):
            return False
        order.trailing_extreme, order.trailing_ms = price, now_ms
        return False
    share = order.trailing_delta / BIP
    if order.side is Side.SELL:
        order.trailing_extreme = max(order.trailing_extreme, price)
        return price <= order.trailing_extreme * (1 - share)
    order.trailing_extreme = min(order.trailing_extreme, price)
    return price >= order.trailing_extreme * (1 + share)


def trigger(step: Step, market: Market, order: Order) -> None:
    """Turn a waiting order into a working one: the sibling dies, the order enters the book."""
    del market.watching[order.order_id]
    loser = reservations.take_over(step, order)
    if loser is not None:
        cancellation.expire(step, loser, ExpiryReason.OCO_TRIGGER)
    order.is_working = True
    order.working_ms = step.now_ms
    step.report(order, ExecutionType.NEW, on_book=True)
    go_live(step, market, order)
