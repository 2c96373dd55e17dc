"""Noting an order of ours that the books do not know: the note is the queue of adoption."""

from __future__ import annotations

from collections.abc import Iterable

import structlog
from django.utils import timezone

from audit import metrics
from exchanges.models import VenueAccount
from trading.models import Order, UnknownOrder

log = structlog.get_logger(__name__)


def note(*, environment: str, symbol: str, client_order_id: str, actor: str) -> None:
    """Note one; noting it again changes nothing, unless it was settled without being adopted."""
    trading = VenueAccount.objects.filter(environment=environment, virtual_accounts__isnull=False)
    venue_account = trading.order_by("pk").first()
    log.error("order_with_our_prefix_unknown", client_order_id=client_order_id, symbol=symbol)
    metrics.ERRORS.labels("unknown_order").inc()
    if venue_account is None:
        return
    row = UnknownOrder(
        venue_account=venue_account,
        symbol=symbol,
        client_order_id=client_order_id,
        seen_by=actor,
        seen_at=timezone.now(),
    )
    UnknownOrder.objects.bulk_create([row], ignore_conflicts=True)
    UnknownOrder.objects.filter(
        venue_account=venue_account,
        client_order_id=client_order_id,
        order=None,
        settled_at__isnull=False,
    ).update(settled_at=None, outcome="", seen_at=row.seen_at, seen_by=actor)


def known(names: Iterable[str]) -> set[str]:
    """Return which of these client order ids have a row in the books."""
    rows = Order.objects.filter(client_order_id__in=list(names))
    return set(rows.values_list("client_order_id", flat=True))
