"""One intent and one snapshot in, every rule's verdict and perhaps a plan out."""

from __future__ import annotations

from trading.domain.intents import TradeIntent
from trading.domain.risk.context import Context, begin, denied, not_evaluated
from trading.domain.risk.gate_rules import figures
from trading.domain.risk.rules import RULES
from trading.domain.risk.types import Assessment, OrderPlan, RiskSnapshot


def assess(intent: TradeIntent, snapshot: RiskSnapshot) -> Assessment:
    """Ask every rule, also after a no, so that the record is whole; plan only when all agree."""
    ctx = begin(intent, snapshot)
    readable = figures(ctx)
    if not readable.passed:
        unasked = (not_evaluated(rule.__name__, readable.code) for rule in RULES)
        return Assessment((readable, *unasked), None)
    verdicts = (readable, *(rule(ctx) for rule in RULES))
    plan = _plan(ctx) if all(v.passed for v in verdicts) else None
    if plan is None and all(v.passed for v in verdicts):
        # Nobody said no and yet something was missing: closed, not open.
        gap = denied("plan", "PLAN_INCOMPLETE", limit="complete", actual="incomplete")
        verdicts = (*verdicts, gap)
    return Assessment(
        verdicts=verdicts,
        plan=plan,
        sizing=ctx.size.arithmetic if ctx.size else (),
        levels=ctx.levels.arithmetic if ctx.levels else (),
    )


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
        reference_price=ctx.reference,
        notional=ctx.notional,
        estimated_fee=fee,
    )
