"""Money held for waiting orders: who holds how much, and giving it back.

A lone order holds its own need. An untouched OCO pair holds one amount together, on the list: the
larger of its legs' needs. The first leg that trades or triggers takes that amount over.
"""

from __future__ import annotations

from decimal import Decimal

from exchanges.matching.enums import OPEN_STATUSES, OrderStatus, Side
from exchanges.matching.records import NO_LIST, ZERO, Order, OrderList
from exchanges.matching.state import State, Step


def asset_of(state: State, order: Order) -> str:
    """Return the asset an order pays with."""
    rules = state.markets[order.symbol].rules
    return rules.quote_asset if order.side is Side.BUY else rules.base_asset


def need(order: Order) -> Decimal:
    """Return what must stay locked for the unfilled part."""
    if order.side is Side.BUY:
        return order.remaining * order.lock_price
    return order.remaining


def hold(step: Step, order: Order, amount: Decimal) -> None:
    """Lock more for an order; the caller has checked that it is there."""
    asset = asset_of(step.state, order)
    step.state.accounts[order.account_id].lock(asset, amount)
    step.touch(order.account_id, asset)
    order.reserved += amount


def release(step: Step, order: Order, keep: Decimal = ZERO) -> None:
    """Give back what an order holds beyond `keep`."""
    excess = order.reserved - keep
    if excess > 0:
        asset = asset_of(step.state, order)
        step.state.accounts[order.account_id].unlock(asset, excess)
        step.touch(order.account_id, asset)
        order.reserved = keep


def release_list(step: Step, order_list: OrderList, asset: str) -> None:
    """Give back what a list still holds."""
    if order_list.reserved:
        step.state.accounts[order_list.account_id].unlock(asset, order_list.reserved)
        step.touch(order_list.account_id, asset)
        order_list.reserved = ZERO


def take_over(step: Step, order: Order) -> Order | None:
    """Move an OCO pair's holding to the leg that moves first; return the sibling that lost.

    Returns None for lone orders, working legs, and legs whose sibling is gone already.
    """
    if order.list_id == NO_LIST:
        return None
    account = step.state.accounts[order.account_id]
    order_list = account.lists[order.list_id]
    sibling = oco_sibling(step.state, order, order_list)
    if sibling is None:
        return None
    order.reserved, order_list.reserved = order.reserved + order_list.reserved, ZERO
    release(step, order, keep=need(order))
    return sibling


def oco_sibling(state: State, order: Order, order_list: OrderList) -> Order | None:
    """Return the live other leg of an OCO pair."""
    pair = order_list.order_ids[-2:]
    is_pair = order_list.contingency == "OCO" or len(order_list.legs) == 3
    if not is_pair or order.order_id not in pair:
        return None
    other_id = pair[0] if pair[1] == order.order_id else pair[1]
    other = state.accounts[order.account_id].open_on(order.symbol).get(other_id)
    if other is None or other.status not in OPEN_STATUSES:
        return None
    return None if other.status is OrderStatus.PENDING_NEW else other
