"""Sending what was decided: exits first get the protection out of their way."""

from __future__ import annotations

from dataclasses import replace

from trading.models import Order, Position
from trading.services import orders, protection
from trading.services.orders import Sent


def send(rows: list[Order], *, actor: str, claimed: bool = False) -> Sent:
    """Send one NEW (or by us `claimed`) order with its legs, or leave it to the sweep to wait."""
    order = rows[0]
    if order.role != Order.Role.EXIT:
        return orders.submit(rows, actor=actor, claimed=claimed)
    if not protection.make_way(order, actor=actor):
        return Sent(order.pk, was_sent=False, positions=_position_of(order))
    sent = orders.submit(rows, actor=actor)
    return replace(sent, positions=sent.positions | _position_of(order))


def _position_of(order: Order) -> frozenset[int]:
    """Whatever became of the exit, what is left of the position wants its protection back."""
    rows = Position.objects.filter(account_id=order.account_id, symbol=order.symbol)
    return frozenset(rows.values_list("pk", flat=True))
