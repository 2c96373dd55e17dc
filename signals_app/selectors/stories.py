"""Reading a signal's whole story: what was said, decided, sent, filled and written down."""

from __future__ import annotations

from dataclasses import dataclass

from audit.models import Event
from signals_app.models import Signal
from trading.models import Order

MOST_EVENTS = 1000


@dataclass(frozen=True, slots=True)
class Story:
    """`orders` carry their fills; `audit` is in the order things happened."""

    signal: Signal
    orders: list[Order]
    audit: list[Event]


def story(uid: str) -> Story:
    """Return everything known of one signal, in five queries. Raise Signal.DoesNotExist."""
    signal = Signal.objects.select_related("decision__account", "replay_of").get(uid=uid)
    orders = (
        Order.objects.filter(signal_uid=uid)
        .select_related("account", "venue_account")
        .prefetch_related("fills")
        .order_by("pk")
    )
    events = Event.objects.filter(signal_uid=uid).order_by("pk")[:MOST_EVENTS]
    return Story(signal, list(orders), list(events))
