"""Can the order be made: shape, prices, size, protection, and the venue's filters.

Prices go onto the grid towards the side that costs no more than asked: down for a BUY, up for a
SELL. Quantities only ever go down.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from exchanges.domain.instruments import Instrument
from exchanges.domain.orders import STOP_TYPES, OrderType, Quote, Side, TimeInForce
from trading.domain import sizing, stops
from trading.domain.figures import ZERO, Refusal, plain
from trading.domain.intents import IntentKind
from trading.domain.risk.context import (
    Context,
    Figure,
    denied,
    entry_only,
    not_evaluated,
    passed,
    refused,
)
from trading.domain.risk.types import SizingModel, Verdict

KEPT_FOR_PROTECTION = 1  # of the conditional orders a venue takes per symbol


def order_shape(ctx: Context) -> Verdict:
    """Ask for the prices the order type needs; leaves them, the reference and the TIF behind."""
    name, kind = "order_shape", ctx.order_type
    needed = (
        ("ORDER_PRICE", kind.has_limit_price, ctx.intent.price),
        ("ORDER_STOP_PRICE", kind.has_trigger, ctx.intent.stop_price),
    )
    for code, wanted, given in needed:
        if wanted and given is None:
            return denied(
                name,
                f"{code}_MISSING",
                limit="given",
                actual="missing",
                inputs={"type": kind.value},
            )
        if wanted and given is not None and given <= 0:
            return denied(
                name, f"{code}_INVALID", limit="above 0", actual=given, inputs={"type": kind.value}
            )
    if kind.has_limit_price:
        ctx.price = _on_grid(ctx, ctx.intent.price)
    if kind.has_trigger:
        ctx.stop_price = _on_grid(ctx, ctx.intent.stop_price)
    ctx.reference = ctx.price or ctx.stop_price or _market_price(ctx)
    ctx.entry_price = _expected_fill(ctx)
    ctx.time_in_force = _time_in_force(ctx)
    return passed(
        name,
        limit=kind.value,
        actual=kind.value,
        inputs={
            "price": ctx.price if ctx.price is not None else "none",
            "stop_price": ctx.stop_price if ctx.stop_price is not None else "none",
            "time_in_force": ctx.time_in_force.value if ctx.time_in_force else "none",
            "reference": ctx.reference,
        },
    )


def _on_grid(ctx: Context, price: Decimal | None) -> Decimal | None:
    if price is None or ctx.instrument is None:
        return price
    grid = ctx.instrument.price
    return grid.floor(price) if ctx.side is Side.BUY else grid.ceil(price)


def _market_price(ctx: Context) -> Decimal | None:
    return ctx.quote.taker_price(ctx.side) if ctx.quote and ctx.is_market else None


def _expected_fill(ctx: Context) -> Decimal | None:
    """Return the price an entry will probably pay: what the book asks when it takes at once, its
    trigger or limit, whichever is lower, when it waits."""
    if _takes_at_once(ctx) and ctx.quote is not None:
        return ctx.quote.ask
    given = [p for p in (ctx.price, ctx.stop_price) if p is not None]
    return min(given, default=ctx.reference)


def _takes_at_once(ctx: Context) -> bool:
    if ctx.is_market:
        return True
    if ctx.order_type is not OrderType.LIMIT or ctx.price is None or ctx.quote is None:
        return False
    return ctx.price >= ctx.quote.ask


def _time_in_force(ctx: Context) -> TimeInForce | None:
    if not ctx.order_type.has_limit_price or ctx.order_type is OrderType.LIMIT_MAKER:
        return None
    return ctx.intent.time_in_force or TimeInForce.GTC


def price_filters(ctx: Context) -> Verdict:
    """Hold limit price and trigger to the venue's range, the limit price to its band as well."""
    name, instrument = "price_filters", ctx.instrument
    prices = tuple(p for p in (ctx.price, ctx.stop_price) if p is not None)
    if not prices:
        return passed(name, "no price to check") if ctx.is_market else _no_price(name)
    if instrument is None:
        return not_evaluated(name, "the instrument is not known")
    for price in prices:
        if price <= 0 or not instrument.price.contains(price):
            low, high = instrument.price.minimum, instrument.price.maximum
            return denied(
                name, "PRICE_OUT_OF_RANGE", limit=f"{plain(low)} to {plain(high)}", actual=price
            )
    if ctx.price is None or ctx.quote is None:
        return passed(name, limit="price range", actual=prices[0])
    low, high = _band(instrument, ctx.side, ctx.quote.mid)
    band = f"{plain(low)} to {plain(high) if high else 'unlimited'}"
    if ctx.price < low or (high and ctx.price > high):
        return denied(name, "PRICE_OUT_OF_BAND", limit=band, actual=ctx.price)
    return passed(name, limit=band, actual=ctx.price)


def _no_price(name: str) -> Verdict:
    return not_evaluated(name, "the order has no price yet")


def _band(instrument: Instrument, side: Side, mark: Decimal) -> tuple[Decimal, Decimal]:
    """Price band around the market. The venue takes an average we do not have; mid stands in."""
    down, up = instrument.bid_multiplier if side is Side.BUY else instrument.ask_multiplier
    return mark * down, mark * up


def trigger_side(ctx: Context) -> Verdict:
    """Refuse what the venue would: a trigger the market has passed, a maker that would take."""
    name = "trigger_side"
    maker = ctx.order_type is OrderType.LIMIT_MAKER
    price = ctx.price if maker else ctx.stop_price
    if not (maker or ctx.order_type.has_trigger):
        return passed(name, "no trigger to check")
    if price is None or ctx.quote is None:
        return not_evaluated(name, "price or quote is not known")
    above = not maker and (ctx.order_type in STOP_TYPES) is (ctx.side is Side.BUY)
    if maker:
        above = ctx.side is Side.SELL
    # Beyond the far side of the book, so that a last trade anywhere inside cannot fire it at once.
    mark = _far_side(ctx.quote, above=above, maker=maker)
    wanted = f"{'above' if above else 'below'} {plain(mark)}"
    if (price > mark) if above else (price < mark):
        return passed(name, limit=wanted, actual=price)
    code = "LIMIT_MAKER_WOULD_TAKE" if maker else "TRIGGER_WRONG_SIDE"
    return denied(
        name, code, limit=wanted, actual=price, inputs={"bid": ctx.quote.bid, "ask": ctx.quote.ask}
    )


def _far_side(quote: Quote, *, above: bool, maker: bool) -> Decimal:
    if maker:
        return quote.bid if above else quote.ask
    return quote.ask if above else quote.bid


def size(ctx: Context) -> Verdict:
    """Work out how much, before the lot grid; an exit is held to what is held."""
    return _entry_size(ctx) if ctx.is_entry else _exit_size(ctx)


def _entry_size(ctx: Context) -> Verdict:
    if ctx.reference is None or ctx.instrument is None:
        return not_evaluated("size", "price or instrument is not known")
    snapshot = ctx.snapshot
    if ctx.limits.sizing_model is SizingModel.RISK_TO_STOP and ctx.levels is None:
        return not_evaluated("size", "the stop is not known")
    free = snapshot.free_quote
    means = sizing.Means(
        available_quote=None if free is None else free - snapshot.reserved_quote,
        equity=snapshot.equity,
        stop_loss=ctx.levels.stop_loss if ctx.levels else None,
        stop_is_measured_from=ctx.stop_is_measured_from,
        fee_rate=snapshot.taker_rate,
        track_record=snapshot.track_record,
    )
    sized = sizing.size_entry(
        ctx.intent.sizing,
        confidence=ctx.intent.confidence,
        price=ctx.reference,
        limits=ctx.limits,
        means=means,
        max_quantity=ctx.instrument.max_quantity(market=ctx.is_market),
        committed_quantity=ctx.snapshot.holding.quantity + ctx.snapshot.pending_entry_quantity,
    )
    return _sized(ctx, sized)


def _exit_size(ctx: Context) -> Verdict:
    """Hold an exit to what is held. A close takes the place of exits that rest at the venue; only
    those on their way keep their part. A reduce leaves all of them theirs."""
    holding = ctx.snapshot.holding
    sells_all = ctx.intent.kind is IntentKind.CLOSE
    taken = holding.exits_in_flight if sells_all else holding.locked_in_exits
    sellable = holding.quantity - taken
    least = ctx.instrument.lot.minimum if ctx.instrument else ZERO
    if holding.quantity <= 0:
        return denied(
            "size",
            "NO_POSITION_TO_CLOSE",
            limit="above 0",
            actual=holding.quantity,
            detail="a spot sale is never a short",
        )
    if taken and (sellable <= 0 or sellable < least):
        return denied(
            "size",
            "POSITION_ALREADY_EXITING",
            limit=holding.quantity,
            actual=taken,
            detail="other exits already sell what is held: cancel one, or send a close",
        )
    if ctx.instrument is None:
        return not_evaluated("size", "the instrument is not known")
    sized = sizing.size_exit(
        ctx.intent.sizing,
        sells_all=sells_all,
        sellable=sellable,
        price=ctx.reference,
        max_quantity=ctx.instrument.max_quantity(market=ctx.is_market),
    )
    return _sized(ctx, sized)


def _sized(ctx: Context, sized: sizing.Size | Refusal) -> Verdict:
    if isinstance(sized, Refusal):
        return refused("size", sized)
    ctx.size = sized
    return passed(
        "size",
        limit=sized.asked,
        actual=sized.quantity,
        inputs={"mode": ctx.intent.sizing.mode.value, "model": ctx.limits.sizing_model.value},
    )


@entry_only
def stop_and_target(ctx: Context) -> Verdict:
    """Set the protective levels of an entry, on the right side of entry and market."""
    name, entry, intent = "stop_and_target", ctx.entry_price, ctx.intent
    if entry is None or ctx.instrument is None or ctx.quote is None:
        return not_evaluated(name, "price, quote or instrument is not known")
    stop_below, target_above = _level_bounds(ctx, entry, ctx.quote)
    planned = stops.plan_levels(
        entry=entry,
        stop_below=stop_below,
        target_above=target_above,
        stop_asked=intent.stop_loss,
        target_asked=intent.take_profit,
        use_default_stop=intent.use_default_stop_loss,
        use_default_target=intent.use_default_take_profit,
        atr=intent.atr,
        limits=ctx.limits,
        grid=ctx.instrument.price,
    )
    if isinstance(planned, Refusal):
        return refused(name, planned, inputs={"entry": entry})
    paid = entry if planned.stop_distance else ctx.reference or entry
    outside = _level_outside(planned, ctx.instrument, entry) or stops.too_wide(
        paid, planned.stop_loss, ctx.limits.max_stop_loss_pct
    )
    if outside:
        return refused(name, outside, inputs={"entry": entry})
    ctx.levels = planned
    stop, target = planned.stop_loss, planned.take_profit
    return passed(
        name,
        limit="stop required" if ctx.limits.require_stop else "stop optional",
        actual=stop if stop is not None else "none",
        inputs={
            "entry": entry,
            "stop": stop if stop is not None else "none",
            "target": target if target is not None else "none",
        },
    )


def _level_bounds(ctx: Context, entry: Decimal, quote: Quote) -> tuple[Decimal, Decimal]:
    """Bound the levels by what the entry may pay, and by the market where it takes at once.

    A default target moves with the fill, so it need not lie beyond a limit that is not paid.
    """
    around = [entry, *([quote.bid] if _takes_at_once(ctx) else [])]
    given = (ctx.price, ctx.stop_price) if ctx.intent.take_profit is not None else ()
    return min(around), max(*around, *(p for p in given if p is not None), entry)


def _level_outside(levels: stops.Levels, instrument: Instrument, mark: Decimal) -> Refusal | None:
    """Hold the levels to the venue's price range, and the target, a limit price, to its band."""
    named = (("STOP", levels.stop_loss), ("TARGET", levels.take_profit))
    for name, level in named:
        if level is not None and not instrument.price.contains(level):
            bounds = f"{plain(instrument.price.minimum)} to {plain(instrument.price.maximum)}"
            return Refusal(f"{name}_OUT_OF_RANGE", bounds, plain(level))
    _, high = _band(instrument, Side.SELL, mark)
    if levels.take_profit is not None and high and levels.take_profit > high:
        return Refusal("TARGET_OUT_OF_BAND", f"at most {plain(high)}", plain(levels.take_profit))
    return None


def quantity(ctx: Context) -> Verdict:
    """Put the size on the lot grid; below the venue's least quantity is a no, never a lift."""
    name, instrument = "quantity", ctx.instrument
    if ctx.size is None or instrument is None:
        return not_evaluated(name, "the size is not known")
    floored = instrument.floor_quantity(ctx.size.quantity, market=ctx.is_market)
    least = instrument.lot.minimum
    if ctx.is_market:
        least = max(least, instrument.market_lot.minimum)
    sized = ctx.size.quantity
    if floored <= 0 or floored < least:
        return denied(
            name, "QUANTITY_BELOW_MIN", limit=least, actual=floored, inputs={"size": sized}
        )
    ctx.quantity = floored
    if ctx.reference is not None:
        ctx.notional = floored * ctx.reference
    return passed(
        name, limit=least, actual=floored, inputs={"size": sized, "step": instrument.lot.step}
    )


def notional(ctx: Context) -> Verdict:
    """Hold price x quantity to the venue's filter; our own least only where it names none."""
    name, instrument, value = "notional", ctx.instrument, ctx.notional
    if value is None or instrument is None:
        return not_evaluated(name, "quantity or price is not known")
    least, most = _notional_bounds(ctx, instrument)
    if value < least:
        return denied(name, "NOTIONAL_BELOW_MIN", limit=least, actual=value)
    if most and value > most:
        return denied(name, "NOTIONAL_ABOVE_MAX", limit=most, actual=value)
    return passed(name, limit=least, actual=value, inputs={"most": most or "unlimited"})


def _notional_bounds(ctx: Context, instrument: Instrument) -> tuple[Decimal, Decimal]:
    least, most = instrument.min_notional, instrument.max_notional
    if not least:
        least = ctx.limits.fallback_min_notional
    elif ctx.is_market and not instrument.min_notional_applies_to_market:
        least = ZERO
    if ctx.is_market and not instrument.max_notional_applies_to_market:
        most = ZERO
    return least, most


@entry_only
def exit_feasible(ctx: Context) -> Verdict:
    """Refuse an entry whose stop the venue would not take once the fee has been paid in base."""
    name, instrument = "exit_feasible", ctx.instrument
    if ctx.quantity is None or ctx.levels is None or instrument is None:
        return not_evaluated(name, "quantity or stop is not known")
    stop, rate = ctx.levels.stop_loss, ctx.snapshot.taker_rate
    if stop is None:
        return passed(name, "no stop to place")
    if rate is None:
        return denied(name, "FEE_RATE_UNKNOWN", limit="known", actual="unknown")
    held = ctx.snapshot.holding.quantity + ctx.quantity * (1 - rate)
    sellable = instrument.floor_quantity(held)
    least = instrument.min_notional or ctx.limits.fallback_min_notional
    facts = {"sellable": sellable, "stop": stop, "fee_rate": rate}
    if sellable < instrument.lot.minimum or sellable * stop < least:
        return denied(
            name, "EXIT_BELOW_MIN_NOTIONAL", limit=least, actual=sellable * stop, inputs=facts
        )
    return passed(name, limit=least, actual=sellable * stop, inputs=facts)


def stop_room(ctx: Context) -> Verdict:
    """Keep places for stops: a conditional order never takes the last one, and nothing is bought
    whose stop neither the venue nor our guard would hold.

    The venue counts conditional orders per symbol, those of all our accounts on one venue account
    and of others together.
    """
    name, instrument = "stop_room", ctx.instrument
    if instrument is None:
        return not_evaluated(name, "the instrument is not known")
    if ctx.order_type.has_trigger and instrument.max_algo_orders:
        refusal = _takes_the_last_place(ctx, instrument.max_algo_orders)
        if refusal is not None:
            return refusal
    return _room_for_its_stop(ctx, instrument) if ctx.is_entry else passed(name, "an exit")


def _takes_the_last_place(ctx: Context, most: int) -> Verdict | None:
    """A close takes the places of what it ends; everything else needs one, and leaves one."""
    free = ctx.snapshot.free_slots
    if ctx.intent.kind is IntentKind.CLOSE:
        return None
    if free is None:
        return denied("stop_room", "SLOTS_UNKNOWN", limit=most, actual="unknown")
    if free >= 1 + KEPT_FOR_PROTECTION:
        return None
    return denied(
        "stop_room",
        "CONDITIONAL_ORDERS_AT_MAX",
        limit=most - KEPT_FOR_PROTECTION,
        actual=most - free,
        detail="the last place is kept for a stop: cancel a conditional order, or send a market "
        "or limit order",
    )


def _room_for_its_stop(ctx: Context, instrument: Instrument) -> Verdict:
    name, most = "stop_room", instrument.max_algo_orders
    if ctx.levels is None:
        return not_evaluated(name, "the stop is not known")
    if not most or ctx.levels.stop_loss is None:
        return passed(name, "no stop to place" if most else "the venue does not count stops")
    if ctx.adds_to_position:
        return passed(name, "it joins the position's stops", limit=most)
    elsewhere, free = ctx.snapshot.stops_elsewhere, ctx.snapshot.free_slots
    if elsewhere is None:
        return denied(name, "STOPS_UNKNOWN", limit=most, actual="unknown")
    taken = max(elsewhere, most - free if free is not None else 0)
    if taken < most:
        return passed(name, limit=most, actual=taken)
    if ctx.snapshot.has_guard:
        return passed(name, "our guard holds its stop", limit=most, actual=taken)
    return denied(name, "STOPS_AT_MAX", limit=most, actual=taken)


@entry_only
def position_protected(ctx: Context) -> Verdict:
    """Refuse to add to what has had no stop for longer than a fill may wait for one."""
    name, held = "position_protected", ctx.snapshot.holding
    limit = ctx.limits.protection_grace_seconds
    if held.quantity <= 0 or held.is_dust:
        return passed(name, "nothing is held", limit=limit, actual=0)
    if held.naked_since is None:
        return passed(name, "protected", limit=limit, actual=0)
    seconds = Decimal((ctx.snapshot.now - held.naked_since) // timedelta(milliseconds=1)) / 1000
    facts: dict[str, Figure] = {
        "naked_since": held.naked_since.isoformat(),
        "held": held.quantity,
    }
    if seconds > limit:
        return denied(
            name,
            "POSITION_UNPROTECTED",
            limit=limit,
            actual=seconds,
            detail=f"seconds without a live stop for {plain(held.quantity)} held: wait until it is "
            "protected, or close it",
            inputs=facts,
        )
    return passed(name, limit=limit, actual=seconds, inputs=facts)
