"""How much to trade. A size is never rounded up, never lifted to a minimum, and every cap on it
is written down.

    percent of balance   free_quote x position_pct x confidence / price
    fixed quote          default_quote_amount / price
    quote amount         amount / price
    base quantity        amount, capped like any other
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from trading.domain.figures import ZERO, Arithmetic, Refusal, divide_down, plain
from trading.domain.intents import SizeMode, SizingIntent
from trading.domain.risk.types import Limits, SizingModel

_VENUE_CAP = "cap: largest order of the venue"


@dataclass(frozen=True, slots=True)
class Size:
    """A quantity in base units, before the venue's grid. `asked` is the size before any cap."""

    quantity: Decimal
    asked: Decimal
    arithmetic: Arithmetic


def size_entry(
    sizing: SizingIntent,
    *,
    confidence: Decimal,
    price: Decimal,
    limits: Limits,
    available_quote: Decimal | None,
    max_quantity: Decimal,
    committed_quantity: Decimal,
) -> Size | Refusal:
    """Size an entry at `price` (quote units per base unit).

    `available_quote` is the free quote balance not promised elsewhere, None when unknown;
    `max_quantity` the most one order may have (zero: not limited); `committed_quantity` what is
    held or on order already, base units. The account's `max_position_notional` caps the size to
    the room that is left; where there is no room at all nothing is capped, and the rule on
    position notional denies with the whole figure.
    """
    asked = _asked(sizing, confidence, price, limits, available_quote)
    if isinstance(asked, Refusal):
        return asked
    quantity, lines = asked
    caps = [(_VENUE_CAP, max_quantity)]
    if limits.max_position_notional:
        room = limits.max_position_notional - committed_quantity * price
        caps.append(
            (
                f"cap: room under position notional {plain(limits.max_position_notional)}",
                divide_down(room, price) if room > 0 else ZERO,
            )
        )
    return _capped(quantity, lines, caps)


def size_exit(
    sizing: SizingIntent,
    *,
    sells_all: bool,
    sellable: Decimal,
    price: Decimal | None,
    max_quantity: Decimal,
) -> Size | Refusal:
    """Size a sale of what is held; never more than `sellable` (base units).

    `price` values a quote amount; it is None when the market is unknown. A reduce that names no
    size sells all.
    """
    if sells_all or sizing.mode is SizeMode.DEFAULT:
        return _capped(
            sellable, (("sell", f"all of {plain(sellable)}"),), [(_VENUE_CAP, max_quantity)]
        )
    asked = _explicit(sizing, price)
    if isinstance(asked, Refusal):
        return asked
    quantity, lines = asked
    return _capped(
        quantity, lines, [("cap: held and free to sell", sellable), (_VENUE_CAP, max_quantity)]
    )


def _asked(
    sizing: SizingIntent,
    confidence: Decimal,
    price: Decimal,
    limits: Limits,
    available_quote: Decimal | None,
) -> tuple[Decimal, Arithmetic] | Refusal:
    if sizing.mode is not SizeMode.DEFAULT:
        return _explicit(sizing, price)
    if limits.sizing_model is SizingModel.FIXED_QUOTE:
        return _explicit(SizingIntent(SizeMode.QUOTE_AMOUNT, limits.default_quote_amount), price)
    if available_quote is None:
        return Refusal("BALANCE_UNKNOWN", "known", "unknown", "the size is a part of the balance")
    if available_quote <= 0:
        return Refusal("BALANCE_INSUFFICIENT", "0", plain(available_quote), "nothing free to use")
    amount = available_quote * limits.position_pct * confidence
    quantity = divide_down(amount, price)
    formula = (
        f"{plain(available_quote)} free x {plain(limits.position_pct)} of balance"
        f" x {plain(confidence)} confidence / {plain(price)}"
    )
    return quantity, (
        ("percent of balance", formula),
        ("amount", plain(amount)),
        ("asked", plain(quantity)),
    )


def _explicit(sizing: SizingIntent, price: Decimal | None) -> tuple[Decimal, Arithmetic] | Refusal:
    amount = sizing.amount
    if amount is None or amount <= 0:
        return Refusal("SIZE_INVALID", "above 0", plain(amount))
    if sizing.mode is SizeMode.BASE_QUANTITY:
        return amount, (("base quantity", plain(amount)),)
    if price is None:
        return Refusal("QUOTE_UNKNOWN", "known", "unknown", "a quote amount needs a price")
    quantity = divide_down(amount, price)
    formula = f"{plain(amount)} / {plain(price)}"
    return quantity, (("quote amount", formula), ("asked", plain(quantity)))


def _capped(asked: Decimal, lines: Arithmetic, caps: list[tuple[str, Decimal]]) -> Size:
    """Apply every cap that bites; a cap of zero does not limit."""
    quantity, notes = asked, list(lines)
    for name, cap in caps:
        if cap and cap < quantity:
            notes.append((name, f"{plain(quantity)} -> {plain(cap)}"))
            quantity = cap
    return Size(quantity, asked, tuple(notes))
