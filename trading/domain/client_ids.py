"""Deterministic client order ids: the same wish always has the same id at the venue.

Binance allows `^[a-zA-Z0-9-_]{1,36}$`, unique among open orders only. An id is `ptr-`, one letter
for what it is, and 130 bits of a SHA-256 over the parts, so a crash between storing and sending
can ask the venue for the very order it would have sent.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime

PREFIX = "ptr-"
PATTERN = re.compile(r"[a-zA-Z0-9_-]{1,36}")
_DIGEST_CHARS = 26


@dataclass(frozen=True, slots=True)
class ProtectionIds:
    """Ids of one generation of a position's protection."""

    list_id: str
    target_id: str
    stop_id: str
    market_exit_id: str  # used when the stop can no longer rest and we sell at market


def entry_id(intent_uid: str) -> str:
    return _make("e", intent_uid)


def exit_id(intent_uid: str) -> str:
    return _make("x", intent_uid)


def entry_list_id(intent_uid: str) -> str:
    """Name the order list that carries an entry together with its protection."""
    return _make("b", intent_uid)


def protection_ids(position_key: str, sequence: int) -> ProtectionIds:
    """Name generation `sequence` of the protection of one position.

    `position_key` must be unique for ever for one opening of a position (its row id will do);
    every new placing takes the next `sequence`, since a leg's id must never be used twice.
    """
    parts = (position_key, str(sequence))
    return ProtectionIds(
        list_id=_make("l", *parts),
        target_id=_make("t", *parts),
        stop_id=_make("s", *parts),
        market_exit_id=_make("m", *parts),
    )


def position_key(account: str, symbol: str, opened_at: datetime | None) -> str:
    """Name one opening of a position, for `protection_ids`."""
    return f"{account}:{symbol}:{opened_at.isoformat() if opened_at else ''}"


def kind_of(client_order_id: str) -> str:
    """Return the letter that says what an order of ours is for: e entry, x exit, m exit at market
    in place of a stop, s stop, t target; empty when there is none."""
    parts = client_order_id.removeprefix(PREFIX).split("-")
    return parts[0] if is_ours(client_order_id) and len(parts) == 2 and len(parts[0]) == 1 else ""


def is_ours(client_order_id: str) -> bool:
    """Say whether an id at the venue is one of ours: no other order is ever touched."""
    return client_order_id.startswith(PREFIX) and PATTERN.fullmatch(client_order_id) is not None


def _make(kind: str, *parts: str) -> str:
    if not all(parts):
        raise ValueError("a client order id needs a non-empty key")
    framed = "".join(f"{len(part)}:{part}" for part in parts)  # ("a", "bc") is not ("ab", "c")
    digest = base64.b32encode(hashlib.sha256(framed.encode()).digest()).decode().lower()
    return f"{PREFIX}{kind}-{digest[:_DIGEST_CHARS]}"
