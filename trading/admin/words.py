"""Colours of states in the admin, and records laid out for reading."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from foundation.readable import pairs, text
from trading.domain.order_states import OrderStatus
from trading.domain.risk.types import TradingMode
from trading.models import Decision
from trading.services.risk import decision_record

ORDER_COLOURS = {
    OrderStatus.NEW.value: "info",
    OrderStatus.SUBMITTING.value: "warning",
    OrderStatus.PENDING.value: "info",
    OrderStatus.OPEN.value: "info",
    OrderStatus.PARTIALLY_FILLED.value: "primary",
    OrderStatus.FILLED.value: "success",
    OrderStatus.REJECTED.value: "danger",
}
SIDE_COLOURS = {"BUY": "success", "SELL": "danger"}
MODE_COLOURS = {
    TradingMode.REDUCE_ONLY.value: "warning",
    TradingMode.HALTED.value: "danger",
    TradingMode.CANCEL_OPEN.value: "danger",
    TradingMode.FLATTEN.value: "danger",
}
DECISION_COLOURS = {"approved": "success", "denied": "warning"}


@dataclass(frozen=True, slots=True)
class VerdictLine:
    rule: str
    word: str  # passed, failed or skipped
    code: str
    message: str
    limit: str
    actual: str
    inputs: list[tuple[str, str]]


def verdict_lines(verdicts: Iterable[Mapping[str, Any]]) -> list[VerdictLine]:
    """Read stored verdicts as lines of a table, in the order the rules were asked."""
    return [
        VerdictLine(
            rule=str(v.get("rule", "")).replace("_", " "),
            word="skipped" if v.get("skipped") else "passed" if v.get("passed") else "failed",
            code=str(v.get("code", "")),
            message=without_code(str(v.get("message", "")), str(v.get("code", ""))),
            limit=str(v.get("limit", "")),
            actual=str(v.get("actual", "")),
            inputs=[(str(name), text(value)) for name, value in v.get("inputs", []) if value != ""],
        )
        for v in verdicts
    ]


def without_code(message: str, code: str) -> str:
    """Return what a message says beyond the code it begins with."""
    return message.removeprefix(f"{code}: ") if code else message


def spread_out(decision: Decision) -> dict[str, Any]:
    """Return what a decision itself says, stored or not, laid out for reading."""
    arithmetic = decision.arithmetic or {}
    return {
        "decision": decision,
        "objection": without_code(decision.message, decision.code),
        "verdicts": verdict_lines(decision.verdicts or []),
        "intent": pairs(decision.intent),
        "plan": pairs(decision.plan),
        "sizing": pairs(arithmetic.get("sizing")),
        "levels": pairs(arithmetic.get("levels")),
        "seen": pairs(decision_record.in_short(decision.market)),
    }
