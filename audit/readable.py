"""Records laid out for reading."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d(?:\.\d+)?)(?:Z|\+00:00)")


def pairs(record: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """Lay out a record, leaving out what it does not say; nested records become paths."""
    found: list[tuple[str, str]] = []
    for name, value in (record or {}).items():
        if isinstance(value, Mapping):
            found += [(f"{name}.{below}", said) for below, said in pairs(value)]
        elif isinstance(value, list):
            found += [(name, ", ".join(str(v) for v in value))] if value else []
        elif value is not None and value != "":
            found.append((name, text(value)))
    return found


def text(value: Any) -> str:
    """Write one value; a moment in UTC as people write it."""
    moment = _MOMENT.fullmatch(str(value))
    return " ".join(moment.groups()) if moment else str(value)


def number(value: Decimal | None) -> str:
    """Show a decimal with every digit it has and no exponent."""
    return "–" if value is None else f"{value:,f}"


def short(value: Decimal | None) -> str:
    """Show a decimal for a list: rounded to eight places, more than any venue trades in."""
    return "–" if value is None else f"{value:,.8f}".rstrip("0").rstrip(".")
