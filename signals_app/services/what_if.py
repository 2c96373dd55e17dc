"""What a signal would come to if it were sent now; it is read by the same rules and not stored."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from signals_app.payload import wire
from signals_app.services import routing
from trading.services.orders import previews


def look(body: bytes, *, actor: str, now: datetime) -> previews.Preview:
    """Preview the signal in `body`. Raises PayloadError as the real door would refuse it,
    routing.NotLive and accounts.NoAccount."""
    draft = wire.parse(body, max_bytes=settings.SIGNAL_MAX_BYTES, received_at=now)
    intent = routing.intent_of(draft, uid=previews.UID, correlation_id="", actor=actor)
    routing.refuse_unless_live(intent)
    return previews.look(intent)
