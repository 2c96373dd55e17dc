"""Faults a drill has asked for: which request or stream event they hit, how often, and how.

A fault is data. The front door asks `for_request`, the streams ask `for_event`; both get the first
fault that fits and is not used up. One with a `share` hits that part of what fits, by seeded dice.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

REQUEST_KINDS: Mapping[str, Mapping[str, Any]] = {
    # the request never arrives / its answer never does
    "drop_request": {"execute": False, "ending": "reset"},
    "drop_reply": {"execute": True, "ending": "reset"},
    "hang": {"execute": True, "ending": "hang", "seconds": 30.0},
    # answers that leave the outcome open, or do not
    "timeout": {"execute": True, "status": 504, "code": -1007},
    "unavailable": {"execute": False, "status": 503, "text": "Service Unavailable"},
    "error": {"execute": False, "status": 400, "code": -1000, "msg": "An unknown error occurred."},
    # orders that are refused, or meet a market with less in it than they want
    "reject": {
        "execute": False,
        "status": 400,
        "code": -2010,
        "msg": "Account has insufficient balance for requested action.",
    },
    "fill_in_parts": {"execute": True, "filled": 0.5, "parts": 2},
    # limits
    "weight_limit": {"execute": False, "status": 429, "code": -1003, "retry_after": 5},
    "order_limit": {"execute": False, "status": 429, "code": -1015, "retry_after": 5},
    "ban": {"execute": False, "status": 418, "code": -1003, "retry_after": 120},
    # time
    "delay": {"execute": True, "delay_ms": 1000},
    "slow_arrival": {"execute": True, "delay_before_ms": 1000},
    "stream_before_reply": {"execute": True, "delay_ms": 300},
    # reads that lag behind writes
    "hide_order": {"execute": False, "status": 400, "code": -2013, "msg": "Order does not exist."},
    # not what a client expects to parse
    "garbled": {"execute": True, "status": 200, "text": "<html>gateway</html>"},
}
EVENT_KINDS = frozenset(
    {"stream_delay", "stream_duplicate", "stream_reorder", "stream_drop", "stream_silence"}
)
TEXTS = {
    -1003: "Too much request weight used; please use WebSocket Streams to avoid bans.",
    -1007: (
        "Timeout waiting for response from backend server. "
        "Send status unknown; execution status unknown."
    ),
    -1015: "Too many new orders; current limit is 100 orders per 10 SECOND.",
}
HIDE_ORDER_PATH = "/api/v3/order"


class BadFault(ValueError):
    """The control request describes no fault this simulator has."""


@dataclass(slots=True)
class Fault:
    """One fault. `left` counts down; None means until cleared (or `until`, monotonic seconds)."""

    number: int
    kind: str
    left: int | None
    method: str | None = None
    path: str | None = None
    symbol: str | None = None
    account: str | None = None
    event: str | None = None  # stream events only: executionReport, ...
    execution_type: str | None = None  # stream events only: NEW, TRADE, ...
    target: str = "user"  # stream events only: user | market
    until: float | None = None
    share: float = 1.0  # of the requests that fit
    hits: int = 0
    effect: Mapping[str, Any] = field(default_factory=dict)

    def is_spent(self) -> bool:
        if self.until is not None and time.monotonic() >= self.until:
            return True
        return self.left is not None and self.left <= 0

    def hit(self) -> Fault:
        self.hits += 1
        if self.left is not None:
            self.left -= 1
        return self

    def described(self) -> dict[str, Any]:
        return {
            "id": self.number,
            "kind": self.kind,
            "left": self.left,
            "hits": self.hits,
            "method": self.method,
            "path": self.path,
            "symbol": self.symbol,
            "account": self.account,
            "event": self.event,
            "target": self.target,
            "share": self.share,
            **self.effect,
        }


class FaultBook:
    """The faults in force, in the order they were asked for."""

    def __init__(self, seed: int = 1) -> None:
        self._faults: list[Fault] = []
        self._next = 1
        self._dice = random.Random(seed)

    def add(self, wish: Mapping[str, Any]) -> Fault:
        """Take a control request's fault. Raises BadFault with the reason."""
        kind = str(wish.get("kind", ""))
        if kind not in REQUEST_KINDS and kind not in EVENT_KINDS:
            known = ", ".join(sorted([*REQUEST_KINDS, *EVENT_KINDS]))
            raise BadFault(f"no fault is called {kind!r}; there are {known}")
        share = _share(kind, wish)
        endless = kind == "stream_silence" or "for_seconds" in wish or "share" in wish
        count = wish.get("count", None if endless else 1)
        if count is not None and (not isinstance(count, int) or count < 1):
            raise BadFault("count must be a whole number above zero")
        fault = Fault(
            number=self._next,
            kind=kind,
            left=count,
            method=_text(wish, "method", "GET" if kind == "hide_order" else None),
            path=_text(wish, "path", HIDE_ORDER_PATH if kind == "hide_order" else None),
            symbol=_text(wish, "symbol"),
            account=_text(wish, "account"),
            event=_text(wish, "event"),
            execution_type=_text(wish, "execution_type"),
            target=_text(wish, "target") or "user",
            until=_until(wish),
            share=share,
            effect=_effect(kind, wish),
        )
        self._next += 1
        self._faults.append(fault)
        return fault

    def clear(self) -> None:
        self._faults.clear()

    def described(self) -> list[dict[str, Any]]:
        return [fault.described() for fault in self._faults if not fault.is_spent()]

    def for_request(
        self, method: str, path: str, symbol: str | None, account: str | None
    ) -> Fault | None:
        """Return the fault that hits this request, counted, or None."""
        for fault in self._live(REQUEST_KINDS):
            if fault.method not in (None, method) or fault.path not in (None, path):
                continue
            if fault.symbol not in (None, symbol) or fault.account not in (None, account):
                continue
            if fault.share == 1 or self._dice.random() < fault.share:
                return fault.hit()
        return None

    def for_event(
        self, target: str, event: str, symbol: str | None, execution_type: str | None
    ) -> Fault | None:
        """Return the fault that hits this stream event, counted, or None."""
        for fault in self._live(EVENT_KINDS):
            if fault.target not in ("all", target) or fault.event not in (None, event):
                continue
            if fault.symbol not in (None, symbol):
                continue
            if fault.execution_type in (None, execution_type):
                return fault.hit()
        return None

    def _live(self, kinds: Any) -> list[Fault]:
        if not self._faults:
            return []
        self._faults = [fault for fault in self._faults if not fault.is_spent()]
        return [fault for fault in self._faults if fault.kind in kinds]


def _text(wish: Mapping[str, Any], name: str, default: str | None = None) -> str | None:
    value = wish.get(name, default)
    return None if value is None else str(value)


def _until(wish: Mapping[str, Any]) -> float | None:
    seconds = wish.get("for_seconds")
    return None if seconds is None else time.monotonic() + float(seconds)


def _share(kind: str, wish: Mapping[str, Any]) -> float:
    share = wish.get("share", 1)
    if not isinstance(share, int | float) or not 0 < share <= 1:
        raise BadFault("share must be above 0 and at most 1")
    if share != 1 and kind not in REQUEST_KINDS:
        raise BadFault(f"{kind} hits stream events: a share is of requests only")
    return float(share)


def _effect(kind: str, wish: Mapping[str, Any]) -> dict[str, Any]:
    if kind in EVENT_KINDS:
        return {"delay_ms": int(wish.get("delay_ms", 1000))}
    effect = dict(REQUEST_KINDS[kind])
    if kind == "fill_in_parts":
        effect |= _parts(wish)
    allowed = ("execute", "status", "code", "msg", "text", "retry_after", "seconds")
    for name in (*allowed, "delay_ms", "delay_before_ms", "body", "ending"):
        if name in wish:
            effect[name] = wish[name]
    if "code" in effect:
        effect.setdefault("msg", TEXTS.get(int(effect["code"]), "An unknown error occurred."))
    return effect


def _parts(wish: Mapping[str, Any]) -> dict[str, Any]:
    """Read how much of an order fills at once, and in how many trades."""
    filled, parts = wish.get("filled", 0.5), wish.get("parts", 2)
    if not isinstance(filled, int | float) or not 0 <= filled <= 1:
        raise BadFault("filled must be between 0 and 1")
    if not isinstance(parts, int) or parts < 1:
        raise BadFault("parts must be a whole number above zero")
    return {"filled": filled, "parts": parts}
