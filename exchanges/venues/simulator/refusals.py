"""Refusals of the venue's front door; those of the matching engine live beside it.

Source of the codes and texts: the venue's public error tables and what clients report.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exchanges.matching.refusals import VenueRefusal

UNKNOWN_OUTCOME = (
    "Timeout waiting for response from backend server. "
    "Send status unknown; execution status unknown."
)


class Refusal(VenueRefusal):
    """A request answered with an error, with `data` beside it and headers of its own."""

    def __init__(
        self,
        code: int,
        msg: str,
        status: int = 400,
        *,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code, msg, status)
        self.data = data
        self.headers = dict(headers or {})


def body_of(refusal: VenueRefusal) -> dict[str, Any]:
    """Return the JSON body a refusal is answered with."""
    answer: dict[str, Any] = {"code": refusal.code, "msg": refusal.msg}
    data = getattr(refusal, "data", None)
    if data is not None:
        answer["data"] = data
    return answer


def headers_of(refusal: VenueRefusal) -> Mapping[str, str]:
    return getattr(refusal, "headers", {})


def empty(name: str) -> Refusal:
    return Refusal(-1105, f"Parameter '{name}' was empty.")


def bad_data(name: str) -> Refusal:
    return Refusal(-1130, f"Data sent for parameter '{name}' is not valid.")


def bad_time_in_force() -> Refusal:
    return Refusal(-1115, "Invalid timeInForce.")


def bad_order_type() -> Refusal:
    return Refusal(-1116, "Invalid orderType.")


def bad_side() -> Refusal:
    return Refusal(-1117, "Invalid side.")


def bad_interval() -> Refusal:
    return Refusal(-1120, "Invalid interval.")


def bad_key_format() -> Refusal:
    return Refusal(-2014, "API-key format invalid.", status=401)


def unknown_key() -> Refusal:
    return Refusal(-2015, "Invalid API-key, IP, or permissions for action.", status=401)


def bad_signature() -> Refusal:
    return Refusal(-1022, "Signature for this request is not valid.")


def too_early() -> Refusal:
    return Refusal(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")


def too_late() -> Refusal:
    return Refusal(-1021, "Timestamp for this request is outside of the recvWindow.")


def window_too_long() -> Refusal:
    return Refusal(-1131, "recvWindow must be less than 60000.")


def unknown_method(path: str) -> Refusal:
    return Refusal(-1000, f"Path {path} is not served here.", status=404)


def gone() -> Refusal:
    return Refusal(-1000, "This endpoint was retired: use the WebSocket API instead.", status=410)


def too_much_weight(limit: int, retry_after: int) -> Refusal:
    return Refusal(
        -1003,
        f"Too much request weight used; current limit is {limit} request weight per 1 MINUTE. "
        "Please use WebSocket Streams for live updates to avoid polling the API.",
        status=429,
        headers={"Retry-After": str(retry_after)},
    )


def banned(until_ms: int, retry_after: int) -> Refusal:
    return Refusal(
        -1003,
        f"Way too much request weight used; IP banned until {until_ms}. "
        "Please use WebSocket Streams for live updates to avoid bans.",
        status=418,
        headers={"Retry-After": str(retry_after)},
    )


def outcome_unknown(status: int = 504) -> Refusal:
    return Refusal(-1007, UNKNOWN_OUTCOME, status=status)


def unread(read: int, sent: int) -> Refusal:
    return Refusal(
        -1104,
        f"Not all sent parameters were read; read '{read}' parameter(s) but was sent '{sent}'.",
    )
