"""Order states, the legal moves between them, and how venue news becomes a move.

The venue's news comes by three roads (reply, user stream, query) in any order and more than once.
Status follows it by the table below; fills are booked on their own, whatever the status says.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from exchanges.domain.orders import VenueStatus


class OrderStatus(StrEnum):
    NEW = "NEW"  # stored, never sent
    SUBMITTING = "SUBMITTING"  # claimed for sending; until news comes the outcome is unknown
    PENDING = "PENDING"  # leg of an order list, waits for its working order
    OPEN = "OPEN"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"  # ended by the venue; may carry fills
    REJECTED = "REJECTED"  # refused by the venue
    NOT_PLACED = "NOT_PLACED"  # proven never to have reached the venue


FINAL_STATUSES = frozenset(
    {
        OrderStatus.FILLED,
        OrderStatus.CANCELED,
        OrderStatus.EXPIRED,
        OrderStatus.REJECTED,
        OrderStatus.NOT_PLACED,
    }
)
OPEN_STATUSES = frozenset(
    {
        OrderStatus.SUBMITTING,  # may be live at the venue: it counts as open until disproved
        OrderStatus.PENDING,
        OrderStatus.OPEN,
        OrderStatus.PARTIALLY_FILLED,
    }
)

_NEW, _SUBMITTING, _PENDING = OrderStatus.NEW, OrderStatus.SUBMITTING, OrderStatus.PENDING
_OPEN, _PARTIAL, _FILLED = OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED
_CANCELED, _EXPIRED = OrderStatus.CANCELED, OrderStatus.EXPIRED
_REJECTED, _NOT_PLACED = OrderStatus.REJECTED, OrderStatus.NOT_PLACED

TRANSITIONS: dict[OrderStatus, frozenset[OrderStatus]] = {
    _NEW: frozenset(
        {
            _SUBMITTING,  # claimed by exactly one sender
            _NOT_PLACED,  # too old to send, or called off before it was sent
            # News about an order we believe unsent: a restored backup, or a sibling leg of a list
            # whose reply overtook our own commit. The venue is right.
            _PENDING,
            _OPEN,
            _PARTIAL,
            _FILLED,
            _CANCELED,
            _EXPIRED,
            _REJECTED,
        }
    ),
    _SUBMITTING: frozenset(
        {
            _NEW,  # proven not sent (rate limit, refused connection): may be sent while fresh
            _NOT_PLACED,  # proven absent at the venue
            _REJECTED,
            _PENDING,
            _OPEN,
            _PARTIAL,
            _FILLED,  # a market order is filled in its own reply
            _CANCELED,  # placed, reply lost, cancelled by hand before we asked
            _EXPIRED,  # IOC and FOK end in their own reply, with or without fills
        }
    ),
    _PENDING: frozenset(
        {
            _OPEN,
            _PARTIAL,  # activated and hit before we heard of the activation
            _FILLED,
            _CANCELED,
            _EXPIRED,  # the working order ended, or the leg was refused on activation
            _REJECTED,
        }
    ),
    _OPEN: frozenset({_PARTIAL, _FILLED, _CANCELED, _EXPIRED, _REJECTED}),
    # Back to OPEN is missing on purpose: that news is older than the fill.
    _PARTIAL: frozenset({_FILLED, _CANCELED, _EXPIRED}),
    _FILLED: frozenset(),
    # A fill races a cancel or an expiry: when the rest turns out to be filled, it is filled.
    # Part of it filled late changes the fills and not the status.
    _CANCELED: frozenset({_FILLED}),
    _EXPIRED: frozenset({_FILLED}),
    # Late arrivals: what was refused or proven absent is at the venue after all (a refusal of a
    # duplicate, a lagging query). The venue is right, and an alarm must ring.
    _REJECTED: frozenset({_PENDING, _OPEN, _PARTIAL, _FILLED, _CANCELED, _EXPIRED}),
    _NOT_PLACED: frozenset({_PENDING, _OPEN, _PARTIAL, _FILLED, _CANCELED, _EXPIRED, _REJECTED}),
}

_REPORTED: dict[VenueStatus, OrderStatus] = {
    VenueStatus.PENDING: _PENDING,
    VenueStatus.OPEN: _OPEN,
    VenueStatus.PARTIALLY_FILLED: _PARTIAL,
    VenueStatus.FILLED: _FILLED,
    VenueStatus.CANCELED: _CANCELED,
    VenueStatus.EXPIRED: _EXPIRED,
    VenueStatus.REJECTED: _REJECTED,
}


def can_move(current: OrderStatus, target: OrderStatus) -> bool:
    return target in TRANSITIONS[current]


def is_final(status: OrderStatus) -> bool:
    return status in FINAL_STATUSES


def still_to_come(
    status: OrderStatus, *, quantity: Decimal, executed: Decimal, booked: Decimal
) -> Decimal:
    """Return what an order may still add to our books: what is left of it or, once it has ended,
    what the venue has filled and nobody has booked yet."""
    return max((executed if is_final(status) else quantity) - booked, Decimal(0))


def is_open(status: OrderStatus) -> bool:
    """Say whether the order is, or may be, working at the venue."""
    return status in OPEN_STATUSES


def is_late_arrival(current: OrderStatus, moved_to: OrderStatus) -> bool:
    """Say whether a move contradicts what we had proven, so that an alarm must ring."""
    return current in (_REJECTED, _NOT_PLACED) and moved_to in TRANSITIONS[current]


def next_status(
    current: OrderStatus,
    reported: VenueStatus,
    executed_quantity: Decimal | None = None,
    quantity: Decimal | None = None,
) -> OrderStatus | None:
    """Turn venue news into the status to move to; None when it is old news or changes nothing.

    `executed_quantity` is the highest cumulative figure known (report or booked fills, base
    units), `quantity` the order's own; either may be None when unknown. Fills carried by the news
    must be booked even when this returns None.
    """
    target = _with_fills(_REPORTED[reported], executed_quantity, quantity)
    return target if can_move(current, target) else None


def _with_fills(
    status: OrderStatus, executed: Decimal | None, quantity: Decimal | None
) -> OrderStatus:
    """Correct the reported word by the executed figure: all filled is FILLED, whatever it says."""
    if not executed:
        return status
    if quantity and executed >= quantity:
        return _FILLED
    return _PARTIAL if status in (_PENDING, _OPEN) else status
