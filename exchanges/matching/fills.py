"""One fill: money moves, commission is taken, the order advances, everybody is told."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from exchanges.matching import cancellation, fees, reservations
from exchanges.matching.account import Account
from exchanges.matching.enums import ExpiryReason, OrderStatus, Side
from exchanges.matching.market import Market
from exchanges.matching.records import NO_LIST, ZERO, Order, Trade
from exchanges.matching.state import State, Step

# What first fills take off the unfilled order count; a maker earns more than it cost.
TAKER_CREDIT = -1
MAKER_CREDIT = -5


@dataclass(frozen=True, slots=True)
class Commission:
    asset: str
    amount: Decimal


def fill(
    step: Step, market: Market, order: Order, price: Decimal, quantity: Decimal, *, is_maker: bool
) -> Trade:
    """Trade `quantity` of a reserved, open order at `price` and report it."""
    state = step.state
    account = state.accounts[order.account_id]
    if not order.executed_quantity:
        loser = reservations.take_over(step, order)
        if loser is not None:
            cancellation.expire(step, loser, ExpiryReason.OCO_TRIGGER)
        credit = MAKER_CREDIT if is_maker else TAKER_CREDIT
        account.add_to_counts(state.order_limits, credit, step.now_ms)
    quote = price * quantity
    commission = _settle(step, market, account, order, quantity, quote, is_maker)
    order.executed_quantity += quantity
    order.executed_quote += quote
    done = order.executed_quantity == order.quantity
    order.status = OrderStatus.FILLED if done else OrderStatus.PARTIALLY_FILLED
    trade = Trade(
        market.print_trade(price, quantity, step.now_ms),
        order.account_id,
        order.symbol,
        order.order_id,
        order.list_id,
        price,
        quantity,
        quote,
        commission.amount,
        commission.asset,
        step.now_ms,
        order.side is Side.BUY,
        is_maker,
    )
    account.note_trade(trade)
    if done:
        order.is_working = False
        reservations.release(step, order)
        cancellation.forget(step, order)
    step.report_trade(order, trade, on_book=is_maker and not done)
    return trade


def _settle(
    step: Step,
    market: Market,
    account: Account,
    order: Order,
    quantity: Decimal,
    quote: Decimal,
    is_maker: bool,
) -> Commission:
    """Move paid and received amounts; return the commission that was taken."""
    rules = market.rules
    base, counter = account.balance(rules.base_asset), account.balance(rules.quote_asset)
    step.touch(order.account_id, rules.base_asset)
    step.touch(order.account_id, rules.quote_asset)
    if order.side is Side.BUY:
        held = order.lock_price * quantity if order.lock_price else quote
        order.reserved -= held
        counter.locked -= held
        counter.free += held - quote
        if _pays_pending(account, order):
            return _charge_and_keep(step, market, account, order, quantity, is_maker)
        base.free += quantity
        return _charge(step, account, rules.base_asset, quantity, is_maker)
    order.reserved -= quantity
    base.locked -= quantity
    counter.free += quote
    return _charge(step, account, rules.quote_asset, quote, is_maker)


def _charge(
    step: Step, account: Account, received_asset: str, received: Decimal, is_maker: bool
) -> Commission:
    """Take the commission out of what was just received, or out of BNB when burning."""
    rate = account.maker_rate if is_maker else account.taker_rate
    if account.bnb_burn:
        burned = _burn(step, account, received_asset, received, rate)
        if burned is not None:
            return burned
    amount = fees.in_received(received, rate)
    account.balance(received_asset).free -= amount
    return Commission(received_asset, amount)


def _burn(
    step: Step, account: Account, received_asset: str, received: Decimal, rate: Decimal
) -> Commission | None:
    """Pay in BNB when there is a price and enough of it; None means pay the ordinary way."""
    price = bnb_per_unit(step.state, received_asset)
    if price is None:
        return None
    amount = fees.in_bnb(received, rate, price)
    bnb = account.balance(fees.BNB)
    if bnb.free < amount:
        return None
    bnb.free -= amount
    step.touch(account.account_id, fees.BNB)
    return Commission(fees.BNB, amount)


def bnb_per_unit(state: State, asset: str) -> Decimal | None:
    """Price one unit of `asset` in BNB: directly, or over USDT."""
    if asset == fees.BNB:
        return Decimal(1)
    bnb_quoted = _last(state, fees.BNB + asset)
    if bnb_quoted:
        return 1 / bnb_quoted
    direct = _last(state, asset + fees.BNB)
    if direct:
        return direct
    over_usdt, bnb_usdt = _last(state, asset + "USDT"), _last(state, fees.BNB + "USDT")
    if over_usdt and bnb_usdt:
        return over_usdt / bnb_usdt
    return None


def _last(state: State, symbol: str) -> Decimal | None:
    market = state.markets.get(symbol)
    return market.price_now() if market is not None else None


def _pays_pending(account: Account, order: Order) -> bool:
    if order.list_id == NO_LIST:
        return False
    order_list = account.lists[order.list_id]
    return order_list.pays and order.order_id == order_list.order_ids[0]


def _charge_and_keep(
    step: Step, market: Market, account: Account, order: Order, received: Decimal, is_maker: bool
) -> Commission:
    """Lock what an OPO working order received; its commission comes from free funds if it can."""
    asset = market.rules.base_asset
    base = account.balance(asset)
    rate = account.maker_rate if is_maker else account.taker_rate
    burned = _burn(step, account, asset, received, rate) if account.bnb_burn else None
    taken = ZERO if burned is not None else fees.in_received(received, rate)
    from_free = taken if base.free >= taken else ZERO
    kept = received - (taken - from_free)
    base.free -= from_free
    base.locked += kept
    account.lists[order.list_id].reserved += kept
    return burned if burned is not None else Commission(asset, taken)
