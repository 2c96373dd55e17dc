"""Cancelling an order for a door: done, not known yet, or too late."""

from __future__ import annotations

import structlog

from exchanges.domain import errors
from foundation.api.problems import Problem
from trading import tasks
from trading.api import results
from trading.domain.order_states import OrderStatus, is_final
from trading.models import Order
from trading.services.execution import exits
from trading.services.orders import lifecycle

log = structlog.get_logger(__name__)
ENDED = (OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.NOT_PLACED)


def cancel(order: Order, *, actor: str) -> bool:
    """Cancel `order` and bring the row up to date; False while the venue has not confirmed it.

    An exit that has ended and was to go on is given up: its `reason` says so. Raises Problem 409
    when the order has ended otherwise, VenueError when the venue is away.
    """
    if is_final(OrderStatus(order.status)):
        if not exits.give_up(order, actor=actor):
            raise _too_late(order)
        order.refresh_from_db()
        return True
    try:
        applied = lifecycle.cancel(order, actor=actor)
    except errors.OutcomeUnknown as error:
        order.refresh_from_db()
        log.warning(
            "cancel_outcome_unknown", client_order_id=order.client_order_id, error=str(error)
        )
        return False
    for change in applied:
        if change.position_id is not None:
            tasks.want_protection(change.position_id)
    order.refresh_from_db()
    if order.status not in ENDED:
        raise _too_late(order)
    return True


def _too_late(order: Order) -> Problem:
    said = f"The order is {order.status.lower()}: there is nothing left to cancel."
    if (successor := exits.carried_on_by(order)) is not None:
        said += f" {successor.client_order_id} sells what it left: cancel that one."
    return Problem(
        409,
        "ORDER_NOT_CANCELLABLE",
        said,
        result={**results.of_order(order), "success": False},
    )
