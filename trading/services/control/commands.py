"""Stopping trading by a message: read a command, engage, say what holds. It never releases.

Whoever may send on the channel may stop trading, as whoever may send signals may trade. Every
command leaves a line in the trail: what it engaged, or why it was refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import transaction
from django.utils import timezone

from audit import trail
from trading.domain.risk.types import TradingMode
from trading.models import TradingState
from trading.services.control import kill_switch

FIELDS = ("command", "level", "scope", "key", "reason", "by", "expires_in")
COMMANDS = ("stop", "status")
LONGEST_SECONDS = 366 * 24 * 3600
LONGEST_NAME = 100
KEPT_CHARACTERS = 500


class Refused(Exception):
    """A command that was not understood. Nothing was engaged."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


@dataclass(frozen=True, slots=True)
class Stop:
    """How much to stop, where, why, and for how many seconds (None: until it is released)."""

    level: TradingMode
    scope: str
    key: str
    reason: str
    expires_in: Decimal | None = None


def read(payload: Any) -> tuple[str, str, Stop | None]:
    """Read a command: its word, who sends it, and what to stop. Raises Refused naming a field."""
    if not isinstance(payload, dict):
        raise Refused("command", 'send an object, such as {"command": "stop", "by": "ann"}')
    for name in payload:
        if name not in FIELDS:
            raise Refused(str(name)[:50], f"there is no such field; there are {', '.join(FIELDS)}")
    word = _text(payload, "command", most=20)
    if word not in COMMANDS:
        raise Refused("command", f"choose one of {', '.join(COMMANDS)}")
    by = _text(payload, "by", most=LONGEST_NAME)
    if not by:
        raise Refused("by", "say who sends it")
    return word, by, _stop(payload, by) if word == "stop" else None


def _stop(payload: Mapping[str, Any], by: str) -> Stop:
    try:
        level = kill_switch.level(_text(payload, "level", most=20).upper() or "HALTED")
    except ValueError as error:
        raise Refused("level", str(error)) from None
    scope = _text(payload, "scope", most=16) or TradingState.Scope.GLOBAL.value
    if scope not in TradingState.Scope.values:
        raise Refused("scope", f"choose one of {', '.join(TradingState.Scope.values)}")
    key = kill_switch.spelled(scope, _text(payload, "key", most=100))
    if fault := kill_switch.fault_of_key(scope, key):
        raise Refused("key", fault)
    reason = _text(payload, "reason", most=500) or f"stopped by {by}"
    return Stop(level, scope, key, reason, _seconds(payload.get("expires_in")))


def _text(payload: Mapping[str, Any], name: str, *, most: int) -> str:
    value = payload.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Refused(name, "write it as text")
    if len(value) > most:
        raise Refused(name, f"at most {most} characters")
    if any(not c.isprintable() for c in value):
        raise Refused(name, "only characters that can be printed")
    return value.strip()


def _seconds(value: Any) -> Decimal | None:
    if value is None:
        return None
    try:
        seconds = Decimal(str(value)) if not isinstance(value, bool) else Decimal("NaN")
    except InvalidOperation:
        seconds = Decimal("NaN")
    if not seconds.is_finite() or not 0 < seconds <= LONGEST_SECONDS:
        raise Refused("expires_in", f"seconds, above 0 and at most {LONGEST_SECONDS}")
    return seconds


def stop(asked: Stop, *, actor: str) -> TradingState:
    """Engage what a command asks for."""
    until = (
        timezone.now() + timedelta(seconds=float(asked.expires_in)) if asked.expires_in else None
    )
    return kill_switch.engage(
        actor=actor[:150],
        reason=asked.reason,
        mode=asked.level,
        scope=asked.scope,
        key=asked.key,
        expires_at=until,
    )


def note(kind: str, *, actor: str, data: Mapping[str, Any]) -> None:
    """Leave a line for a command that engaged nothing."""
    with transaction.atomic():
        trail.record(
            trail.Entry(
                kind=kind, actor=actor[:150] or "unknown", subject_type="command", data=dict(data)
            )
        )


def status(now: datetime) -> dict[str, Any]:
    """Return what holds everywhere, and every stop in force."""
    states = list(kill_switch.in_force(now).order_by("engaged_at"))
    everywhere = [TradingMode(s.mode) for s in states if s.scope == TradingState.Scope.GLOBAL]
    strictest = max(everywhere, key=kill_switch.STRICTNESS.__getitem__, default=TradingMode.ACTIVE)
    return {"mode": strictest.value, "states": [facts(state) for state in states]}


def facts(state: TradingState) -> dict[str, Any]:
    return {
        "id": state.pk,
        "mode": state.mode,
        "scope": state.scope,
        "key": state.key,
        "reason": state.reason,
        "engaged_by": state.engaged_by,
        "engaged_at": state.engaged_at.isoformat(),
        "expires_at": state.expires_at.isoformat() if state.expires_at else None,
    }
