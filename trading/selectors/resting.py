"""Entries that a stop does not reach: they rest at the venue already and may fill there."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from trading.domain.order_states import OPEN_STATUSES
from trading.models import Order

NAMED = 100
API_LIST = "/api/v1/orders/?role=entry&is_open=true"
ADMIN_FILTER = f"role__exact=entry&status__in={','.join(sorted(OPEN_STATUSES))}"


def entries() -> QuerySet[Order]:
    """Return entry orders that are, or for all we know may be, live at a venue."""
    return Order.objects.filter(role=Order.Role.ENTRY, status__in=sorted(OPEN_STATUSES))


def as_json() -> dict[str, Any]:
    """Count them and say where each is found; at most NAMED are named, the list has them all."""
    newest = entries().order_by("-id").values_list("pk", flat=True)[:NAMED]
    urls = [f"/api/v1/orders/{pk}/" for pk in newest]
    count = len(urls) if len(urls) < NAMED else entries().count()
    return {"resting_entries": count, "resting_entry_urls": urls, "resting_entries_list": API_LIST}


def in_words(count: int) -> str:
    """Say it for people; empty when nothing rests."""
    if not count:
        return ""
    return "1 entry still rests" if count == 1 else f"{count} entries still rest"
