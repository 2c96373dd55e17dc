"""One intent and one snapshot in, every rule's verdict and perhaps a plan out."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal, InvalidOperation

from trading.domain.intents import TradeIntent
from trading.domain.risk.context import Context, begin, denied, not_evaluated
from trading.domain.risk.gate_rules import figures
from trading.domain.risk.rules import FALLING, RISING, RULES
from trading.domain.risk.types import Assessment, OrderPlan, RiskSnapshot, Verdict

ZERO = Decimal(0)


def assess(intent: TradeIntent, snapshot: RiskSnapshot) -> Assessment:
    """Ask every rule, also after a no, so that the record is whole; plan only when all agree."""
    ctx = begin(intent, snapshot)
    readable = figures(ctx)
    if not readable.passed:
        unasked = (not_evaluated(rule.__name__, readable.code) for rule in RULES)
        return Assessment((readable, *unasked), None)
    share = snapshot.limits.warn_at_pct / 100 if intent.is_entry else ZERO
    verdicts = (readable, *(_with_warning(rule(ctx), share) for rule in RULES))
    sketch = _plan(ctx)
    plan = sketch if all(v.passed for v in verdicts) else None
    if plan is None and all(v.passed for v in verdicts):
        # Nobody said no and yet something was missing: closed, not open.
        gap = denied("plan", "PLAN_INCOMPLETE", limit="complete", actual="incomplete")
        verdicts = (*verdicts, gap)
    return Assessment(
        verdicts=verdicts,
        plan=plan,
        sizing=ctx.size.arithmetic if ctx.size else (),
        levels=ctx.levels.arithmetic if ctx.levels else (),
        sketch=sketch,
    )


def _with_warning(verdict: Verdict, share: Decimal) -> Verdict:
    """Mark what passed, but lies within the last part before its limit."""
    if not share or not verdict.passed or verdict.skipped:
        return verdict
    is_rising = verdict.rule in RISING
    if not is_rising and verdict.rule not in FALLING:
        return verdict
    try:
        limit, actual = Decimal(verdict.limit), Decimal(verdict.actual)
    except InvalidOperation:
        return verdict  # 'not limited', or nothing to count
    is_close = actual >= limit * share if is_rising else actual * share <= limit
    return replace(verdict, warned=True) if is_close and limit > 0 else verdict


def _plan(ctx: Context) -> OrderPlan | None:
    if ctx.quantity is None:
        return None
    if ctx.is_entry and (ctx.reference is None or ctx.levels is None):
        return None
    rate = ctx.snapshot.taker_rate
    fee = ctx.notional * rate if ctx.notional is not None and rate is not None else None
    return OrderPlan(
        symbol=ctx.intent.symbol,
        side=ctx.side,
        type=ctx.order_type,
        quantity=ctx.quantity,
        time_in_force=ctx.time_in_force,
        price=ctx.price,
        stop_price=ctx.stop_price,
        stop_loss=ctx.levels.stop_loss if ctx.levels else None,
        take_profit=ctx.levels.take_profit if ctx.levels else None,
        stop_distance=ctx.levels.stop_distance if ctx.levels else None,
        target_distance=ctx.levels.target_distance if ctx.levels else None,
        reference_price=ctx.reference,
        entry_price=ctx.stop_is_measured_from if ctx.is_entry else None,
        max_slippage_bps=ctx.limits.max_slippage_bps,
        notional=ctx.notional,
        estimated_fee=fee,
    )
