"""Reading audit rows in templates."""

from __future__ import annotations

from decimal import Decimal

from django import template

from audit.models import Event
from foundation.readable import number, pairs

register = template.Library()
# What every row about an order repeats; its first row says it once.
SAME_IN_EVERY_ROW = {"client_order_id", "symbol", "side", "strategy_id", "venue_order_id"}
MOST_OF_A_LIST = 8


@register.filter
def details(event: Event) -> list[tuple[str, str]]:
    """Return what a row says beyond what the rows before it said; its own page has it all."""
    lines = pairs(event.data, most=MOST_OF_A_LIST)
    if event.subject_type != "order" or event.kind == "order.created":
        return lines
    return [(name, text) for name, text in lines if name not in SAME_IN_EVERY_ROW]


@register.filter
def figure(value: Decimal | None) -> str:
    """Show a decimal with every digit, its thousands set apart; a dash for none."""
    return number(value)
