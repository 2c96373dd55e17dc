"""Ends of orders other than a complete fill, and the books that must forget them."""

from __future__ import annotations

from exchanges.matching import reservations
from exchanges.matching.enums import ExecutionType, ExpiryReason, OrderStatus
from exchanges.matching.records import NO_LIST, Order
from exchanges.matching.state import Step


def expire(step: Step, order: Order, reason: ExpiryReason, reject_reason: str = "NONE") -> None:
    order.expiry_reason = reason
    _end(step, order, OrderStatus.EXPIRED)
    step.report(order, ExecutionType.EXPIRED, on_book=False, reject_reason=reject_reason)


def cancel(step: Step, order: Order, cancel_id: str) -> None:
    """Cancel and rename: the order takes the cancel's id and remembers its own as original."""
    order.original_client_order_id = order.client_order_id
    order.client_order_id = cancel_id
    step.state.accounts[order.account_id].by_client_id[(order.symbol, cancel_id)] = order
    _end(step, order, OrderStatus.CANCELED)
    step.report(order, ExecutionType.CANCELED, on_book=False)


def forget(step: Step, order: Order) -> None:
    """Take a finished order out of every open register; tell its list."""
    state = step.state
    state.accounts[order.account_id].open_on(order.symbol).pop(order.order_id, None)
    state.markets[order.symbol].remove(order)
    if order.list_id != NO_LIST:
        step.closed_legs.append(order)


def _end(step: Step, order: Order, status: OrderStatus) -> None:
    order.status = status
    order.is_working = False
    reservations.release(step, order)
    forget(step, order)
