"""Our books beside the venue's, line by line. Nothing here is repaired: every difference is told.

A difference is about a trade, an order, a holding or our own arithmetic. What the venue has that is
not ours (trades of other programs, coins deposited by hand) is counted, not called a difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from exchanges.domain.orders import Side, VenueFill
from trading.domain.figures import plain
from trading.domain.positions import FLAT, PositionState, apply_fill, take_off

ZERO = Decimal(0)
LAST_DIGIT = Decimal("1e-10")  # the ledger's columns round later ones


@dataclass(frozen=True, slots=True)
class Difference:
    """One line that does not agree. `ours` and `theirs` are figures or words, empty: not there."""

    about: str
    what: str
    ours: str = ""
    theirs: str = ""
    other: str = "venue"  # whose figure `theirs` is


@dataclass(frozen=True, slots=True)
class BookedFill:
    """A fill as our ledger has it; fees as they were split when it was booked, quote and base."""

    trade_id: str
    side: Side
    price: Decimal
    quantity: Decimal
    commission: Decimal
    commission_asset: str
    fee_in_base: Decimal = ZERO
    fee_in_quote_value: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class TakenOff:
    """Coins that a person took off the books without a trade: a shortfall that was settled."""

    quantity: Decimal


def trades(
    symbol: str,
    booked: Iterable[BookedFill],
    at_venue: Iterable[VenueFill],
    our_orders: frozenset[str],
) -> tuple[list[Difference], int]:
    """Compare the trades of one symbol; return the differences and how many trades are not ours.

    `our_orders` are the venue's ids of our orders. A trade that is neither booked nor of one of
    those is somebody else's.
    """
    ours = {fill.trade_id: fill for fill in booked}
    found: list[Difference] = []
    foreign = 0
    seen: set[str] = set()
    for trade in at_venue:
        seen.add(trade.trade_id)
        fill = ours.get(trade.trade_id)
        name = f"{symbol} trade {trade.trade_id}"
        if fill is None:
            if trade.venue_order_id in our_orders:
                figures = f"{trade.quantity:f} at {trade.price:f}"
                found.append(Difference(name, "is not booked here", theirs=figures))
            else:
                foreign += 1
            continue
        found += _unlike(name, fill, trade)
    for trade_id, fill in ours.items():
        if trade_id not in seen:
            figures = f"{fill.quantity:f} at {fill.price:f}"
            found.append(
                Difference(f"{symbol} trade {trade_id}", "is not at the venue", ours=figures)
            )
    return found, foreign


def _unlike(name: str, fill: BookedFill, trade: VenueFill) -> list[Difference]:
    pairs: tuple[tuple[str, Decimal | str, Decimal | str], ...] = (
        ("price", fill.price, trade.price),
        ("quantity", fill.quantity, trade.quantity),
        ("commission", fill.commission, trade.commission),
    )
    if fill.commission or trade.commission:
        pairs += (("commission asset", fill.commission_asset, trade.commission_asset),)
    return [
        Difference(name, f"has another {what}", _word(ours), _word(theirs))
        for what, ours, theirs in pairs
        if ours != theirs
    ]


def books(
    name: str, state: PositionState, entries: Iterable[BookedFill | TakenOff]
) -> list[Difference]:
    """Compute a position again from its fills and what was taken off it, and compare.

    `entries` are in the order they were booked.
    """
    try:
        anew = _from_the_start(entries)
    except ValueError as error:
        return [Difference(name, f"cannot be computed from its fills: {error}", other="fills")]
    pairs = (
        ("quantity", state.quantity, anew.quantity),
        ("average entry price", state.average_entry_price, anew.average_entry_price),
        ("realised profit", state.realised_pnl, anew.realised_pnl),
        ("fees", state.fees_quote, anew.fees_quote),
        ("oversold quantity", state.excess_sold, anew.excess_sold),
    )
    return [
        Difference(
            name, f"has another {what} than its fills give", _word(ours), _word(theirs), "fills"
        )
        for what, ours, theirs in pairs
        if abs(ours - theirs) > LAST_DIGIT
    ]


def _from_the_start(entries: Iterable[BookedFill | TakenOff]) -> PositionState:
    state = FLAT
    for one in entries:
        if isinstance(one, TakenOff):
            state = take_off(state, one.quantity)
            continue
        state = apply_fill(
            state,
            one.side,
            one.price,
            one.quantity,
            fee_in_base=one.fee_in_base,
            fee_in_quote_value=one.fee_in_quote_value,
        )
    return state


def holdings(
    held: Mapping[str, Decimal], at_venue: Mapping[str, Decimal]
) -> tuple[list[Difference], dict[str, Decimal]]:
    """Compare what our accounts hold of each asset, together, with what the venue has for them.

    Less at the venue is a difference; more is not ours, and returned by asset.
    """
    found, more = [], {}
    for asset, ours in sorted(held.items()):
        theirs = at_venue.get(asset, ZERO)
        if theirs < ours:
            found.append(
                Difference(asset, "the venue has less than we hold", _word(ours), _word(theirs))
            )
        elif theirs > ours:
            more[asset] = theirs - ours
    return found, more


def open_orders(ours: Mapping[str, str], at_venue: Mapping[str, str]) -> list[Difference]:
    """Compare orders at rest, by client order id; the values are their states."""
    found = [
        Difference(f"order {name}", "is open here, not at the venue", ours=state)
        for name, state in sorted(ours.items())
        if name not in at_venue
    ]
    found += [
        Difference(f"order {name}", "is open at the venue, not here", theirs=state)
        for name, state in sorted(at_venue.items())
        if name not in ours
    ]
    return found


def _word(value: Decimal | str) -> str:
    return value if isinstance(value, str) else plain(value)
