"""May anything be traded at all: account, state, the signal itself, symbol, market data."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from exchanges.domain.instruments import Instrument
from exchanges.domain.orders import OrderType
from trading.domain.risk.context import (
    Context,
    denied,
    entry_only,
    not_evaluated,
    passed,
)
from trading.domain.risk.types import TradingMode, Verdict

FUTURE_TOLERANCE_SECONDS = Decimal(5)  # clocks of senders are not ours
SIMULATOR = "simulator"
_MICROSECOND = timedelta(microseconds=1)
_MODE_CODES = {
    TradingMode.HALTED: "TRADING_HALTED",
    TradingMode.REDUCE_ONLY: "TRADING_REDUCE_ONLY",
    TradingMode.CANCEL_OPEN: "TRADING_CANCEL_OPEN",
    TradingMode.FLATTEN: "TRADING_FLATTEN",
}
# exchangeInfo's words where they differ from ours
_VENUE_WORDS = {OrderType.STOP: "STOP_LOSS", OrderType.STOP_LIMIT: "STOP_LOSS_LIMIT"}


def _seconds(span: timedelta) -> Decimal:
    return Decimal(span // _MICROSECOND).scaleb(-6)


def figures(ctx: Context) -> Verdict:
    """Refuse NaN and infinities before any rule reckons with them."""
    intent = ctx.intent
    named = (
        ("confidence", intent.confidence),
        ("price", intent.price),
        ("stop_price", intent.stop_price),
        ("amount", intent.sizing.amount),
        ("stop_loss", intent.stop_loss),
        ("take_profit", intent.take_profit),
        ("atr", intent.atr),
    )
    for name, value in named:
        if value is not None and not value.is_finite():
            return denied(
                "figures", "FIGURE_NOT_FINITE", limit="a number", actual=f"{name}={value}"
            )
    return passed("figures", limit="a number", actual="a number")


def environment(ctx: Context) -> Verdict:
    """Keep 'simulate' a ceiling: an intent that asked for it trades nowhere else, exits too."""
    actual = ctx.snapshot.environment
    if ctx.intent.simulate and actual != SIMULATOR:
        return denied(
            "environment", "ENVIRONMENT_NOT_SIMULATED", limit=SIMULATOR, actual=actual or "unknown"
        )
    wanted = SIMULATOR if ctx.intent.simulate else "any"
    return passed("environment", limit=wanted, actual=actual)


@entry_only
def account_can_trade(ctx: Context) -> Verdict:
    if not ctx.snapshot.can_trade:
        return denied(
            "account_can_trade", "ACCOUNT_CANNOT_TRADE", limit="can trade", actual="cannot trade"
        )
    return passed("account_can_trade", limit="can trade", actual="can trade")


@entry_only
def limits_readable(ctx: Context) -> Verdict:
    """Deny entries while a limit's stored value says nothing to this release: it was set by another
    one, and what it meant is not guessed."""
    unreadable = ctx.limits.unreadable
    if unreadable:
        return denied(
            "limits_readable",
            "LIMIT_UNREADABLE",
            limit="readable",
            actual=", ".join(unreadable),
            detail="set it anew",
        )
    return passed("limits_readable", limit="readable", actual="readable")


def trading_state(ctx: Context) -> Verdict:
    """Deny entries unless trading is known to be ACTIVE; exits pass in every state."""
    mode, reason = ctx.snapshot.mode, ctx.snapshot.mode_reason
    word = mode.value if mode else "unknown"
    if not ctx.is_entry:
        return passed(
            "trading_state",
            "exits pass in every state",
            limit="any",
            actual=word,
            inputs={"reason": reason},
        )
    if mode is TradingMode.ACTIVE:
        return passed("trading_state", limit=mode.value, actual=word, inputs={"reason": reason})
    code = _MODE_CODES[mode] if mode else "TRADING_STATE_UNKNOWN"
    return denied(
        "trading_state",
        code,
        limit=TradingMode.ACTIVE.value,
        actual=word,
        detail=reason,
        inputs={"reason": reason},
    )


@entry_only
def signal_age(ctx: Context) -> Verdict:
    """Deny old news and news from the future; an exit is welcome however late it comes."""
    age = _seconds(ctx.snapshot.now - ctx.intent.emitted_at)
    limit = ctx.limits.max_age_seconds
    emitted = ctx.intent.emitted_at.isoformat()
    if age > limit:
        return denied(
            "signal_age", "SIGNAL_STALE", limit=limit, actual=age, inputs={"emitted_at": emitted}
        )
    if age < -FUTURE_TOLERANCE_SECONDS:
        return denied(
            "signal_age",
            "SIGNAL_FROM_FUTURE",
            limit=-FUTURE_TOLERANCE_SECONDS,
            actual=age,
            inputs={"emitted_at": emitted},
        )
    return passed("signal_age", limit=limit, actual=age, inputs={"emitted_at": emitted})


@entry_only
def confidence(ctx: Context) -> Verdict:
    actual, least = ctx.intent.confidence, ctx.limits.min_confidence
    if not 0 <= actual <= 1:
        return denied("confidence", "CONFIDENCE_INVALID", limit="0 to 1", actual=actual)
    if actual < least:
        return denied("confidence", "CONFIDENCE_BELOW_MIN", limit=least, actual=actual)
    return passed("confidence", limit=least, actual=actual)


def symbol_supported(ctx: Context) -> Verdict:
    """Ask for a known symbol and order type; an entry also for a trading and allowed one.

    An exit needs the instrument too, since nothing can be rounded to unknown filters, but a
    halted or no longer allowed symbol is for the venue to refuse, not for us.
    """
    name, symbol, instrument = "symbol_supported", ctx.intent.symbol, ctx.instrument
    if instrument is None or instrument.symbol != symbol:
        return denied(name, "SYMBOL_UNKNOWN", limit="listed", actual=symbol)
    if not _supports(instrument, ctx.order_type):
        return denied(
            name,
            "ORDER_TYPE_UNSUPPORTED",
            limit=" ".join(sorted(instrument.order_types)) or "none",
            actual=ctx.order_type.value,
        )
    facts = {"status": instrument.status, "order_type": ctx.order_type.value}
    if not ctx.is_entry:
        return passed(name, "exits need no permission", limit="listed", actual=symbol, inputs=facts)
    allowed = ctx.limits.allowed_symbols
    if allowed and symbol not in allowed:
        return denied(
            name, "SYMBOL_NOT_ALLOWED", limit=" ".join(sorted(allowed)), actual=symbol, inputs=facts
        )
    if not instrument.is_trading:
        return denied(
            name, "SYMBOL_NOT_TRADING", limit="TRADING", actual=instrument.status, inputs=facts
        )
    return passed(name, limit="TRADING", actual=instrument.status, inputs=facts)


def _supports(instrument: Instrument, order_type: OrderType) -> bool:
    word = _VENUE_WORDS.get(order_type, order_type.value)
    return word in instrument.order_types


def quote_age(ctx: Context) -> Verdict:
    """Ask for a fresh two-sided quote. An exit goes without: then nothing is reckoned from it."""
    name, quote = "quote_age", ctx.snapshot.quote
    if quote is None:
        return _no_quote(ctx, "QUOTE_UNKNOWN", "known", "unknown")
    if not 0 < quote.bid <= quote.ask:
        return _no_quote(ctx, "QUOTE_INVALID", "0 < bid <= ask", f"{quote.bid} / {quote.ask}")
    age = ctx.age_ms(quote)
    limit = ctx.limits.max_quote_age_ms
    if not ctx.is_entry and age > ctx.limits.quote_max_age_seconds * 1000:
        return not_evaluated(name, "exits are always allowed, and the quote is stale")
    ctx.quote = quote
    facts = {"bid": quote.bid, "ask": quote.ask}
    if not ctx.is_entry:
        return passed(name, limit="fresh", actual=age, inputs=facts)
    if abs(age) > limit:  # far ahead of us is no better: somebody's clock is wrong
        return denied(name, "QUOTE_STALE", limit=limit, actual=age, inputs=facts)
    return passed(name, limit=limit, actual=age, inputs=facts)


def _no_quote(ctx: Context, code: str, limit: str, actual: str) -> Verdict:
    if ctx.is_entry:
        return denied("quote_age", code, limit=limit, actual=actual)
    return not_evaluated("quote_age", f"exits are always allowed, and the quote is {actual}")
