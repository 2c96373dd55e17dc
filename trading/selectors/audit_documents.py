"""Orders as documents of the older engine's collection `trade_audit_log`, one per order."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
from django.db.models import Max

from exchanges.domain.venues import Environment
from foundation.fields import plain
from trading.models import Fill, Order

BATCH = 500
Document = dict[str, Any]


def documents(
    *, since: datetime | None = None, until: datetime | None = None
) -> Iterator[Document]:
    """Yield a document per order created in [since, until), oldest first.

    Walks by id in batches, so any number of orders fits in memory and rows that arrive meanwhile
    are left for the next export. Figures are JSON numbers, as that collection has them.
    """
    last = Order.objects.aggregate(last=Max("pk"))["last"] or 0
    seen = 0
    while True:
        orders = Order.objects.filter(pk__gt=seen, pk__lte=last).order_by("pk")
        if since is not None:
            orders = orders.filter(created_at__gte=since)
        if until is not None:
            orders = orders.filter(created_at__lt=until)
        batch = list(orders.select_related("decision", "account", "venue_account")[:BATCH])
        if not batch:
            return
        fees = _fees(batch)
        for order in batch:
            yield document(order, fees.get(order.pk, []))
        seen = batch[-1].pk


def document(order: Order, fees: list[tuple[str, Decimal, Decimal | None]]) -> Document:
    """Describe one order. `fees` is [(asset, paid, value in quote units or None)] of its fills."""
    environment = order.venue_account.environment
    return {
        "_id": object_id(order),
        "signal_id": order.strategy_id,
        "symbol": order.symbol,
        "side": order.side.lower(),
        "order_type": order.type.lower(),
        "quantity": _number(order.quantity),
        "price": _number(order.price),
        "stop_loss": _number(order.stop_loss),
        "take_profit": _number(order.take_profit),
        "binance_order_id": order.venue_order_id or None,
        "status": order.status.lower(),
        "fill_price": _number(order.average_price),
        "fees": _total(fees),
        "timestamp": order.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "simulation_mode": environment == Environment.SIMULATOR,
        "metadata": _metadata(order, fees),
    }


def object_id(order: Order) -> str:
    """Return 24 hexadecimal digits that always name this order, as a MongoDB ObjectId would."""
    return hashlib.sha256(order.client_order_id.encode()).hexdigest()[:24]


def _metadata(order: Order, fees: list[tuple[str, Decimal, Decimal | None]]) -> Document:
    """Add what the collection has no column for; money here is exact text."""
    by_asset: dict[str, Decimal] = {}
    for asset, paid, _ in fees:
        by_asset[asset] = by_asset.get(asset, Decimal(0)) + paid
    moments = ("created_at", "submitted_at", "acknowledged_at", "closed_at")
    found: Document = {
        "signal_uid": order.signal_uid,
        "client_order_id": order.client_order_id,
        "correlation_id": order.correlation_id,
        "role": order.role,
        "account": order.account.name,
        "environment": order.venue_account.environment,
        "time_in_force": order.time_in_force or None,
        "stop_price": _text(order.stop_price),
        "quantity": _text(order.quantity),
        "executed_quantity": _text(order.executed_quantity),
        "executed_quote": _text(order.executed_quote),
        "fees_by_asset": {asset: _text(paid) for asset, paid in by_asset.items()},
        "reason": order.reason or None,
        "reason_code": order.reason_code or None,
        "execution": {m: getattr(order, m).isoformat() for m in moments if getattr(order, m)},
    }
    if order.decision is not None:
        intent = order.decision.intent
        found["signal"] = intent
        found["confidence"] = intent.get("confidence")
        found["risk"] = {
            "verdicts": order.decision.verdicts,
            "arithmetic": order.decision.arithmetic,
            "market": order.decision.market,
        }
    return found


def _fees(orders: list[Order]) -> dict[int, list[tuple[str, Decimal, Decimal | None]]]:
    found: dict[int, list[tuple[str, Decimal, Decimal | None]]] = {}
    rows = Fill.objects.filter(order__in=[o.pk for o in orders]).order_by("pk")
    columns = ("order_id", "commission_asset", "commission", "commission_quote")
    for order_id, asset, paid, value in rows.values_list(*columns):
        found.setdefault(order_id, []).append((asset, paid, value))
    return found


def _total(fees: list[tuple[str, Decimal, Decimal | None]]) -> float | None:
    """Sum in quote units; None while a fee paid in a third asset has no price."""
    values = [Decimal(0) if not paid else value for _, paid, value in fees]
    known = [v for v in values if v is not None]
    return float(sum(known, Decimal(0))) if len(known) == len(values) else None


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def _text(value: Decimal | None) -> str | None:
    return None if value is None else format(plain(value), "f")


def as_lines(found: Iterator[Document]) -> Iterator[bytes]:
    """Encode one document a line."""
    for one in found:
        yield orjson.dumps(one) + b"\n"


def as_array(found: Iterator[Document]) -> Iterator[bytes]:
    """Encode one JSON array, document by document."""
    start = b"[\n"
    for one in found:
        yield start + orjson.dumps(one)
        start = b",\n"
    yield b"[]\n" if start == b"[\n" else b"\n]\n"


LINES = {"jsonl": as_lines, "json": as_array}
