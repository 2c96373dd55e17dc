"""Time travel for orders: everything about them happened earlier than it did."""

from __future__ import annotations

from datetime import timedelta

from trading.models import Order


def time_passes(seconds: float) -> None:
    """Make every order look `seconds` older than it is."""
    for order in Order.objects.all():
        for name in (
            "created_at",
            "submitted_at",
            "next_check_at",
            "last_check_at",
            "last_not_found_at",
        ):
            value = getattr(order, name)
            if value is not None:
                setattr(order, name, value - timedelta(seconds=seconds))
        order.save()
