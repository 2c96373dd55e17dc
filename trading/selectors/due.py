"""Is there anything for the guard to do: one cheap look, ten times a second."""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from trading.domain.order_states import OrderStatus
from trading.models import Order, Position

ORDERS, POSITIONS = Order._meta.db_table, Position._meta.db_table
# Each part is answered by a partial index that holds nothing while nothing is under way.
ANYTHING = f"""
    SELECT 1 FROM {ORDERS} WHERE next_check_at <= %s AND status IN (%s, %s)
    UNION ALL SELECT 1 FROM {ORDERS} WHERE follow_up_at <= %s
    UNION ALL SELECT 1 FROM {POSITIONS} WHERE next_look_at <= %s
    UNION ALL SELECT 1 FROM {POSITIONS} WHERE guarded_quantity > 0
    LIMIT 1
"""  # noqa: S608  # names of our own tables


def anything(now: datetime) -> bool:
    """Say whether an order, an exit or a position is due, or a stop is held by the guard."""
    at = connection.ops.adapt_datetimefield_value(now)
    with connection.cursor() as cursor:
        cursor.execute(ANYTHING, [at, OrderStatus.NEW, OrderStatus.SUBMITTING, at, at])
        return cursor.fetchone() is not None
