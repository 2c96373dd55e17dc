"""Keep a SignalDraft in a JSON column: Decimals as plain text, times as ISO-8601 in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from signals_app.payload.draft import Action, SignalDraft

_DECIMALS = frozenset(
    {
        "confidence",
        "price",
        "current_price",
        "stop_price",
        "quantity",
        "quote_quantity",
        "stop_loss",
        "take_profit",
        "atr",
    }
)


def to_jsonable(draft: SignalDraft) -> dict[str, Any]:
    """Return a mapping `json.dumps` takes as it is; `from_jsonable` gives the draft back."""
    return {field.name: _plain(getattr(draft, field.name)) for field in fields(draft)}


def from_jsonable(data: Mapping[str, Any]) -> SignalDraft:
    """Return the draft `to_jsonable` was given; fields added since then take their defaults."""
    known = {field.name for field in fields(SignalDraft)}
    kept = {name: value for name, value in data.items() if name in known}
    for name in _DECIMALS & kept.keys():
        kept[name] = None if kept[name] is None else Decimal(kept[name])
    kept["action"] = Action(kept["action"])
    kept["emitted_at"] = datetime.fromisoformat(kept["emitted_at"])
    kept["notes"] = tuple(kept.get("notes", ()))
    return SignalDraft(**kept)


def context(value: Any) -> Any:
    """Return free-form values with Decimals as JSON numbers, or as text where that loses digits."""
    match value:
        case Mapping():
            return {key: context(item) for key, item in value.items()}
        case list():
            return [context(item) for item in value]
        case Decimal():
            near = float(value)
            exact = abs(near) != float("inf") and Decimal(repr(near)) == value
            return near if exact else str(value)
    return value


def _plain(value: Any) -> Any:
    match value:
        case Decimal():
            return format(value, "f")
        case datetime():
            return value.astimezone(UTC).isoformat()
        case Action():
            return str(value)
        case tuple():
            return list(value)
    return value
