"""Is this a market to enter: spread, the sender's view of it, and prices that look like slips.

All gaps are in basis points (a hundredth of a percent). Zero as a limit means not limited.
"""

from __future__ import annotations

from decimal import Decimal

from trading.domain.figures import plain
from trading.domain.risk.context import (
    Context,
    Inputs,
    denied,
    entry_only,
    not_evaluated,
    passed,
)
from trading.domain.risk.types import Verdict

BPS = Decimal(10_000)
_SHOWN = Decimal("0.01")
NO_LIMIT = "not limited"


def _bps(gap: Decimal, of: Decimal) -> Decimal:
    """Return `gap` in basis points of `of`, rounded up to the shown hundredth."""
    exact = gap / of * BPS
    shown = exact.quantize(_SHOWN)
    return shown if shown >= exact else shown + _SHOWN


@entry_only
def spread(ctx: Context) -> Verdict:
    """Deny entries while ask and bid are too far apart: (ask - bid) / mid."""
    limit, quote = ctx.limits.max_spread_bps, ctx.quote
    if quote is None:
        return _unseen("spread", "SPREAD_UNKNOWN", limit)
    actual = _bps(quote.ask - quote.bid, quote.mid)
    facts = {"bid": quote.bid, "ask": quote.ask}
    return _within("spread", "SPREAD_ABOVE_MAX", limit, actual, facts)


@entry_only
def sender_gap(ctx: Context) -> Verdict:
    """Deny entries whose sender saw another price than our own book shows now.

    The sender's price is evidence only: it is never what an order is sized or priced by.
    """
    name = "sender_gap"
    limit, quote, theirs = ctx.limits.max_sender_gap_bps, ctx.quote, ctx.intent.sender_price
    if theirs is None:
        return not_evaluated(name, "the signal named no current_price")
    if not theirs.is_finite() or theirs <= 0:
        return denied(name, "SENDER_PRICE_INVALID", limit="above 0", actual=str(theirs))
    if quote is None:
        return _unseen(name, "SENDER_GAP_UNKNOWN", limit)
    actual = _bps(abs(quote.mid - theirs), theirs)
    facts = {"sender_price": theirs, "mid": quote.mid}
    return _within(name, "SENDER_GAP_ABOVE_MAX", limit, actual, facts)


@entry_only
def price_collar(ctx: Context) -> Verdict:
    """Deny a limit or trigger price so far from our book that it must be a slip of the pen."""
    name, limit, quote = "price_collar", ctx.limits.max_price_deviation_bps, ctx.quote
    given = {"price": ctx.intent.price, "stop_price": ctx.intent.stop_price}
    asked = {what: value for what, value in given.items() if value is not None}
    if ctx.is_market or not asked:
        return passed(name, limit=limit or NO_LIMIT, actual="no price of its own")
    if quote is None:
        return _unseen(name, "PRICE_COLLAR_UNKNOWN", limit)
    worst = max(asked, key=lambda what: abs(asked[what] - quote.ask))
    actual = _bps(abs(asked[worst] - quote.ask), quote.ask)
    facts: Inputs = {**asked, "ask": quote.ask}
    detail = f"{worst} {plain(asked[worst])}"
    return _within(name, "PRICE_OUTSIDE_COLLAR", limit, actual, facts, detail)


@entry_only
def self_trade(ctx: Context) -> Verdict:
    """Deny an entry that would buy from ourselves, from whichever of our accounts at the venue.

    How high it buys is its limit, else its trigger, else the ask; a market order that walks the
    book beyond the ask is not foreseen.
    """
    name, offers = "self_trade", ctx.snapshot.own_offers
    if not offers:
        return passed(name, limit="no offer of ours", actual="any price")
    lowest = min(offers)
    reach = ctx.price or ctx.stop_price or (ctx.quote.ask if ctx.quote else None)
    if reach is None:
        return denied(name, "SELF_TRADE_UNKNOWN", limit=lowest, actual="unknown")
    facts: Inputs = {"our_offers": len(offers), "lowest": lowest}
    if reach >= lowest:
        return denied(name, "SELF_TRADE", limit=lowest, actual=reach, inputs=facts)
    return passed(name, limit=lowest, actual=reach, inputs=facts)


def _within(
    rule: str, code: str, limit: Decimal, actual: Decimal, facts: Inputs, detail: str = ""
) -> Verdict:
    if limit and actual > limit:
        return denied(rule, code, limit=limit, actual=actual, detail=detail, inputs=facts)
    return passed(rule, limit=limit or NO_LIMIT, actual=actual, inputs=facts)


def _unseen(rule: str, code: str, limit: Decimal) -> Verdict:
    """Say what a rule says without a usable quote: no entry, unless nothing is limited."""
    if limit:
        return denied(rule, code, limit=limit, actual="unknown")
    return passed(rule, limit=NO_LIMIT, actual="unknown")
