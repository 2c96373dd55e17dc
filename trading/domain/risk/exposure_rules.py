"""May all accounts together carry it: positions, and exposure by symbol and in all, at cost.

Deciding is serial per account only. These limits are exact nevertheless, because the snapshot's
`together` is read under a lock of the whole environment; it is None when no such limit is set.
"""

from __future__ import annotations

from decimal import Decimal

from trading.domain.risk.context import Context, denied, entry_only, not_evaluated, passed
from trading.domain.risk.market_rules import NO_LIMIT
from trading.domain.risk.types import Verdict


@entry_only
def open_positions_total(ctx: Context) -> Verdict:
    """Cap the positions of all accounts; adding to one that is held or on order is no new one."""
    name, most, together = (
        "open_positions_total",
        ctx.limits.max_open_positions_total,
        ctx.snapshot.together,
    )
    if not most:
        return passed(name, limit=NO_LIMIT, actual="not counted")
    if together is None:
        return denied(name, "OPEN_POSITIONS_TOTAL_UNKNOWN", limit=most, actual="unknown")
    count = together.positions
    if ctx.adds_to_position:
        return passed(name, "adds to an open position", limit=most, actual=count)
    if count >= most:
        return denied(name, "OPEN_POSITIONS_TOTAL_AT_MAX", limit=most, actual=count)
    return passed(name, limit=most, actual=count)


@entry_only
def symbol_exposure(ctx: Context) -> Verdict:
    """Cap what all accounts hold of the symbol once this entry has filled."""
    together, most = ctx.snapshot.together, ctx.limits.max_symbol_exposure
    held = together.symbol_exposure if together else None
    return _exposure(ctx, "symbol_exposure", "SYMBOL_EXPOSURE", most, held)


@entry_only
def gross_exposure(ctx: Context) -> Verdict:
    """Cap what all accounts hold of everything once this entry has filled."""
    together, most = ctx.snapshot.together, ctx.limits.max_gross_exposure
    held = together.gross_exposure if together else None
    return _exposure(ctx, "gross_exposure", "GROSS_EXPOSURE", most, held)


@entry_only
def net_exposure(ctx: Context) -> Verdict:
    """Cap what is left when what all accounts hold long and short is set against each other."""
    together, most = ctx.snapshot.together, ctx.limits.max_net_exposure
    held = together.net_exposure if together else None
    return _exposure(ctx, "net_exposure", "NET_EXPOSURE", most, held)


def _exposure(
    ctx: Context, rule: str, category: str, most: Decimal, held: Decimal | None
) -> Verdict:
    if not most:
        return passed(rule, limit=NO_LIMIT, actual="not counted")
    if held is None:
        return denied(rule, f"{category}_UNKNOWN", limit=most, actual="unknown")
    if ctx.notional is None:
        return not_evaluated(rule, "the notional is not known")
    projected = held + ctx.notional
    facts = {"held": held, "order": ctx.notional}
    if projected > most:
        return denied(rule, f"{category}_ABOVE_MAX", limit=most, actual=projected, inputs=facts)
    return passed(rule, limit=most, actual=projected, inputs=facts)
