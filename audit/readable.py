"""Records laid out for reading."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def pairs(record: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """Lay out a record, leaving out what it does not say; nested records become paths."""
    found: list[tuple[str, str]] = []
    for name, value in (record or {}).items():
        if isinstance(value, Mapping):
            found += [(f"{name}.{below}", text) for below, text in pairs(value)]
        elif isinstance(value, list):
            found += [(name, ", ".join(str(v) for v in value))] if value else []
        elif value is not None and value != "":
            found.append((name, str(value)))
    return found
