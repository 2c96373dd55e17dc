"""Has the account lost too much: in a row, today, this week, from its best.

Losses are percent of the account's equity, open losses included. The steps a loss goes down are
taken by the equity watch (`trading.domain.loss_limits`); these rules deny by the same figures when
an entry is decided, whether or not the watch has come round.
"""

from __future__ import annotations

import math
from decimal import ROUND_UP, Decimal

from trading.domain.risk.context import Context, Inputs, denied, entry_only, passed
from trading.domain.risk.market_rules import NO_LIMIT
from trading.domain.risk.types import LossSteps, Verdict

_SHOWN = Decimal("0.01")


@entry_only
def cooldown(ctx: Context) -> Verdict:
    """Deny entries for a while after so many losing trades in a row."""
    name, most, seen = "cooldown", ctx.limits.cooldown_after_losses, ctx.snapshot.cooldown
    if not most:
        return passed(name, limit=NO_LIMIT, actual="not counted")
    if seen is None:
        return denied(name, "COOLDOWN_UNKNOWN", limit=most, actual="unknown")
    facts: Inputs = {"counted": seen.counted}
    if seen.until is not None and seen.until > ctx.snapshot.now:
        left = seen.until - ctx.snapshot.now
        return denied(
            name,
            "COOLDOWN_AFTER_LOSSES",
            limit=most,
            actual=seen.losses,
            detail=f"{seen.counted} cools down for another {math.ceil(left.total_seconds())} s",
            inputs={**facts, "until": seen.until.isoformat()},
        )
    return passed(name, limit=most, actual=seen.losses, inputs=facts)


@entry_only
def daily_loss(ctx: Context) -> Verdict:
    """Deny entries while today's loss is at or beyond its reduce-only step."""
    falls = ctx.snapshot.falls
    fall = falls.daily if falls else None
    return _fall(ctx, "daily_loss", "DAILY_LOSS", ctx.limits.daily_loss, fall)


@entry_only
def weekly_loss(ctx: Context) -> Verdict:
    """Deny entries while this week's loss is."""
    falls = ctx.snapshot.falls
    fall = falls.weekly if falls else None
    return _fall(ctx, "weekly_loss", "WEEKLY_LOSS", ctx.limits.weekly_loss, fall)


@entry_only
def drawdown(ctx: Context) -> Verdict:
    """Deny entries while the fall from the account's best is."""
    falls = ctx.snapshot.falls
    fall = falls.drawdown if falls else None
    return _fall(ctx, "drawdown", "DRAWDOWN", ctx.limits.drawdown, fall)


def _fall(
    ctx: Context, rule: str, category: str, steps: LossSteps, fall: Decimal | None
) -> Verdict:
    most = min((at for at in (steps.reduce_only, steps.flatten) if at), default=None)
    limit = NO_LIMIT if most is None else most
    if fall is None:
        if most is None:
            return passed(rule, limit=limit, actual="unknown")
        return denied(rule, f"{category}_UNKNOWN", limit=limit, actual="unknown")
    shown = fall.quantize(_SHOWN, rounding=ROUND_UP)
    facts: Inputs = {"equity": ctx.snapshot.equity}
    if most is not None and fall >= most:
        return denied(rule, f"{category}_AT_MAX", limit=limit, actual=shown, inputs=facts)
    warned = bool(steps.warn) and fall >= steps.warn
    return passed(rule, limit=limit, actual=shown, inputs=facts, warned=warned)
