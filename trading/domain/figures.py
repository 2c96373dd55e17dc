"""Figures as people read them, refusals with their numbers, and division that never rounds up."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_DOWN, Context, Decimal

ZERO = Decimal(0)
_DOWN = Context(prec=28, rounding=ROUND_DOWN)
_SHOWN_PLACES = -12
_LAST_SHOWN = Decimal(1).scaleb(_SHOWN_PLACES)

Arithmetic = tuple[tuple[str, str], ...]  # (what it is, how it was reckoned), in reading order


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something cannot be: CATEGORY_CONDITION with the limit and the actual value."""

    code: str
    limit: str = ""
    actual: str = ""
    detail: str = ""


def divide_down(dividend: Decimal, divisor: Decimal) -> Decimal:
    """Divide positive figures so that the result times `divisor` never exceeds `dividend`."""
    return _DOWN.divide(dividend, divisor)


def plain(value: Decimal | int | None) -> str:
    """Write a figure without exponent or trailing zeros, cut at 12 decimals; None is 'unknown'."""
    if value is None:
        return "unknown"
    if isinstance(value, int):
        return str(value)
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent < _SHOWN_PLACES:
        value = _DOWN.quantize(value, _LAST_SHOWN)
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("", "-0") else text
