"""What is there for the guard to do: one cheap look, ten times a second."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from django.db import connection

from trading.domain.order_states import OrderStatus
from trading.models import Order, Position

UNSENT = f"'{OrderStatus.NEW}', '{OrderStatus.SUBMITTING}'"
ORDERS, POSITIONS = Order._meta.db_table, Position._meta.db_table
# Each part is answered by a partial index that holds nothing while nothing is under way.
DUE = f"""
    SELECT EXISTS (SELECT 1 FROM {ORDERS} WHERE next_check_at <= %s AND status IN ({UNSENT})),
        EXISTS (SELECT 1 FROM {ORDERS} WHERE follow_up_at <= %s),
        EXISTS (SELECT 1 FROM {POSITIONS} WHERE next_look_at <= %s),
        EXISTS (SELECT 1 FROM {POSITIONS} WHERE guarded_quantity > 0)
"""  # noqa: S608  # names of our own tables


class Kind(Enum):
    """What can be due, in the order in which it is asked for."""

    ORDER = "on its way to the venue, or put off"
    EXIT = "ended short, to be carried on"
    POSITION = "its protection is to be looked at"
    GUARDED = "a stop that the guard holds"


def kinds(now: datetime) -> set[Kind]:
    """Return the kinds of which at least one is due."""
    at = connection.ops.adapt_datetimefield_value(now)
    with connection.cursor() as cursor:
        cursor.execute(DUE, [at, at, at])
        return {kind for kind, is_due in zip(Kind, cursor.fetchone(), strict=True) if is_due}
