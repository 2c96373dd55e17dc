"""Sending what was decided: an entry leaves at once, an exit gets its way first."""

from __future__ import annotations

from trading.models import Order
from trading.services.execution import exits
from trading.services.orders import lifecycle
from trading.services.orders.lifecycle import Sent


def send(rows: list[Order], *, actor: str, claimed: bool = False) -> Sent:
    """Send one NEW (or by us `claimed`) order with its legs, or leave it to the guard to wait."""
    if rows[0].role != Order.Role.EXIT:
        return lifecycle.submit(rows, actor=actor, claimed=claimed)
    return exits.send(rows, actor=actor)
