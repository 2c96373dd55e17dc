"""What strategies ask of the market, told by those who know them.

This app knows no strategy's settings: who does registers a teller at the start of the program, and
is asked each time, so that what it says is never old.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Need:
    """`min_spread_bps`: a strategy signals from this spread on, in basis points; `how` says how to
    have it signal from a narrower one."""

    min_spread_bps: Decimal
    how: str = ""


Teller = Callable[[], Mapping[str, Need]]
_tellers: list[Teller] = []


def register(teller: Teller) -> None:
    """Have `teller` asked for needs by strategy id; registering it twice is once."""
    if teller not in _tellers:
        _tellers.append(teller)


def told() -> dict[str, Need]:
    """Return what every teller says now."""
    found: dict[str, Need] = {}
    for teller in _tellers:
        found |= teller()
    return found
