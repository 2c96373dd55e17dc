"""Signals that a crash left between two steps."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from signals_app.models import Signal

FORGOTTEN_AFTER = timedelta(seconds=10)
ASKED_AGAIN_AFTER = timedelta(seconds=60)
BATCH = 500


def forgotten() -> list[int]:
    """Return ids of signals stored a while ago that nobody has acted on, oldest first.

    Acting on them is safe however often it happens; one that is too old by now is denied as stale,
    so it still ends in a visible outcome. One that was enqueued is told again after a minute at
    the earliest: while workers are behind, more tasks for the same signals would only put them
    further behind.
    """
    now = timezone.now()
    waiting = Signal.objects.filter(
        Q(enqueued_at__isnull=True) | Q(enqueued_at__lt=now - ASKED_AGAIN_AFTER),
        status=Signal.Status.RECEIVED,
        received_at__lt=now - FORGOTTEN_AFTER,
    )
    return list(waiting.order_by("received_at").values_list("pk", flat=True)[:BATCH])


def note_enqueued(signal_id: int) -> None:
    """Remember that there is a task for a signal; said only once the broker has it."""
    Signal.objects.filter(pk=signal_id).update(enqueued_at=timezone.now())
