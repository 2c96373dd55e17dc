"""Signals as senders write them, for tests to bend."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from signals_app.payload import wire
from signals_app.payload.draft import PayloadError, SignalDraft

RECEIVED_AT = datetime(2026, 11, 21, 12, 0, 1, tzinfo=UTC)


def v1(meta: dict[str, Any] | None = None, **top: Any) -> dict[str, Any]:
    """Return a first-generation signal: options in `meta`."""
    return {
        "strategy_id": "momentum_v1",
        "symbol": "BTCUSDT",
        "action": "buy",
        "price": 45000.0,
        "confidence": 0.85,
        "timestamp": "2026-11-21T12:00:00Z",
        "meta": {"order_type": "limit", "base_amount": 0.001} if meta is None else meta,
    } | top


def v2(**top: Any) -> dict[str, Any]:
    """Return a second-generation signal: options at top level."""
    return {
        "strategy_id": "volume_surge_breakout",
        "symbol": "BTCUSDT",
        "action": "buy",
        "confidence": 0.85,
        "price": 50000.00,
        "quantity": 0.001,
        "timestamp": "2026-11-21T12:00:00.000Z",
    } | top


def without(payload: dict[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in payload.items() if key not in names}


def parse(payload: Any) -> SignalDraft:
    """Parse a mapping by way of JSON bytes, or bytes as they are."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return wire.parse(body, received_at=RECEIVED_AT)


def refused(payload: Any) -> PayloadError:
    with pytest.raises(PayloadError) as caught:
        parse(payload)
    return caught.value
