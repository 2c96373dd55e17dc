"""Order amend keep priority: quantity may only shrink, and never to what is already filled."""

from __future__ import annotations

from decimal import Decimal

from exchanges.matching import filters, refusals, reservations
from exchanges.matching.account import Account
from exchanges.matching.enums import ExecutionType, ListStatusType, OrderStatus
from exchanges.matching.market import Market
from exchanges.matching.records import NO_LIST, ZERO, Order, OrderList
from exchanges.matching.requests import NewOrder
from exchanges.matching.state import Step


def reduce(
    step: Step,
    market: Market,
    account: Account,
    order: Order,
    new_quantity: Decimal,
    new_client_order_id: str | None,
) -> OrderList | None:
    """Shrink an open order, rename it, free what it no longer needs; return its list if any."""
    _check(step, market, account, order, new_quantity, new_client_order_id)
    order.quantity = new_quantity
    order.amends += 1
    order_list = account.lists[order.list_id] if order.list_id != NO_LIST else None
    _rename(step, account, order, new_client_order_id)
    if order.reserved:
        reservations.release(step, order, keep=reservations.need(order))
    elif order_list is not None and (order_list.pending_active or not order_list.pays):
        # Before that, a paying list holds what it received, whatever its legs will need.
        _shrink_pair(step, account, order, order_list)
    step.report(order, ExecutionType.REPLACED, on_book=order.is_working)
    if order_list is not None:
        order_list.legs = tuple(
            (i, order.client_order_id if i == order.order_id else name)
            for i, name in order_list.legs
        )
        order_list.status_type = ListStatusType.UPDATED
        step.report_list(order_list)
        order_list.status_type = ListStatusType.EXEC_STARTED
    return order_list


def _check(
    step: Step,
    market: Market,
    account: Account,
    order: Order,
    new_quantity: Decimal,
    new_client_order_id: str | None,
) -> None:
    rules = market.rules
    if not rules.amend_allowed:
        raise refusals.amend_refused("Order amend is not supported for this symbol.")
    if rules.max_amends and order.amends >= rules.max_amends:
        raise refusals.amend_refused("Too many amendments of this order.")
    if new_quantity > order.quantity:
        raise refusals.amend_refused("Order amend (quantity increase) is not supported.")
    if new_quantity == order.quantity:
        raise refusals.amend_refused("The requested action would change no state; rejecting.")
    if new_quantity <= order.executed_quantity or new_quantity <= 0:
        raise refusals.amend_refused("The new quantity must exceed what is already filled.")
    smaller = NewOrder(
        order.symbol,
        order.side,
        order.type,
        quantity=new_quantity,
        price=order.price or None,
        stop_price=order.stop_price,
    )
    at = filters.Situation(market, account, step.state.exchange_rules, step.now_ms)
    for one in (filters.lot_size, filters.notional):
        one(smaller, at)
    if (
        new_client_order_id is not None
        and new_client_order_id != order.client_order_id
        and account.open_with_client_id(order.symbol, new_client_order_id)
    ):
        raise refusals.duplicate_order()


def _rename(step: Step, account: Account, order: Order, wanted: str | None) -> None:
    order.original_client_order_id = order.client_order_id
    order.client_order_id = wanted or step.state.next_name()
    account.by_client_id[(order.symbol, order.client_order_id)] = order


def _shrink_pair(step: Step, account: Account, order: Order, order_list: OrderList) -> None:
    """Keep on the list what the larger of both legs still needs."""
    held = account.open_on(order.symbol)
    pair = [held[i] for i in order_list.order_ids[-2:] if i in held]
    live = [leg for leg in pair if leg.status is not OrderStatus.PENDING_NEW]
    keep = max((reservations.need(leg) for leg in live), default=ZERO)
    excess = order_list.reserved - keep
    if excess > 0:
        asset = reservations.asset_of(step.state, order)
        account.unlock(asset, excess)
        step.touch(account.account_id, asset)
        order_list.reserved = keep
