"""Pace and place: the hours an account enters in, how often it does, and in how many symbols."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from trading.domain.risk import window
from trading.domain.risk.context import Context, Inputs, denied, entry_only, passed
from trading.domain.risk.market_rules import NO_LIMIT
from trading.domain.risk.types import Verdict

WINDOWS = {"max_orders_per_second": 1, "max_orders_per_minute": 60, "max_orders_per_day": 86_400}


@entry_only
def trading_window(ctx: Context) -> Verdict:
    """Deny entries outside the account's hours, by the clock of the place they are kept in."""
    name, words = "trading_window", ctx.limits.trading_window
    try:
        hours = window.parse(words)
    except window.WindowInvalid as error:
        return denied(
            name, "TRADING_WINDOW_UNKNOWN", limit="readable", actual=words, detail=str(error)
        )
    if hours is None:
        return passed(name, limit=window.ALWAYS, actual="any time")
    local = ctx.snapshot.now.astimezone(ZoneInfo(hours.timezone))
    actual = f"{window.DAYS[local.weekday()]} {local:%H:%M:%S}"
    if not hours.is_open(ctx.snapshot.now):
        return denied(name, "TRADING_WINDOW_CLOSED", limit=str(hours), actual=actual)
    return passed(name, limit=str(hours), actual=actual)


@entry_only
def orders_per_second(ctx: Context) -> Verdict:
    """Cap the entries of any second."""
    most = ctx.limits.max_orders_per_second
    return _pace(ctx, "orders_per_second", "max_orders_per_second", most, "ORDER_RATE_SECOND")


@entry_only
def orders_per_minute(ctx: Context) -> Verdict:
    """Cap the entries of any sixty seconds."""
    most = ctx.limits.max_orders_per_minute
    return _pace(ctx, "orders_per_minute", "max_orders_per_minute", most, "ORDER_RATE_MINUTE")


@entry_only
def orders_per_day(ctx: Context) -> Verdict:
    """Cap the entries of any 24 hours."""
    most = ctx.limits.max_orders_per_day
    return _pace(ctx, "orders_per_day", "max_orders_per_day", most, "ORDER_RATE_DAY")


@entry_only
def repeats(ctx: Context) -> Verdict:
    """Stop a strategy that buys the same symbol over and over: it has most likely lost its way."""
    most, seconds = ctx.limits.max_repeats, ctx.limits.repeat_window_seconds
    return _pace(ctx, "repeats", "max_repeats", most, "REPEATED_ENTRY", within=seconds)


@entry_only
def one_symbol(ctx: Context) -> Verdict:
    """Keep the account to the one symbol it is in; flat, it may enter any."""
    name, taken = "one_symbol", ctx.snapshot.symbols_in_use
    if not ctx.limits.one_symbol_per_account:
        return passed(name, limit=NO_LIMIT, actual=ctx.intent.symbol)
    if taken is None:
        return denied(name, "ONE_SYMBOL_UNKNOWN", limit="known", actual="unknown")
    if taken:
        held = ", ".join(sorted(taken))
        return denied(name, "ONE_SYMBOL_TAKEN", limit=held, actual=ctx.intent.symbol)
    return passed(name, limit=ctx.intent.symbol, actual=ctx.intent.symbol)


@entry_only
def entries_per_position(ctx: Context) -> Verdict:
    """Cap how many entries make up the position, those on their way included."""
    name, most = "entries_per_position", ctx.limits.max_entries_per_position
    count = ctx.snapshot.entries_in_position
    if not most:
        return passed(name, limit=NO_LIMIT, actual="not counted")
    if count is None:
        return denied(name, "ENTRIES_PER_POSITION_UNKNOWN", limit=most, actual="unknown")
    if count >= most:
        return denied(name, "ENTRIES_PER_POSITION_AT_MAX", limit=most, actual=count)
    return passed(name, limit=most, actual=count)


def _pace(
    ctx: Context, rule: str, limit: str, most: int, category: str, within: int | None = None
) -> Verdict:
    """Compare the entries that were let through before this one with how many may be."""
    if not most:
        return passed(rule, limit=NO_LIMIT, actual="not counted")
    pace = ctx.snapshot.paces.get(limit)
    if pace is None:
        return denied(rule, f"{category}_UNKNOWN", limit=most, actual="unknown")
    facts: Inputs = {"counted": pace.counted, "seconds": within or WINDOWS[limit]}
    if pace.entries >= most:
        return denied(rule, f"{category}_AT_MAX", limit=most, actual=pace.entries, inputs=facts)
    return passed(rule, limit=most, actual=pace.entries, inputs=facts)
