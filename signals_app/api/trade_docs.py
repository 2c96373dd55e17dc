"""How POST /trade is described: both generations of the payload, and every answer."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter
from rest_framework import serializers

from foundation.api.documents import problem
from trading.api.legacy_documents import LegacyResult


class SignalPayload(serializers.Serializer[object]):
    """Options may stand at top level (v2) or in `meta` (v1); unknown keys are kept as context."""

    strategy_id = serializers.CharField()
    symbol = serializers.CharField(help_text="BTCUSDT or BTC/USDT.")
    action = serializers.ChoiceField(choices=["buy", "sell", "close"])
    confidence = serializers.FloatField(min_value=0, max_value=1)
    timestamp = serializers.DateTimeField(
        required=False, help_text="With a zone; older than SIGNAL_MAX_AGE_SECONDS is denied."
    )
    price = serializers.FloatField(required=False, help_text="Limit price or trigger reference.")
    quantity = serializers.FloatField(required=False, help_text="Base units.")
    stop_loss = serializers.FloatField(required=False)
    take_profit = serializers.FloatField(required=False)
    signal_uid = serializers.CharField(required=False, help_text="Your own unique id.")
    meta = serializers.DictField(required=False)


class TradeAnswer(serializers.Serializer[object]):
    message = serializers.CharField()
    signal_id = serializers.CharField(help_text="The strategy_id, as older clients expect.")
    signal_uid = serializers.CharField()
    result = LegacyResult(allow_null=True)
    follow = serializers.CharField(required=False)


V1 = {
    "strategy_id": "momentum_v1",
    "symbol": "BTCUSDT",
    "action": "buy",
    "price": 45000.0,
    "confidence": 0.85,
    "timestamp": "2026-11-21T12:00:00Z",
    "meta": {
        "order_type": "limit",
        "base_amount": 0.001,
        "stop_loss": 43000.0,
        "take_profit": 47000.0,
        "time_in_force": "GTC",
        "simulate": True,
    },
}
V2 = {
    "strategy_id": "volume_surge_breakout",
    "symbol": "BTCUSDT",
    "action": "buy",
    "confidence": 0.85,
    "quantity": 0.001,
    "current_price": 45000.0,
    "stop_loss": 44000.0,
    "take_profit": 47000.0,
    "timeframe": "15m",
}
_FILLED = {
    "message": "Signal processed successfully",
    "signal_id": "momentum_v1",
    "signal_uid": "0d9f3c1c6d0b4c3f9a41a0c3a52fd6b1",
    "result": {
        "success": True,
        "order_id": "12345678",
        "client_order_id": "ptr-e-4kq0",
        "status": "filled",
        "symbol": "BTCUSDT",
        "side": "buy",
        "type": "limit",
        "time_in_force": "GTC",
        "amount": 0.001,
        "quantity": 0.001,
        "filled_quantity": 0.001,
        "price": 45000.0,
        "stop_price": None,
        "fill_price": 45000.0,
        "total_value": 45.0,
        "fees": 0.045,
        "fees_by_asset": {"BTC": 0.000001},
        "stop_loss": 43000.0,
        "take_profit": 47000.0,
        "simulated": True,
        "environment": "simulator",
        "message": "",
    },
}
_DENIED = {
    "type": "urn:petrosa:problem:confidence-below-min",
    "title": "Denied by our rules",
    "status": 400,
    "detail": "confidence 0.3 is below the limit 0.5",
    "code": "CONFIDENCE_BELOW_MIN",
    "rule": "confidence",
    "limit": "0.5",
    "actual": "0.3",
    "signal_id": "momentum_v1",
    "signal_uid": "0d9f3c1c6d0b4c3f9a41a0c3a52fd6b1",
    "follow": "/api/v1/signals/0d9f3c1c6d0b4c3f9a41a0c3a52fd6b1/",
    "decision": "/api/v1/decisions/12/",
}
_REUSED = {
    "type": "urn:petrosa:problem:idempotency-key-reused",
    "title": "The id belongs to another signal",
    "status": 409,
    "detail": "Idempotency-Key was used before for a signal that differs in quantity. Nothing new "
    "was stored or traded: follow the first signal, or send this one under a new id.",
    "code": "IDEMPOTENCY_KEY_REUSED",
    "field": "Idempotency-Key",
    "differs_in": ["quantity"],
    "signal_uid": "0d9f3c1c6d0b4c3f9a41a0c3a52fd6b1",
    "follow": "/api/v1/signals/0d9f3c1c6d0b4c3f9a41a0c3a52fd6b1/",
}
TRADE: dict[str, Any] = {
    "operation_id": "trade",
    "summary": "Send a signal and have it traded",
    "description": (
        "Both payload generations are read. A repeat (same `signal_uid` or same "
        "`Idempotency-Key`) is answered with the first outcome, carries "
        "`Idempotent-Replayed: true`, and never trades again. A repeat may carry a fresh "
        "`timestamp`, `current_price`, `indicators`, and context of its own; one that asks for "
        "something else (another quantity, symbol, stop, ...) is answered 409 "
        "`IDEMPOTENCY_KEY_REUSED` or `SIGNAL_UID_REUSED`, names the fields in `differs_in` and the "
        "first signal in `signal_uid` and `follow`, and trades nothing. An unknown key that is "
        "nearly the name of an option (`stop_los`, `quantty`) is refused with `MISSPELT_FIELD`, a "
        "word of money that is none (`dry_run`, `leverage` above 1, `stop_loss_pct`, `size`, "
        "`account`, a `side` against the `action`) with `UNSUPPORTED_FIELD` or "
        "`CONFLICTING_VALUES`: each says what to write instead. `metadata` is free. "
        "202 means that the signal is stored and on its way: the venue has not confirmed the "
        "outcome yet, or so many entries wait for its answers that this one was handed to the "
        "workers after 3 s (exits never are). Follow it at `follow`. "
        "An entry under the name of one of our own strategies is refused while that one is off "
        "(`STRATEGY_OFF`) or in shadow (`SHADOW`, kept and never traded); its exits are not. "
        "Needs the permission `trading.trade`."
    ),
    "tags": ["legacy"],
    "request": SignalPayload,
    "responses": {
        200: TradeAnswer,
        202: TradeAnswer,
        400: problem("Not understood, denied by our rules, or rejected by the venue."),
        401: problem("No or wrong credentials."),
        403: problem("Without the permission trading.trade."),
        409: problem("The Idempotency-Key or signal_uid was used for another signal."),
        413: problem("The body is too large."),
        429: problem("Too many signals; Retry-After says when to come again."),
        503: problem("The venue cannot be reached or seen; an entry is not made blindly."),
    },
    "parameters": [
        OpenApiParameter(
            "Idempotency-Key", str, OpenApiParameter.HEADER, description="At most 128 characters."
        )
    ],
    "examples": [
        OpenApiExample("Options in meta (v1)", V1, request_only=True),
        OpenApiExample("Options at top level (v2)", V2, request_only=True),
        OpenApiExample("Filled", _FILLED, response_only=True, status_codes=["200"]),
        OpenApiExample("Denied", _DENIED, response_only=True, status_codes=["400"]),
        OpenApiExample("Reused key", _REUSED, response_only=True, status_codes=["409"]),
    ],
}
