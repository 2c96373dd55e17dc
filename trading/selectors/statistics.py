"""Counts and sums over everything that was traded. Costs a scan: remembered for some seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Count, Sum

from trading.domain.order_states import OrderStatus
from trading.models import Decision, Fill, Order, Position

REMEMBERED_SECONDS = 5.0
MAIN_ROLES = (Order.Role.ENTRY, Order.Role.EXIT)
FAILED = (OrderStatus.REJECTED, OrderStatus.NOT_PLACED)
_lock = threading.Lock()
_remembered: tuple[float, dict[str, Any]] | None = None


def current() -> dict[str, Any]:
    """Return the figures, at most five seconds old."""
    global _remembered
    with _lock:
        if _remembered is None or _remembered[0] < time.monotonic():
            _remembered = (time.monotonic() + REMEMBERED_SECONDS, compute())
        return _remembered[1]


def forget() -> None:
    global _remembered
    _remembered = None


def compute() -> dict[str, Any]:
    """Count and sum now. Trades are entries and exits; protective orders count under orders."""
    by_role = list(
        Order.objects.order_by().values("role", "status").annotate(rows=Count("pk")).iterator()
    )
    main: dict[str, int] = {}
    every: dict[str, int] = {}
    for row in by_role:
        every[row["status"]] = every.get(row["status"], 0) + row["rows"]
        if row["role"] in MAIN_ROLES:
            main[row["status"]] = main.get(row["status"], 0) + row["rows"]
    pnl, fees, is_open = _books()
    return {
        "trades_total": sum(main.values()),
        "trades_success": main.get(OrderStatus.FILLED, 0),
        "trades_failed": sum(main.get(status, 0) for status in FAILED),
        "total_volume_usdt": volume("USDT"),
        "orders_by_status": every,
        "decisions_approved": Decision.objects.filter(approved=True).count(),
        "denials_by_code": _counts(Decision.objects.filter(approved=False), "code"),
        "fills_total": Fill.objects.count(),
        "positions_open": is_open,
        "realised_pnl": pnl,
        "fees_quote": fees,
    }


def volume(quote_asset: str) -> Decimal:
    """Sum what was traded against `quote_asset`. SQLite keeps money as text, so sum in Python."""
    fills = Fill.objects.order_by().filter(order__account__quote_asset=quote_asset)
    if connection.vendor == "postgresql":
        return fills.aggregate(total=Sum("quote_quantity"))["total"] or Decimal(0)
    values = fills.values_list("quote_quantity", flat=True).iterator(chunk_size=5000)
    return sum(values, Decimal(0))


def _books() -> tuple[Decimal, Decimal, int]:
    pnl, fees, is_open = Decimal(0), Decimal(0), 0
    rows = Position.objects.order_by().values_list("realised_pnl", "fees_quote", "is_open")
    for earned, paid, open_now in rows:
        pnl, fees, is_open = pnl + earned, fees + paid, is_open + open_now
    return pnl, fees, is_open


def _counts(rows: Any, column: str) -> Mapping[str, int]:
    counted = rows.order_by().values_list(column).annotate(rows=Count("pk"))
    return dict(counted)
