"""Is this a market to enter: its venue, its prices, what the size costs, and slips of the pen.

All gaps are in basis points (a hundredth of a percent). Zero as a limit means not limited.
"""

from __future__ import annotations

from decimal import Decimal

from exchanges.domain import books
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
def venue_latency(ctx: Context) -> Verdict:
    """Deny entries while the venue takes long to answer: the market would move meanwhile."""
    name, limit = "venue_latency", ctx.limits.max_venue_latency_ms
    actual = ctx.snapshot.venue_latency_ms
    if not limit:
        return passed(name, limit=NO_LIMIT, actual="unknown" if actual is None else actual)
    if actual is None:
        return denied(name, "VENUE_LATENCY_UNKNOWN", limit=limit, actual="unknown")
    if actual > limit:
        return denied(name, "VENUE_LATENCY_ABOVE_MAX", limit=limit, actual=actual)
    return passed(name, limit=limit, actual=actual)


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


@entry_only
def slippage(ctx: Context) -> Verdict:
    """Deny a market entry that would walk too far up the book: its average price over the best.

    Other orders wait, or name the price they accept; what a triggered one meets is not foreseen.
    """
    name, limit, book = "slippage", ctx.limits.max_slippage_bps, ctx.snapshot.book
    if not ctx.is_market:
        return passed(name, limit=limit or NO_LIMIT, actual="no order at market")
    if ctx.quantity is None:
        return not_evaluated(name, "the quantity is not known")
    levels = book.levels_for(ctx.side) if book else ()
    if book is None or not levels or levels[0][0] <= 0:
        return _unseen(name, "SLIPPAGE_UNKNOWN", limit)
    age = ctx.age_ms(book)
    facts: Inputs = {"quantity": ctx.quantity, "best": levels[0][0], "book_age_ms": age}
    if limit and abs(age) > ctx.limits.max_quote_age_ms:
        return denied(name, "SLIPPAGE_UNKNOWN", limit=limit, actual="stale book", inputs=facts)
    average = books.average_price(levels, ctx.quantity) if ctx.quantity > 0 else levels[0][0]
    if average is None:
        return _too_thin(limit, books.shown(levels), ctx.quantity, facts)
    actual = _bps(average - levels[0][0], levels[0][0])
    facts = {**facts, "average": average.quantize(levels[-1][0])}
    return _within(name, "SLIPPAGE_ABOVE_MAX", limit, actual, facts)


def _too_thin(limit: Decimal, shown: Decimal, quantity: Decimal, facts: Inputs) -> Verdict:
    if not limit:
        return passed("slippage", limit=NO_LIMIT, actual="beyond the book", inputs=facts)
    detail = f"within {plain(limit)} bps, of what the book shows"
    code = "SLIPPAGE_BOOK_TOO_THIN"
    return denied("slippage", code, limit=shown, actual=quantity, detail=detail, inputs=facts)


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
