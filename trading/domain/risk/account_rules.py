"""May this account carry it: balance with fees, number of positions, size of the position."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from trading.domain.risk.context import (
    Context,
    Inputs,
    denied,
    entry_only,
    not_evaluated,
    passed,
)
from trading.domain.risk.types import Verdict

_MICROSECOND = timedelta(microseconds=1)


@entry_only
def balance(ctx: Context) -> Verdict:
    """Ask for enough free quote for the order and its fee, by a balance that is not old.

    Binance takes the fee of a BUY from the base it delivers; reckoning it in quote keeps the
    answer right for accounts that pay otherwise.
    """
    name, snapshot = "balance", ctx.snapshot
    if snapshot.free_quote is None or snapshot.balances_at is None:
        return denied(name, "BALANCE_UNKNOWN", limit="known", actual="unknown")
    age = Decimal((snapshot.now - snapshot.balances_at) // _MICROSECOND).scaleb(-6)
    if age > ctx.limits.balance_max_age_seconds:
        return denied(name, "BALANCE_STALE", limit=ctx.limits.balance_max_age_seconds, actual=age)
    if snapshot.taker_rate is None:
        return denied(name, "FEE_RATE_UNKNOWN", limit="known", actual="unknown")
    if ctx.notional is None:
        return not_evaluated(name, "the notional is not known")
    needed = ctx.notional * (1 + snapshot.taker_rate)
    available = snapshot.free_quote - snapshot.reserved_quote
    facts = {
        "free": snapshot.free_quote,
        "reserved": snapshot.reserved_quote,
        "notional": ctx.notional,
        "fee_rate": snapshot.taker_rate,
    }
    if needed > available:
        return denied(name, "BALANCE_INSUFFICIENT", limit=available, actual=needed, inputs=facts)
    return passed(name, limit=available, actual=needed, inputs=facts)


@entry_only
def open_positions(ctx: Context) -> Verdict:
    """Cap the number of positions; adding to one that is held or on order is no new position.

    An account kept to one symbol has one position at most: there its entries in it are counted.
    """
    name, most = "open_positions", ctx.limits.max_open_positions
    one_symbol = ctx.limits.one_symbol_per_account
    count = ctx.snapshot.entries_in_position if one_symbol else ctx.snapshot.open_position_count
    if count is None:
        return denied(name, "OPEN_POSITIONS_UNKNOWN", limit="known", actual="unknown")
    facts: Inputs = {"counted": "entries in the one symbol" if one_symbol else "positions"}
    if one_symbol:
        if count >= most:
            return denied(name, "OPEN_POSITIONS_AT_MAX", limit=most, actual=count, inputs=facts)
        return passed(name, limit=most, actual=count, inputs=facts)
    if ctx.adds_to_position:
        return passed(name, "adds to an open position", limit=most, actual=count)
    if count >= most:
        return denied(name, "OPEN_POSITIONS_AT_MAX", limit=most, actual=count, inputs=facts)
    return passed(name, limit=most, actual=count, inputs=facts)


@entry_only
def position_notional(ctx: Context) -> Verdict:
    """Cap what the position will be worth once this and every waiting entry has filled.

    Sizing caps an order to the room that is left; a position that is full already is denied here,
    with the figure it would have grown to.
    """
    name, most = "position_notional", ctx.limits.max_position_notional
    if ctx.size is None or ctx.reference is None:
        return not_evaluated(name, "size or price is not known")
    held, waiting = ctx.snapshot.holding.quantity, ctx.snapshot.pending_entry_quantity
    order = ctx.quantity if ctx.quantity is not None else ctx.size.quantity
    projected = (held + waiting + order) * ctx.reference
    facts = {"held": held, "waiting": waiting, "order": order, "price": ctx.reference}
    if most and projected > most:
        return denied(
            name, "POSITION_NOTIONAL_ABOVE_MAX", limit=most, actual=projected, inputs=facts
        )
    return passed(name, limit=most or "unlimited", actual=projected, inputs=facts)
