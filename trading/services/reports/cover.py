"""How positions are protected right now, in words: at the venue, by our guard, or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from django.conf import settings
from django.utils import timezone

from trading.domain.figures import ZERO, plain
from trading.domain.order_states import OrderStatus
from trading.models import Order, Position
from trading.services.control import leases

RESTING = (OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED)


class State(StrEnum):
    FLAT = "flat"
    DUST = "dust"  # too small for the venue to take an order
    PROTECTED = "protected"  # by stops at the venue
    GUARDED = "guarded"  # by our guard process, in part or wholly
    PLACING = "placing"  # within the grace after a fill
    PARTLY = "partly covered"
    NO_LEVEL = "no stop level"
    NAKED = "naked"


@dataclass(frozen=True, slots=True)
class Cover:
    """One position's protection. `covered` stands under `stops` live stops at the venue, `guarded`
    under a stop that our guard holds; base units. `lines` are sentences for people, what is missing
    first."""

    state: State
    stops: int = 0
    covered: Decimal = ZERO
    guarded: Decimal = ZERO
    lines: tuple[str, ...] = ()


def of(positions: Iterable[Position]) -> dict[int, Cover]:
    """Describe positions, by id, in two queries at most."""
    rows = list(positions)
    live = _live_stops([row for row in rows if row.is_open])
    now = timezone.now()
    needs_guard = any(row.is_open and row.guarded_quantity for row in rows)
    has_guard = needs_guard and leases.is_held(leases.GUARD, now)
    found = {}
    for row in rows:
        stops, covered = live.get((row.account_id, row.symbol), (0, ZERO))
        found[row.pk] = _Description(row, stops, covered, has_guard, now).cover()
    return found


def _live_stops(rows: list[Position]) -> dict[tuple[int, str], tuple[int, Decimal]]:
    if not rows:
        return {}
    orders = Order.objects.filter(
        account__in={row.account_id for row in rows},
        symbol__in={row.symbol for row in rows},
        role=Order.Role.STOP_LOSS,
        status__in=RESTING,
    )
    found: dict[tuple[int, str], tuple[int, Decimal]] = {}
    columns = ("account", "symbol", "quantity", "booked_quantity")
    for account, symbol, quantity, booked in orders.order_by().values_list(*columns):
        stops, covered = found.get((account, symbol), (0, ZERO))
        found[account, symbol] = (stops + 1, covered + quantity - booked)
    return found


@dataclass(frozen=True, slots=True)
class _Description:
    row: Position
    stops: int
    covered: Decimal
    has_guard: bool
    now: datetime

    def cover(self) -> Cover:
        row = self.row
        if not row.is_open:
            return Cover(State.FLAT)
        state = self._state()
        told = (self._missing(state), self._shortfall(), self._guard(), self._venue(), self._gap())
        return Cover(
            state=state,
            stops=self.stops,
            covered=self.covered,
            guarded=row.guarded_quantity,
            lines=tuple(line for line in told if line),
        )

    def _state(self) -> State:
        row = self.row
        if row.is_dust:
            return State.DUST
        if row.guarded_quantity and not self.has_guard:
            return State.PARTLY if self.covered else State.NAKED
        if row.naked_since is not None:
            grace = timedelta(seconds=float(settings.PROTECTION_GRACE_SECONDS))
            if self.now - row.naked_since < grace:
                return State.PLACING
            return State.PARTLY if self.covered else State.NAKED
        if row.guarded_quantity:
            return State.GUARDED
        if self.covered:
            return State.PROTECTED
        return State.NO_LEVEL if row.stop_price is None else State.NAKED

    def _missing(self, state: State) -> str:
        row = self.row
        if state is State.NO_LEVEL:
            return "No stop is wanted for it: send one with the next entry, or sell it."
        if state is State.PLACING:
            return "Its stop is being placed."
        if state not in (State.NAKED, State.PARTLY):
            return ""
        if row.guarded_quantity and not self.has_guard:
            held = plain(row.guarded_quantity)
            return f"The guard that should hold the stop of {held} does not run: start it, or sell."
        since = f"{row.naked_since:%H:%M:%S} UTC" if row.naked_since else "just now"
        bare = max(row.quantity - row.shortfall - self.covered, ZERO)
        return (
            f"{plain(bare)} of {plain(row.quantity)} without a stop since {since}: {self._next()}."
        )

    def _next(self) -> str:
        row = self.row
        if row.stop_price is None:
            return "it has no stop level, close it"
        if not row.refused_count:
            return "it is tried again within a second"
        times = "once" if row.refused_count == 1 else f"{row.refused_count} times in a row"
        if row.refused_until is not None and row.refused_until > self.now:
            return f"the venue refused it {times}, the next try is at {row.refused_until:%H:%M:%S}"
        return f"the venue refused it {times}"

    def _shortfall(self) -> str:
        row = self.row
        if not row.shortfall:
            return ""
        return (
            f"{plain(row.shortfall)} of {plain(row.quantity)} is not at the venue:"
            " find out where it went, then settle it."
        )

    def _guard(self) -> str:
        row = self.row
        if not row.guarded_quantity or not self.has_guard:
            return ""
        why = f"the venue takes no more conditional orders in {row.symbol}"
        if row.refused_count:
            why = self._next()
        at = f" at {plain(row.stop_price)}" if row.stop_price is not None else ""
        return f"Our guard holds the stop of {plain(row.guarded_quantity)}{at}: {why}."

    def _venue(self) -> str:
        if not self.stops:
            return ""
        verb = "stop at the venue covers" if self.stops == 1 else "stops at the venue cover"
        return f"{self.stops} {verb} {plain(self.covered)} of {plain(self.row.quantity)}."

    def _gap(self) -> str:
        ms = self.row.gap_ms
        return "" if ms is None else f"Longest gap while a stop was replaced: {ms} ms."
