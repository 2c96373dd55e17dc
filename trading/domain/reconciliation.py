"""What to do next about one order whose truth is at the venue. Pure: facts and `now` in.

* A stored order nobody sent is sent while it is fresh, and called off when it is not.
* An order that may have been sent is asked for, and never sent again. 'Not found' proves nothing
  until the venue can no longer be working on the request: it refuses to start after the receive
  window and gives up 10 s later. After that, two answers of 'not found' prove it was not placed.
  Exits and protection are sent with a window of a second, which the venue checks again right
  before execution: their absence is proved within two seconds.
* An order whose venue figure is ahead of our booked fills has trades to fetch, whatever its state.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from trading.domain.figures import ZERO
from trading.domain.order_states import OrderStatus, is_final

_ANSWERS_FOR_PROOF = 2


@dataclass(frozen=True, slots=True)
class Timing:
    """Waits of reconciliation. Defaults fit Binance; `engine_timeout` is the venue's own."""

    recv_window: timedelta = timedelta(seconds=5)
    engine_timeout: timedelta = timedelta(seconds=10)
    margin: timedelta = timedelta(seconds=5)
    held_up_most: timedelta = timedelta(0)  # between the claim and the socket
    send_grace: timedelta = timedelta(seconds=2)  # leave a young order to whoever stored it
    max_send_age: timedelta = timedelta(seconds=60)
    first_query: timedelta = timedelta(seconds=1)
    in_flight_most: timedelta = timedelta(seconds=5)
    open_interval: timedelta = timedelta(seconds=5)
    open_most: timedelta = timedelta(seconds=10)


def urgent(timing: Timing, recv_window: timedelta) -> Timing:
    """Return the waits for exits and protection, which are sent with a small receive window."""
    return replace(
        timing,
        recv_window=recv_window,
        engine_timeout=timedelta(0),
        margin=timedelta(seconds=0.5),
        held_up_most=recv_window,
        send_grace=timedelta(seconds=1),
        first_query=timedelta(seconds=0.25),
        in_flight_most=timedelta(seconds=0.5),
    )


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """What our row says. Quantities in base units.

    `executed_quantity` is the venue's highest cumulative figure heard of, `booked_quantity` the
    sum of booked fills. `queries` counts queries since the last news, `last_query_at` when the
    last was sent; `not_found` counts answers of 'not found' in a row and `last_not_found_at` is
    when the query with the last such answer was sent. `goes_stale` is True for entries: an old
    wish to buy dies, an exit does not. `lost_at` is when its answer was lost: `submitted_at` is
    then when it went on the wire. `send_at` is when an order that the venue put off may be
    sent again.
    """

    status: OrderStatus
    created_at: datetime
    submitted_at: datetime | None = None
    executed_quantity: Decimal = ZERO
    booked_quantity: Decimal = ZERO
    queries: int = 0
    last_query_at: datetime | None = None
    not_found: int = 0
    last_not_found_at: datetime | None = None
    goes_stale: bool = True
    send_at: datetime | None = None
    lost_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    until: datetime


@dataclass(frozen=True, slots=True)
class Send:
    """Claim and send; the claim makes sure only one does."""


@dataclass(frozen=True, slots=True)
class Query:
    """Ask the venue by client order id."""


@dataclass(frozen=True, slots=True)
class FetchTrades:
    missing: Decimal  # base units not booked yet


@dataclass(frozen=True, slots=True)
class MarkNotPlaced:
    reason: str


@dataclass(frozen=True, slots=True)
class Done:
    """Final and fully booked."""


Step = Wait | Send | Query | FetchTrades | MarkNotPlaced | Done


def next_step(
    facts: OrderFacts, *, now: datetime, timing: Timing = Timing(), venue_healthy: bool = True
) -> Step:
    """Say what to do about one order now.

    `venue_healthy` is False while reads fail or the venue is known to lag: then nothing is ever
    taken as proof of absence.
    """
    missing = facts.executed_quantity - facts.booked_quantity
    if missing > 0:
        due = _next_query_at(facts, timing)
        return FetchTrades(missing) if due <= now else Wait(due)
    if is_final(facts.status):
        return Done()
    if facts.status is OrderStatus.NEW:
        return _unsent(facts, now, timing)
    if facts.status is OrderStatus.SUBMITTING and venue_healthy and _is_absent(facts, timing):
        return MarkNotPlaced("the venue does not know it and can no longer be working on it")
    due = _next_query_at(facts, timing)
    return Query() if due <= now else Wait(due)


def absence_provable_at(facts: OrderFacts, timing: Timing = Timing()) -> datetime:
    """Tell from when on an answer of 'not found' counts as proof."""
    sent = facts.submitted_at or facts.created_at
    if facts.lost_at is None:  # how long it was held up between claim and socket is not known
        sent += timing.held_up_most
    return sent + timing.recv_window + timing.engine_timeout + timing.margin


def _is_absent(facts: OrderFacts, timing: Timing) -> bool:
    if facts.last_not_found_at is None or facts.not_found < _ANSWERS_FOR_PROOF:
        return False
    return facts.last_not_found_at >= absence_provable_at(facts, timing)


def _unsent(facts: OrderFacts, now: datetime, timing: Timing) -> Step:
    age = now - facts.created_at
    if facts.goes_stale and age > timing.max_send_age:
        limit = timing.max_send_age.total_seconds()
        return MarkNotPlaced(f"never sent: {age.total_seconds():.0f} s old, limit {limit:.0f} s")
    due = facts.send_at or facts.created_at + timing.send_grace
    return Send() if due <= now else Wait(due)


def _next_query_at(facts: OrderFacts, timing: Timing) -> datetime:
    """Back off from the first query on: doubling for the unknown, slower for what rests."""
    in_flight = facts.status is OrderStatus.SUBMITTING
    if facts.last_query_at is None:
        started = facts.submitted_at or facts.created_at
        return started + (timing.first_query if in_flight else timing.open_interval)
    first, most = (
        (timing.first_query, timing.in_flight_most)
        if in_flight
        else (timing.open_interval, timing.open_most)
    )
    doublings = min(max(facts.queries - 1, 0), 10)
    due = facts.last_query_at + min(first * (1 << doublings), most)
    provable = absence_provable_at(facts, timing)
    if in_flight and facts.last_query_at < provable < due:
        return provable  # the answer that may prove it is asked for the moment it counts
    return due
