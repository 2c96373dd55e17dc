"""Stop and target of a position: how far from the price paid, and what another entry changes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from exchanges.domain.instruments import Range

_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Distance:
    """How far a default level lies from the price paid: percent of it, or quote units."""

    value: Decimal
    is_percent: bool

    def of(self, paid: Decimal) -> Decimal:
        return paid * self.value / _HUNDRED if self.is_percent else self.value

    def __str__(self) -> str:
        """Write it exactly, as orders carry it: 2% or 150.25."""
        return format(self.value, "f") + ("%" if self.is_percent else "")

    @classmethod
    def read(cls, text: str) -> Distance | None:
        """Read what `str` wrote; None for the empty text of a level that was named."""
        return cls(Decimal(text.removesuffix("%")), text.endswith("%")) if text else None


@dataclass(frozen=True, slots=True)
class Bracket:
    """Stop and target in force, quote units; None where there is none."""

    stop: Decimal | None = None
    target: Decimal | None = None


@dataclass(frozen=True, slots=True)
class EntryLevels:
    """What an entry wants its position protected at: as planned, and how far from the fill."""

    stop: Decimal | None = None
    target: Decimal | None = None
    stop_distance: Distance | None = None
    target_distance: Distance | None = None

    def at(self, paid: Decimal, grid: Range) -> Bracket:
        """Return the levels of an entry that paid `paid` on average: named ones stay."""
        stop, target = self.stop, self.target
        if self.stop_distance is not None:
            level = paid - self.stop_distance.of(paid)
            on_grid = grid.ceil(level)
            # Rounding towards the entry must not reach it: a tick farther, then.
            on_grid = on_grid if on_grid < paid else grid.floor(level)
            stop = on_grid if on_grid > 0 and grid.contains(on_grid) else stop
        if self.target_distance is not None:
            level = paid + self.target_distance.of(paid)
            on_grid = grid.floor(level)
            on_grid = on_grid if on_grid > paid else grid.ceil(level)
            target = on_grid if grid.contains(on_grid) else target
        return Bracket(stop, target)


def after_entry(held: Bracket, own: Bracket, *, paid: Decimal) -> Bracket:
    """Return what a position is protected at after an entry that wants `own`; `paid` is the
    cheapest of its fills, so that it makes no difference in how many parts they are told.

    Adding to a long position may raise its stop, never lower it, and an entry without a stop keeps
    the one there is. A stop at or above what was just paid protects nothing any more: it would
    sell at once what has just been bought. It gives way to the entry's own stop, never to none.
    """
    target = held.target if own.target is None else own.target
    if held.stop is None or own.stop is None:
        return Bracket(own.stop if held.stop is None else held.stop, target)
    stop = own.stop if held.stop >= paid else max(held.stop, own.stop)
    return Bracket(stop, target)


def without_own(
    held: Decimal | None, *, was: Decimal | None, now: Decimal | None, others: Iterable[Decimal]
) -> Decimal | None:
    """Return the stop an entry's new level is held against.

    A later part at a lower price brings the entry's own level down, from `was` to `now`. When
    `was` is what the position had, what counts is the highest stop the other entries asked for.
    """
    if held is None or was is None or now is None or held != was or now >= was:
        return held
    return max(others, default=None)
