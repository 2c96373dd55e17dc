"""Records laid out for reading."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d(?:\.\d+)?)(?:Z|\+00:00)")


def pairs(record: Mapping[str, Any] | None, most: int | None = None) -> list[tuple[str, str]]:
    """Lay out a record, leaving out what it does not say; nested records become paths. Of a list
    longer than `most`, the first ones are told and how many more there are."""
    found: list[tuple[str, str]] = []
    for name, value in (record or {}).items():
        if isinstance(value, Mapping):
            found += [(f"{name}.{below}", said) for below, said in pairs(value, most)]
        elif isinstance(value, list):
            found += [(name, _listed(value, most))] if value else []
        elif value is not None and value != "":
            found.append((name, text(value)))
    return found


def _listed(values: list[Any], most: int | None) -> str:
    told = ", ".join(str(value) for value in values[:most])
    left = len(values) - len(values[:most])
    return f"{told} and {left} more" if left else told


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
