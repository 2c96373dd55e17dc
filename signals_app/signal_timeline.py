"""A signal laid out for reading: what came in, how it was understood, what became of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from audit import timeline
from audit.models import Event
from foundation.readable import text
from signals_app.models import Signal
from trading.models import Decision

SHOWN_BYTES = 16 * 1024
# Control characters and those that turn the reading direction would let a payload lie about itself.
_HIDDEN = {
    code: f"\\x{code:02x}" for code in (*range(9), 11, 12, *range(14, 32), *range(127, 160))
} | {
    code: f"\\u{code:04x}"
    for code in (*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF)
}


@dataclass(frozen=True, slots=True)
class Story:
    signal: Signal
    raw: str
    is_whole: bool
    draft: list[tuple[str, str]]
    decision: Decision | None
    events: list[Event] = field(default_factory=list)


def of(signal: Signal) -> Story:
    return Story(
        signal=signal,
        raw=readable(bytes(signal.raw)),
        is_whole=signal.raw_length <= min(len(signal.raw), SHOWN_BYTES),
        draft=_understood(signal.draft),
        decision=signal.decision,
        events=timeline.of_signal(signal.uid),
    )


def readable(raw: bytes) -> str:
    """Return bytes as they came, as text in which nothing is invisible."""
    return raw[:SHOWN_BYTES].decode("utf-8", "backslashreplace").translate(_HIDDEN)


def _understood(draft: dict[str, Any] | None) -> list[tuple[str, str]]:
    lines = []
    for name, value in (draft or {}).items():
        if value in (None, "", [], {}):
            continue
        said = text(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        lines.append((name, said.translate(_HIDDEN)))
    return lines
