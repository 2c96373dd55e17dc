"""Places for conditional orders: a venue takes few per symbol, and protection comes first.

Counted is what is really open on the venue account: ours in any role and from any of its virtual
accounts, and those of others as last seen in the venue's own list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone

from exchanges.domain.instruments import Instrument
from exchanges.domain.orders import STOP_TYPES, TRIGGER_TYPES, ExecutionReport
from exchanges.models import VenueAccount
from foundation.statements import Select
from trading.domain import client_ids
from trading.domain.order_states import OrderStatus
from trading.models import ForeignConditionals, Order

TAKES_A_PLACE = (
    OrderStatus.SUBMITTING,
    OrderStatus.PENDING,
    OrderStatus.OPEN,
    OrderStatus.PARTIALLY_FILLED,
)
CONDITIONAL = sorted(TRIGGER_TYPES)
COUNTED_AGAIN_AFTER = timedelta(seconds=2)


@Select
def ours(venue_account_id: int, symbol: str) -> QuerySet[Order]:
    """Return our open conditional orders in a symbol, of all virtual accounts there."""
    rows = Order.objects.filter(
        venue_account=venue_account_id,
        symbol=symbol,
        status__in=TAKES_A_PLACE,
        type__in=CONDITIONAL,
    )
    return rows.order_by("pk")


@Select
def foreign(venue_account_id: int, symbol: str) -> QuerySet[ForeignConditionals]:
    return ForeignConditionals.objects.filter(
        venue_account=venue_account_id, symbol=symbol
    ).order_by()


def free(venue_account_id: int, instrument: Instrument) -> int | None:
    """Return how many more conditional orders the venue takes; None when it sets no limit."""
    return ask_free(venue_account_id, instrument.symbol, instrument.max_algo_orders)()


def ask_free(
    venue_account_id: int, symbol: str, most: int, *, joining: int | None = None
) -> Callable[[], int | None]:
    """Send what `free` asks the database, for when the answer is wanted later.

    `joining` is an account whose position may join its stops into one: all but one of their
    places count as free.
    """
    if not most:
        return lambda: None
    own = ours.ask(venue_account_id=venue_account_id, symbol=symbol)
    others = foreign.ask(venue_account_id=venue_account_id, symbol=symbol)

    def answer() -> int:
        rows = own()
        stops = [o for o in rows if o.account_id == joining and o.role == Order.Role.STOP_LOSS]
        taken = len(rows) - max(len(stops) - 1, 0) + sum(row.count for row in others())
        return max(most - taken, 0)

    return answer


def is_old(venue_account_id: int, symbol: str, now: datetime) -> bool:
    """Say whether the count of others' orders is to be taken again: places they gave back are
    told by nobody."""
    rows = foreign.rows(venue_account_id=venue_account_id, symbol=symbol)
    return any(row.count and now - row.seen_at >= COUNTED_AGAIN_AFTER for row in rows)


def expendable(venue_account_id: int, symbol: str) -> list[Order]:
    """Return orders of ours that may give up their place to protection, least important first.

    Conditional entries first: without them nothing is bought. Then exits and targets: the stop
    that takes their place sells too. No stop of another position is ever taken.
    """
    rows = ours.rows(venue_account_id=venue_account_id, symbol=symbol)
    may_go = [
        order
        for order in rows
        if order.status == OrderStatus.OPEN
        and order.order_list_id is None
        and (order.role == Order.Role.ENTRY or order.type not in STOP_TYPES)
    ]
    return sorted(may_go, key=lambda order: (order.role != Order.Role.ENTRY, -order.pk))


def note_foreign(
    venue_account: VenueAccount, symbol: str, reports: Iterable[ExecutionReport]
) -> None:
    """Remember how many conditional orders of others the venue's list of open orders shows."""
    count = sum(
        1
        for report in reports
        if report.type in TRIGGER_TYPES and not client_ids.is_ours(report.client_order_id)
    )
    known = ForeignConditionals.objects.filter(venue_account=venue_account, symbol=symbol)
    now = timezone.now()
    if known.update(count=count, seen_at=now) or not count:
        return
    ForeignConditionals.objects.update_or_create(
        venue_account=venue_account, symbol=symbol, defaults={"count": count, "seen_at": now}
    )
