"""What a candle must be before it is kept: whole columns are looked at, one row is named."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from exchanges.domain.candles import FIRST_MONDAY_MS, Candle, Candles, length_ms

Flags = NDArray[np.bool_]
PRICES = ("open", "high", "low", "close")
VOLUMES = ("volume", "quote_volume", "taker_volume", "taker_quote_volume")
MOST_TRADES = 2**31 - 1
LAST_MS = 4_102_444_800_000  # 2100: a time beyond is one in other units


class BadCandle(ValueError):
    """A candle that cannot be: `row` counts from 0, `field` is the column."""

    def __init__(self, row: int, field: str, value: object, why: str) -> None:
        self.row, self.field, self.value = row, field, value
        super().__init__(f"row {row}, {field} = {value!r}: {why}")


class UnclosedCandle(BadCandle):
    """A candle that still changes."""


def check(candles: Candles, *, now_ms: int) -> None:
    """Raise BadCandle for the first row that is no closed candle of its interval."""
    first: tuple[int, str, str] | None = None
    for field, bad, why in _rules(candles):
        if bad.any():
            row = int(np.argmax(bad))
            if first is None or row < first[0]:
                first = (row, field, why)
    if first is not None:
        row, field, why = first
        raise BadCandle(row, field, getattr(candles, field)[row].item(), why)
    open_still = candles.opened_ms + length_ms(candles.interval) > now_ms
    if open_still.any():
        row = int(np.argmax(open_still))
        opened = candles.opened_ms[row].item()
        raise UnclosedCandle(row, "opened_ms", opened, f"not closed at {now_ms}")


def check_order(candles: Candles) -> None:
    """Raise BadCandle when a row does not open later than the one before."""
    back = np.diff(candles.opened_ms) <= 0
    if back.any():
        row = int(np.argmax(back)) + 1
        opened = candles.opened_ms
        why = f"not later than the row before ({opened[row - 1].item()})"
        raise BadCandle(row, "opened_ms", opened[row].item(), why)


def in_order(candles: Candles) -> Candles:
    """Return candles sorted by time; of two for one moment the later row stays."""
    opened = candles.opened_ms
    if len(opened) < 2 or (np.diff(opened) > 0).all():
        return candles
    order = np.argsort(opened, kind="stable")
    ordered = opened[order]
    order = order[np.append(ordered[1:] != ordered[:-1], True)]
    columns = {name: getattr(candles, name)[order] for name in Candle._fields}
    return Candles(candles.symbol, candles.interval, **columns)


def _rules(candles: Candles) -> Iterator[tuple[str, Flags, str]]:
    length = length_ms(candles.interval)
    offset = FIRST_MONDAY_MS if candles.interval == "1w" else 0
    opened = candles.opened_ms
    yield "opened_ms", (opened < 0) | (opened >= LAST_MS), "no time in ms between 1970 and 2100"
    yield "opened_ms", (opened - offset) % length != 0, f"no {candles.interval} candle opens then"
    for name in PRICES:
        column = getattr(candles, name)
        yield name, ~(np.isfinite(column) & (column > 0)), "not a finite number above 0"
    for name in VOLUMES:
        column = getattr(candles, name)
        yield name, ~(np.isfinite(column) & (column >= 0)), "not a finite number of at least 0"
    top = np.maximum(candles.open, candles.close)
    bottom = np.minimum(candles.open, candles.close)
    yield "high", candles.high < np.maximum(top, candles.low), "below open, low or close"
    yield "low", candles.low > bottom, "above open or close"
    trades = candles.trades
    yield "trades", (trades < 0) | (trades > MOST_TRADES), "not a count"
