"""What an account is worth, and how far that fell: today, this week, and from its best.

Money is quote units. Profit is realised and open profit together, net of fees; it does not change
when money is put in or taken out, so neither looks like a win or a loss.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

ZERO = Decimal(0)
HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Books:
    """One position's books. `mark` is the price it is valued at, None when nobody knows it."""

    quantity: Decimal
    average_entry_price: Decimal
    realised_pnl: Decimal
    mark: Decimal | None


@dataclass(frozen=True, slots=True)
class Worth:
    """An account at one moment: `equity` is the money put in and `profit` together."""

    equity: Decimal
    profit: Decimal

    @property
    def base(self) -> Decimal:
        """The money put in."""
        return self.equity - self.profit


@dataclass(frozen=True, slots=True)
class Course:
    """Where the profit stood last, when the day and the week began, and at its highest."""

    seen_at: datetime
    base: Decimal
    profit: Decimal
    day: date
    day_profit: Decimal
    week: date  # its Monday
    week_profit: Decimal
    high_profit: Decimal
    high_at: datetime


@dataclass(frozen=True, slots=True)
class Falls:
    """Losses in percent of what the account was worth before them; zero where there is none."""

    daily: Decimal
    weekly: Decimal
    drawdown: Decimal


def profit_of(books: Iterable[Books]) -> Decimal | None:
    """Add up realised and open profit; None when something held has no known price."""
    total = ZERO
    for one in books:
        total += one.realised_pnl
        if one.quantity:
            if one.mark is None:
                return None
            total += one.quantity * (one.mark - one.average_entry_price)
    return total


def cash_of(capital: Decimal, books: Iterable[Books]) -> Decimal:
    """What is left of `capital` in money: all realised profit added, what is held paid for."""
    spent = sum((one.quantity * one.average_entry_price - one.realised_pnl for one in books), ZERO)
    return capital - spent


def follow(course: Course | None, worth: Worth, *, now: datetime, desk: ZoneInfo) -> Course:
    """Return the course with one more look at it.

    A new day starts from the last look before it, so that what happened while nobody looked counts
    to the day it was found out on, and to no day's favour.
    """
    local = now.astimezone(desk).date()
    monday = local - timedelta(days=local.weekday())
    if course is None:
        start = worth.profit
        return Course(now, worth.base, start, local, start, monday, start, start, now)
    if now < course.seen_at:
        return course
    is_high = worth.profit > course.high_profit
    return replace(
        course,
        seen_at=now,
        base=worth.base,
        profit=worth.profit,
        day=max(local, course.day),
        day_profit=course.day_profit if local <= course.day else course.profit,
        week=max(monday, course.week),
        week_profit=course.week_profit if monday <= course.week else course.profit,
        high_profit=worth.profit if is_high else course.high_profit,
        high_at=now if is_high else course.high_at,
    )


def falls(course: Course, worth: Worth) -> Falls:
    """Reckon the losses of `worth` against its course."""
    return Falls(
        daily=_fall(course.day_profit, worth),
        weekly=_fall(course.week_profit, worth),
        drawdown=_fall(course.high_profit, worth),
    )


def _fall(from_profit: Decimal, worth: Worth) -> Decimal:
    lost = from_profit - worth.profit
    if lost <= 0:
        return ZERO
    before = worth.base + from_profit
    return lost / before * HUNDRED if before > 0 else HUNDRED


def end_of_day(now: datetime, desk: ZoneInfo) -> datetime:
    """Return the desk's next midnight."""
    tomorrow = now.astimezone(desk).date() + timedelta(days=1)
    return datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=desk)


def end_of_week(now: datetime, desk: ZoneInfo) -> datetime:
    """Return the desk's next midnight from Sunday to Monday."""
    local = now.astimezone(desk).date()
    monday = local + timedelta(days=7 - local.weekday())
    return datetime(monday.year, monday.month, monday.day, tzinfo=desk)
