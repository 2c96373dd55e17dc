"""Signals that a crash left between two steps."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from signals_app.models import Signal

FORGOTTEN_AFTER = timedelta(seconds=10)
BATCH = 500


def forgotten() -> list[int]:
    """Return ids of signals stored a while ago that nobody has acted on, oldest first.

    Acting on them is safe however often it happens; one that is too old by now is denied as stale,
    so it still ends in a visible outcome.
    """
    limit = timezone.now() - FORGOTTEN_AFTER
    waiting = Signal.objects.filter(status=Signal.Status.RECEIVED, received_at__lt=limit)
    return list(waiting.order_by("received_at").values_list("pk", flat=True)[:BATCH])
