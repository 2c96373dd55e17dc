"""Settling a shortfall: what the books hold and the venue does not is taken off, on record."""

from __future__ import annotations

from decimal import Decimal

import structlog
from django.db import transaction
from django.utils import timezone

from audit import trail
from exchanges import catalogue
from exchanges.domain.instruments import Instrument
from foundation import locks
from trading.domain import positions
from trading.domain import protection as decider
from trading.domain.figures import ZERO, plain
from trading.domain.positions import PositionState
from trading.models import Fill, Position, PositionAdjustment, VirtualAccount
from trading.services.money import equity
from trading.services.orders import closed_trades
from trading.services.protection import keeper, situations

log = structlog.get_logger(__name__)
WAIT_FOR_THE_RIGHT = 3.0  # seconds
LONGEST_REASON = 500


class Refused(Exception):
    """A shortfall that was not settled: `code` for programs, the message for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def settle(position_id: int, *, actor: str, reason: str) -> PositionAdjustment:
    """Take the noted shortfall of a position off the books, at cost.

    The venue is asked first: a fresh balance must confirm the very same shortfall. Raises Refused
    when there is none, when the venue says otherwise or the position moves; VenueError when the
    venue does not answer; Position.DoesNotExist.
    """
    reason = _checked(reason)
    with locks.at(keeper.locked_as(position_id), wait=WAIT_FOR_THE_RIGHT) as got_it:
        if not got_it:
            raise Refused(
                "POSITION_BUSY",
                "Orders of this position are being changed right now: try again in a few seconds.",
            )
        position = Position.objects.select_related("account__venue_account").get(pk=position_id)
        if not position.is_open or not position.shortfall:
            raise Refused(
                "NO_SHORTFALL",
                f"{position.symbol} in {position.account.name} has no shortfall: the venue has all"
                " that the books say, as far as is known. Nothing was changed.",
            )
        instrument = _instrument(position)
        seen = _confirm(position, instrument, actor)
        return _take_off(seen, instrument, actor, reason)


def _checked(reason: str) -> str:
    reason = reason.strip()
    if not reason:
        raise Refused("REASON_MISSING", "Say where the coins went: the reason is kept.")
    if len(reason) > LONGEST_REASON:
        raise Refused("REASON_TOO_LONG", f"Say it in {LONGEST_REASON} characters at most.")
    return reason


def _instrument(position: Position) -> Instrument:
    venue = position.account.venue_account.venue
    instrument = catalogue.get(venue, position.symbol)
    if instrument is None:
        raise Refused(
            "SYMBOL_UNKNOWN",
            f"{venue} does not list {position.symbol}: what is there cannot be asked.",
        )
    return instrument


def _confirm(position: Position, instrument: Instrument, actor: str) -> Position:
    """Ask the venue what it has; return the position as it was before and after that.

    One that trades meanwhile is refused: the venue's word is about another moment then.
    """
    free = keeper.free_base(position, instrument.base_asset)
    situation = situations.look(position, situations.Learned(free=free), actor)
    missing = decider.plan(situation).shortfall if situation is not None else ZERO
    if missing == position.shortfall:
        return position
    # What protects it, and the note of what is missing, follow the venue's newest word.
    Position.objects.filter(pk=position.pk).update(next_look_at=timezone.now())
    raise Refused(
        "SHORTFALL_CHANGED",
        f"The venue was asked just now: {plain(missing)} {instrument.base_asset} is missing, not "
        f"{plain(position.shortfall)}. Nothing was changed. Look at the position again, then "
        "settle what is missing by then.",
    )


def _take_off(
    seen: Position, instrument: Instrument, actor: str, reason: str
) -> PositionAdjustment:
    with transaction.atomic():
        accounts = VirtualAccount.objects.select_for_update(of=("self",), no_key=True)
        account = accounts.select_related("venue_account").get(pk=seen.account_id)
        position = Position.objects.select_for_update(no_key=True).get(pk=seen.pk)
        if position.updated_at != seen.updated_at or position.shortfall != seen.shortfall:
            raise Refused(
                "POSITION_MOVED",
                f"{position.symbol} has traded while the venue was asked. Nothing was changed: look"
                " at the position again.",
            )
        position.account = account
        now = timezone.now()
        row = PositionAdjustment.objects.create(
            position=position,
            after_fill=_last_fill(position),
            quantity=position.shortfall,
            price=position.average_entry_price,
            reason=reason,
            actor=actor,
            at=now,
        )
        mark = position.mark_price or position.average_entry_price
        open_profit = row.quantity * (mark - row.price)
        equity.take_off(account, cost=row.cost, open_profit=open_profit)
        lines = _change(position, row, mark, instrument, actor)
        trail.record(_line(row, position, account), *lines)
    log.warning("shortfall_settled", position=position.pk, quantity=plain(row.quantity))
    return row


def _last_fill(position: Position) -> Fill:
    """Return the newest fill: the position's lock is held, so none is booked beside this."""
    rows = Fill.objects.filter(order__account=position.account_id, symbol=position.symbol)
    return rows.order_by("-pk")[0]


def _change(
    position: Position,
    row: PositionAdjustment,
    mark: Decimal,
    instrument: Instrument,
    actor: str,
) -> list[trail.Entry]:
    """Write the position's new books; one that holds nothing closes like any other."""
    state = PositionState(
        quantity=position.quantity, average_entry_price=position.average_entry_price
    )
    left = positions.take_off(state, row.quantity)
    position.quantity = left.quantity
    position.average_entry_price = left.average_entry_price
    position.shortfall = ZERO
    position.updated_at = row.at
    # Its orders are fitted to what is left at once, by the guard.
    position.next_look_at = row.at
    lines = []
    if positions.is_dust(left.quantity, mark, instrument):
        lines = closed_trades.end(position, now=row.at, actor=actor)
    if not left.quantity:
        position.is_open = position.is_dust = False
        position.closed_at = row.at
        position.naked_since = None
        position.guarded_quantity = ZERO
        position.alarm = ""
    position.save(
        update_fields=[
            "quantity",
            "average_entry_price",
            "shortfall",
            "guarded_quantity",
            "is_open",
            "is_dust",
            "naked_since",
            "alarm",
            "closed_at",
            "next_look_at",
            "updated_at",
            *closed_trades.COLUMNS,
        ]
    )
    return lines


def _line(row: PositionAdjustment, position: Position, account: VirtualAccount) -> trail.Entry:
    data: dict[str, object] = {
        "taken_off": f"{row.quantity:f}",
        "price": f"{row.price:f}",
        "cost": f"{row.cost:f}",
        "left": f"{position.quantity:f}",
        "capital": f"{account.capital:f}" if account.capital is not None else None,
        "reason": row.reason,
    }
    return keeper.position_entry(position, "position.shortfall_settled", row.actor, data)
