"""Equity over a run as a column, and how far it has fallen by the rules' own reckoning.

Marks are floats, one for each look (a candle's close); a stretch in which nothing was traded is
one array operation. Money in the books stays Decimal.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np

from exchanges.domain.candles import DAY_MS, Floats, Integers, opened_at
from trading.domain import equity
from trading.domain.equity import Course, Falls, Worth

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(at_ms: int) -> datetime:
    return EPOCH + timedelta(milliseconds=at_ms)


class Curve:
    """`marks` are prices at the looks, `looked_ms` when those were."""

    def __init__(self, looked_ms: Integers, marks: Floats, cash: Decimal) -> None:
        self.equity: Floats = np.empty(len(marks))
        self.held: Floats = np.zeros(len(marks))
        self._looked_ms = looked_ms
        self._marks = marks
        self._capital = float(cash)
        self._cash, self._base = float(cash), 0.0
        self._done = 0
        self._high, self._high_at = self._capital, 0

    def change(self, at: int, cash: Decimal, base: Decimal) -> None:
        """Have other money from look `at` on."""
        self.fill_to(at)
        self._cash, self._base = float(cash), float(base)

    def fill_to(self, stop: int) -> None:
        """Mark the looks before `stop`."""
        start = self._done
        if stop <= start:
            return
        marked = self._cash + self._base * self._marks[start:stop]
        self.equity[start:stop] = marked
        self.held[start:stop] = self._base
        best = int(np.argmax(marked))
        if marked[best] > self._high:
            self._high, self._high_at = float(marked[best]), start + best
        self._done = stop

    def falls(self, at: int) -> tuple[Decimal, Falls]:
        """Return equity at look `at` and the losses of day, week and from the best, in percent."""
        self.fill_to(at + 1)
        now_ms = int(self._looked_ms[at])
        now = moment(now_ms)
        here = float(self.equity[at])
        day_ms, week_ms = now_ms - now_ms % DAY_MS, opened_at("1w", now_ms)
        course = Course(
            seen_at=now,
            base=_exact(self._capital),
            profit=_exact(here - self._capital),
            day=now.date(),
            day_profit=_exact(self._before(day_ms) - self._capital),
            week=now.date() - timedelta(days=now.weekday()),
            week_profit=_exact(self._before(week_ms) - self._capital),
            high_profit=_exact(self._high - self._capital),
            high_at=now,
        )
        worth = Worth(_exact(here), _exact(here - self._capital))
        return worth.equity, equity.falls(course, worth)

    def _before(self, at_ms: int) -> float:
        """Return the equity of the last look before a moment, which a day is reckoned from."""
        index = int(np.searchsorted(self._looked_ms, at_ms, side="left")) - 1
        return float(self.equity[index]) if index >= 0 else self._capital


def _exact(value: float) -> Decimal:
    return Decimal(repr(round(value, 8)))
