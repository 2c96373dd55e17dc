"""Who is calling, and is it really them: key, signature and time window of one request.

The signed payload is the percent-encoded query followed directly by the body, without the
signature itself. The WebSocket API signs its parameters sorted by name instead.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import parse_qsl

from exchanges.matching.refusals import illegal_characters, missing
from exchanges.venues.simulator import refusals

KEY_SHAPE = re.compile(r"[A-Za-z0-9_-]{1,128}")
DEFAULT_WINDOW_MS = Decimal(5000)
LONGEST_WINDOW_MS = Decimal(60000)
ALLOWED_LEAD_MS = 1000
MICROSECONDS_FROM = 10**15  # a timestamp this large can only be microseconds


def signed_payload(query: str, body: str) -> str:
    """Return the text the caller must have signed: query then body, no signature, no separator."""
    return _without_signature(query) + _without_signature(body)


def _without_signature(encoded: str) -> str:
    if "signature=" not in encoded:
        return encoded
    return "&".join(pair for pair in encoded.split("&") if not pair.startswith("signature="))


def socket_payload(params: Mapping[str, Any]) -> str:
    """Return the text a WebSocket API caller must have signed: `name=value` sorted by name."""
    return "&".join(
        f"{name}={as_text(params[name])}" for name in sorted(params) if name != "signature"
    )


def as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def sign(secret: str, payload: str) -> str:
    """Return the HMAC-SHA256 of `payload` in lower-case hex."""
    return hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()


def parse_params(query: str, body: str) -> dict[str, str]:
    """Decode query and form body into one mapping; the query wins on duplicates."""
    params = dict(parse_qsl(body, keep_blank_values=True)) if body else {}
    if query:
        params.update(parse_qsl(query, keep_blank_values=True))
    return params


def check_key_shape(key: str | None) -> str:
    """Return the key. Raises Refusal -2014 when it cannot be one."""
    if not key or not KEY_SHAPE.fullmatch(key):
        raise refusals.bad_key_format()
    return key


def check_signature(secret: str, payload: str, signature: str | None) -> None:
    """Raise Refusal -1102 without a signature, -1022 with a wrong one."""
    if not signature:
        raise missing("signature")
    if not hmac.compare_digest(sign(secret, payload), signature.lower()):
        raise refusals.bad_signature()


def check_window(params: Mapping[str, str], now_ms: int) -> None:
    """Raise Refusal -1102, -1021 or -1131 when the request is not timely."""
    stamp_text = params.get("timestamp")
    if not stamp_text:
        raise missing("timestamp")
    if not stamp_text.isascii() or not stamp_text.isdigit():
        raise illegal_characters("timestamp", "^[0-9]{1,20}$")
    stamp = int(stamp_text)
    if stamp >= MICROSECONDS_FROM:
        stamp //= 1000
    window = _window(params.get("recvWindow"))
    if stamp >= now_ms + ALLOWED_LEAD_MS:
        raise refusals.too_early()
    if now_ms - stamp > window:
        raise refusals.too_late()


def _window(text: str | None) -> Decimal:
    if not text:
        return DEFAULT_WINDOW_MS
    try:
        window = Decimal(text)
    except InvalidOperation:
        raise illegal_characters("recvWindow", r"^[0-9]{1,5}(\.[0-9]{1,3})?$") from None
    if not window.is_finite() or window < 0:
        raise illegal_characters("recvWindow", r"^[0-9]{1,5}(\.[0-9]{1,3})?$")
    if window > LONGEST_WINDOW_MS:
        raise refusals.window_too_long()
    return window
