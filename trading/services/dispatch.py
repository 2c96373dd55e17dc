"""Sending what was decided: exits first get the protection out of their way."""

from __future__ import annotations

from trading.domain.order_states import OrderStatus
from trading.models import Order, Position
from trading.services import orders, protection
from trading.services.orders import Sent


def send(order_id: int, *, actor: str) -> Sent:
    """Send one NEW order; returns without sending when it must wait (the sweep tries again)."""
    order = Order.objects.select_related("account", "venue_account").get(pk=order_id)
    if order.role == Order.Role.EXIT and order.status == OrderStatus.NEW:
        if not protection.make_way(order, actor=actor):
            return Sent(order_id, was_sent=False)
        sent = orders.submit(order_id, actor=actor)
        return Sent(order_id, sent.was_sent, sent.positions | _position_of(order))
    return orders.submit(order_id, actor=actor)


def _position_of(order: Order) -> frozenset[int]:
    """Whatever became of the exit, what is left of the position wants its protection back."""
    rows = Position.objects.filter(account_id=order.account_id, symbol=order.symbol)
    return frozenset(rows.values_list("pk", flat=True))
