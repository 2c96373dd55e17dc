"""The steps a loss goes down: said, then no more entries, then everything sold. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

from trading.domain.equity import Course, Falls, end_of_day, end_of_week
from trading.domain.risk.types import LossSteps


class Step(StrEnum):
    """What a rung asks for, mildest first."""

    WARN = "WARN"
    REDUCE_ONLY = "REDUCE_ONLY"
    FLATTEN = "FLATTEN"


RANK = {step: rank for rank, step in enumerate(Step)}


class Loss(StrEnum):
    """The losses that are looked at."""

    DAILY = "daily"
    WEEKLY = "weekly"
    DRAWDOWN = "drawdown"


@dataclass(frozen=True, slots=True)
class Taken:
    """A step to take now. `until` None: it stands until somebody releases it."""

    loss: Loss
    step: Step
    period: str  # what it was taken for; once for each
    percent: Decimal
    limit: Decimal
    until: datetime | None


def steps_to_take(
    course: Course,
    falls: Falls,
    ladder: Mapping[Loss, LossSteps],
    done: Mapping[str, str],
    *,
    now: datetime,
    desk: ZoneInfo,
) -> list[Taken]:
    """Return the steps that are due and not taken yet.

    `done` holds, by loss, `period step` of the strictest step taken. A step is taken once for its
    day, week or high: who releases it has seen it, and the rules go on denying entries.
    """
    due = []
    for loss, percent, period, until in (
        (Loss.DAILY, falls.daily, course.day.isoformat(), end_of_day(now, desk)),
        (Loss.WEEKLY, falls.weekly, course.week.isoformat(), end_of_week(now, desk)),
        (Loss.DRAWDOWN, falls.drawdown, course.high_at.isoformat(), None),
    ):
        reached = _reached(ladder[loss], percent)
        if reached is None:
            continue
        step, limit = reached
        before = done.get(loss, "").split()
        if before and before[0] == period and RANK[Step(before[1])] >= RANK[step]:
            continue
        due.append(Taken(loss, step, period, percent, limit, until))
    return due


def _reached(steps: LossSteps, percent: Decimal) -> tuple[Step, Decimal] | None:
    """Return the strictest step at or below the loss; zero switches a step off."""
    named = (
        (Step.FLATTEN, steps.flatten),
        (Step.REDUCE_ONLY, steps.reduce_only),
        (Step.WARN, steps.warn),
    )
    return next(((step, at) for step, at in named if at and percent >= at), None)
