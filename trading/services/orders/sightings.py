"""Noting an order of ours that the books do not know: the note is the queue of adoption."""

from __future__ import annotations

from collections.abc import Iterable

import structlog
from django.db.models import Q
from django.utils import timezone

from exchanges.models import VenueAccount
from foundation import metrics
from trading.domain.order_states import OrderStatus
from trading.models import Order, UnknownOrder

log = structlog.get_logger(__name__)
NEVER_THERE = (OrderStatus.REJECTED, OrderStatus.NOT_PLACED)


def note(*, account: VenueAccount, symbol: str, client_order_id: str, actor: str) -> None:
    """Note one; noting it again changes nothing, unless it was settled without being adopted."""
    log.error("order_with_our_prefix_unknown", client_order_id=client_order_id, symbol=symbol)
    metrics.ERRORS.labels("unknown_order").inc()
    if not account.virtual_accounts.exists():
        return
    row = UnknownOrder(
        venue_account=account,
        symbol=symbol,
        client_order_id=client_order_id,
        seen_by=actor,
        seen_at=timezone.now(),
    )
    UnknownOrder.objects.bulk_create([row], ignore_conflicts=True)
    UnknownOrder.objects.filter(
        Q(order=None) | Q(order__status__in=NEVER_THERE),
        venue_account=account,
        client_order_id=client_order_id,
        settled_at__isnull=False,
    ).update(settled_at=None, outcome="", seen_at=row.seen_at, seen_by=actor)


def known(names: Iterable[str]) -> set[str]:
    """Return which of these client order ids our books take to be at the venue.

    A row that was refused or proven absent is not one: a backup that counts from further back may
    use an id again, and be refused for it, while the first order of that id rests at the venue.
    """
    rows = Order.objects.filter(client_order_id__in=list(names)).exclude(status__in=NEVER_THERE)
    return set(rows.values_list("client_order_id", flat=True))
