"""Faults a drill has asked for: which request or stream event they hit, how often, and how.

A fault is data. The front door asks `for_request`, the streams ask `for_event`; both get the first
fault that fits and is not used up. One with a `share` hits that part of what fits, by seeded dice.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from exchanges.venues.simulator import roles

REQUEST_KINDS: Mapping[str, Mapping[str, Any]] = {
    # the request never arrives / its answer never does; `status`, `code`, `text` and `execute` of
    # the others may be set: a -1007 that did not execute, a 500 with a page after an execution
    "drop_request": {"execute": False, "ending": "reset"},
    "drop_reply": {"execute": True, "ending": "reset"},
    "late_arrival": {"execute": False, "ending": "reset", "late_ms": 2000},  # cut off, runs later
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
    # (`rest`: what becomes of what the order leaves on the book)
    "fill_in_parts": {"execute": True, "filled": 0.5, "parts": 2, "rest": "at_once"},
    # limits
    "weight_limit": {"execute": False, "status": 429, "code": -1003, "retry_after": 5},
    "order_limit": {"execute": False, "status": 429, "code": -1015, "retry_after": 5},
    "ban": {"execute": False, "status": 418, "code": -1003, "retry_after": 120},
    # time
    "delay": {"execute": True, "delay_ms": 1000},
    "slow_arrival": {"execute": True, "delay_before_ms": 1000},
    "stream_before_reply": {"execute": True, "delay_ms": 300},
    # reads that lag behind writes; any kind that executes may say `hide_seconds` (null: until
    # the faults are cleared), and no question shows what it placed until then
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
RESTS = ("at_once", "later", "expires")


class BadFault(ValueError):
    """The control request describes no fault this simulator has."""


class Asked(Protocol):
    """A request as faults see it."""

    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def params(self) -> Mapping[str, str]: ...


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
    side: str | None = None
    role: str | None = None  # what the request is for: a name of `roles.ROLES`
    event: str | None = None  # stream events only: executionReport, ...
    execution_type: str | None = None  # stream events only: NEW, TRADE, ...
    target: str = "user"  # stream events only: user | market
    until: float | None = None
    share: float = 1.0  # of the requests that fit
    hits: int = 0
    effect: Mapping[str, Any] = field(default_factory=dict)

    def fits(self, request: Asked, account: str | None) -> bool:
        """Say whether it is meant for a request, whatever the dice say then."""
        if self.method not in (None, request.method) or self.path not in (None, request.path):
            return False
        if self.symbol not in (None, request.params.get("symbol")):
            return False
        if self.account not in (None, account):
            return False
        if self.side not in (None, roles.side_of(request.params)):
            return False
        if self.role is None:
            return True
        return roles.ROLES[self.role](request.method, request.path, request.params)

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
            "side": self.side,
            "role": self.role,
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
            side=_text(wish, "side"),
            role=_role(wish),
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

    def for_request(self, request: Asked, account: str | None) -> Fault | None:
        """Return the fault that hits this request, counted, or None."""
        for fault in self._live(REQUEST_KINDS):
            if not fault.fits(request, account):
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


def _role(wish: Mapping[str, Any]) -> str | None:
    role = _text(wish, "role")
    if role is not None and role not in roles.ROLES:
        raise BadFault(f"no role is called {role!r}; there are {', '.join(sorted(roles.ROLES))}")
    return role


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
    for name in (
        *allowed,
        "delay_ms",
        "delay_before_ms",
        "late_ms",
        "body",
        "ending",
        "hide_seconds",
    ):
        if name in wish:
            effect[name] = wish[name]
    if "code" in effect:
        effect.setdefault("msg", TEXTS.get(int(effect["code"]), "An unknown error occurred."))
    return effect


def _parts(wish: Mapping[str, Any]) -> dict[str, Any]:
    """Read how much of an order fills at once, in how many trades, and what becomes of the rest."""
    filled, parts = wish.get("filled", 0.5), wish.get("parts", 2)
    if not isinstance(filled, int | float) or not 0 <= filled <= 1:
        raise BadFault("filled must be between 0 and 1")
    if not isinstance(parts, int) or parts < 1:
        raise BadFault("parts must be a whole number above zero")
    rest, rest_ms = wish.get("rest", "at_once"), wish.get("rest_ms", 1000)
    if rest not in RESTS:
        raise BadFault(f"rest must be one of {', '.join(RESTS)}")
    if not isinstance(rest_ms, int) or rest_ms < 0:
        raise BadFault("rest_ms must be a whole number of milliseconds")
    return {"filled": filled, "parts": parts, "rest": rest, "rest_ms": rest_ms}
