"""When an account may enter: hours by the clock of a place, on some days of the week.

Written like "09:30-16:00 America/New_York mon-fri". Nothing means round the clock. A window that
ends before it starts runs over midnight and belongs to the day it starts on; one that ends when it
starts lasts that day and night. Hours are read off the place's own clock, so they move with its
daylight saving time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERY_DAY = frozenset(range(7))
ALWAYS = "24/7"
PRESETS = {ALWAYS: "", "us-equity": "09:30-16:00 America/New_York mon-fri"}
EXAMPLE = PRESETS["us-equity"]


class WindowInvalid(ValueError):
    """Words that are no window; the text says what is wrong."""


@dataclass(frozen=True, slots=True)
class TradingWindow:
    """From `start` to before `end` on the `weekdays` (Monday is 0) by the clock of `timezone`."""

    start: time
    end: time
    timezone: str = "UTC"
    weekdays: frozenset[int] = EVERY_DAY

    def is_open(self, now: datetime) -> bool:
        """Say whether `now`, an aware time, lies inside."""
        local = now.astimezone(ZoneInfo(self.timezone))
        clock, today = local.time(), local.weekday()
        if self.start < self.end:
            return today in self.weekdays and self.start <= clock < self.end
        yesterday = (local.date() - timedelta(days=1)).weekday()
        began_today = today in self.weekdays and clock >= self.start
        return began_today or (yesterday in self.weekdays and clock < self.end)

    def __str__(self) -> str:
        days = "" if self.weekdays == EVERY_DAY else f" {_say_days(self.weekdays)}"
        return f"{_say(self.start)}-{_say(self.end)} {self.timezone}{days}"


@lru_cache(maxsize=256)
def parse(words: str) -> TradingWindow | None:
    """Read "START-END [ZONE] [DAYS]", or a preset's name; None is round the clock.

    Raises WindowInvalid with what is wrong.
    """
    words = PRESETS.get(words.strip().lower(), words)
    if not words.strip():
        return None
    hours, *rest = words.split()
    start, dash, end = hours.partition("-")
    if not dash or len(rest) > 2:
        raise WindowInvalid(f"write it like {EXAMPLE}")
    return made_of(start, end, *rest)


def made_of(start: str, end: str, timezone: str = "UTC", weekdays: str = "") -> TradingWindow:
    """Put a window together from its four parts. Raises WindowInvalid."""
    return TradingWindow(_time(start), _time(end), _zone(timezone), _days(weekdays))


def _time(words: str) -> time:
    try:
        return time.fromisoformat(words.strip())
    except ValueError:
        raise WindowInvalid(f"{words!r} is no time of day: write it like 09:30") from None


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name.strip()).key
    except (KeyError, ValueError, OSError):
        raise WindowInvalid(f"{name!r} is no timezone: write it like America/New_York") from None


def _days(words: str) -> frozenset[int]:
    """Read "mon-fri" or "mon,wed,fri"; a span may run over Sunday. Nothing means every day."""
    found: set[int] = set()
    for part in words.lower().replace(",", " ").split():
        first, _, last = part.partition("-")
        day, end = _day(first), _day(last or first)
        found.add(day)
        while day != end:
            day = (day + 1) % 7
            found.add(day)
    return frozenset(found) or EVERY_DAY


def _day(word: str) -> int:
    if word not in DAYS:
        raise WindowInvalid(f"{word!r} is no day of the week: write {', '.join(DAYS)}")
    return DAYS.index(word)


def _say(clock: time) -> str:
    return clock.isoformat("auto" if clock.second or clock.microsecond else "minutes")


def _say_days(days: frozenset[int]) -> str:
    in_order = sorted(days)
    if len(in_order) > 2 and in_order[-1] - in_order[0] == len(in_order) - 1:
        return f"{DAYS[in_order[0]]}-{DAYS[in_order[-1]]}"
    return ",".join(DAYS[day] for day in in_order)
