"""Protective levels of a long position: where they come from, and on which side they must lie.

Source, first that applies: the signal's own level; the account's percent when the signal asks for
the default; ATR when the signal gave one; the account's percent when the account requires a stop.
A flag of false means 'no automatic level', which `require_stop` overrules. A target stays optional.

The account's percent is the default, not a bound: a signal may name a nearer stop or a farther one,
up to `max_stop_loss_pct` where that is set. It binds every stop, whoever named it.

A level is put on the price grid towards the entry: the stop up, so that the loss is no larger
than asked, the target down, so that it is reached no later. A grid too coarse for that refuses.

A level the sender named is a price. A default one is a distance from the price paid: it is planned
on the expected fill, and set again from the average fill (`EntryLevels.at`). A limit of 51,000 that
buys at 49,990 with a default of 2 % gets its stop at 48,990.2, not 2 % below its limit.

    EntryLevels.at      what one entry asks for, once it is known what it paid
    after_entry         what the position is protected at after an entry, or a part of one
    without_own         the position's stop before an entry whose average has come down
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from exchanges.domain.instruments import Range
from trading.domain.figures import Arithmetic, Refusal, plain
from trading.domain.levels import Distance
from trading.domain.risk.types import Limits

_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Levels:
    """Levels on the price grid, quote units; None where none was asked for.

    A distance is there for a default level only: such a level follows the average fill.
    """

    stop_loss: Decimal | None
    take_profit: Decimal | None
    arithmetic: Arithmetic
    stop_distance: Distance | None = None
    target_distance: Distance | None = None


@dataclass(frozen=True, slots=True)
class _Level:
    price: Decimal
    formula: str
    distance: Distance | None = None  # of a default level


def plan_levels(
    *,
    entry: Decimal,
    stop_below: Decimal,
    target_above: Decimal,
    stop_asked: Decimal | None,
    target_asked: Decimal | None,
    use_default_stop: bool | None,
    use_default_target: bool | None,
    atr: Decimal | None,
    limits: Limits,
    grid: Range,
) -> Levels | Refusal:
    """Plan stop and target of a long entry that is expected to pay `entry`.

    The stop must lie below `stop_below` and the target above `target_above`: the entry itself, or
    the bid and ask when the market is already beyond it, since a level the market has passed
    fires at once. A level of zero or less is refused, never read as 'not given'.
    """
    if atr is not None and atr <= 0:
        return Refusal("ATR_INVALID", "above 0", plain(atr))
    stop = _stop(entry, stop_asked, use_default_stop, atr, limits)
    target = _target(entry, target_asked, use_default_target, atr, limits)
    on_grid = grid.ceil(stop.price) if stop else None
    problem = _check("STOP", on_grid, stop, below=stop_below)
    if problem:
        return problem
    target_on_grid = grid.floor(target.price) if target else None
    problem = _check("TARGET", target_on_grid, target, above=target_above)
    if problem:
        return problem
    lines = (
        ("entry", plain(entry)),
        ("stop", _line(on_grid, stop)),
        ("target", _line(target_on_grid, target)),
    )
    return Levels(
        on_grid,
        target_on_grid,
        lines,
        stop_distance=stop.distance if stop else None,
        target_distance=target.distance if target else None,
    )


def too_wide(entry: Decimal, stop: Decimal | None, most: Decimal) -> Refusal | None:
    """Refuse a stop further than `most` percent below the entry; zero is no limit.

    It is not drawn nearer: a trade with another stop is another trade than the one asked for.
    """
    if not most or stop is None or entry - stop <= entry * most / _HUNDRED:
        return None
    actual = (entry - stop) / entry * _HUNDRED
    return Refusal("STOP_TOO_WIDE", f"{plain(most)}%", f"{plain(actual)}%", f"stop {plain(stop)}")


def _stop(
    entry: Decimal, asked: Decimal | None, default: bool | None, atr: Decimal | None, limits: Limits
) -> _Level | None:
    if asked is not None:
        return _Level(asked, "from the signal")
    percent = Distance(limits.stop_loss_pct, is_percent=True)
    if default:
        return _below(entry, percent, f"{plain(percent.value)}%")
    if atr is not None and (default is None or limits.require_stop):
        multiple = limits.atr_stop_multiple
        formula = f"{plain(multiple)} x ATR {plain(atr)}"
        return _below(entry, Distance(multiple * atr, is_percent=False), formula)
    return _below(entry, percent, f"{plain(percent.value)}%") if limits.require_stop else None


def _below(entry: Decimal, distance: Distance, formula: str) -> _Level:
    return _Level(entry - distance.of(entry), f"{plain(entry)} - {formula}", distance)


def _above(entry: Decimal, distance: Distance, formula: str) -> _Level:
    return _Level(entry + distance.of(entry), f"{plain(entry)} + {formula}", distance)


def _target(
    entry: Decimal, asked: Decimal | None, default: bool | None, atr: Decimal | None, limits: Limits
) -> _Level | None:
    if asked is not None:
        return _Level(asked, "from the signal")
    if default:
        pct = limits.take_profit_pct
        return _above(entry, Distance(pct, is_percent=True), f"{plain(pct)}%")
    if atr is not None and default is None:
        multiple = limits.atr_target_multiple
        formula = f"{plain(multiple)} x ATR {plain(atr)}"
        return _above(entry, Distance(multiple * atr, is_percent=False), formula)
    return None


def _check(
    name: str,
    on_grid: Decimal | None,
    level: _Level | None,
    *,
    below: Decimal | None = None,
    above: Decimal | None = None,
) -> Refusal | None:
    if on_grid is None or level is None:
        return None
    if level.price <= 0 or on_grid <= 0:
        return Refusal(f"{name}_INVALID", "above 0", plain(level.price), level.formula)
    if below is not None and on_grid >= below:
        return Refusal(f"{name}_WRONG_SIDE", f"below {plain(below)}", plain(on_grid), level.formula)
    if above is not None and on_grid <= above:
        return Refusal(f"{name}_WRONG_SIDE", f"above {plain(above)}", plain(on_grid), level.formula)
    return None


def _line(on_grid: Decimal | None, level: _Level | None) -> str:
    if on_grid is None or level is None:
        return "none"
    return f"{level.formula} -> {plain(on_grid)}"
