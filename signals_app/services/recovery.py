"""Signals that a crash left between two steps."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from signals_app.models import Signal
from signals_app.services import intake

FORGOTTEN_AFTER = timedelta(seconds=10)
ASKED_AGAIN_AFTER = timedelta(seconds=60)
EXIT_FORGOTTEN_AFTER = timedelta(seconds=1)
EXIT_ASKED_AGAIN_AFTER = timedelta(seconds=2)
BATCH = 500


def forgotten() -> list[int]:
    """Return ids of entries stored a while ago that nobody has acted on, oldest first.

    Acting on them is safe however often it happens; one that is too old by now is denied as stale,
    so it still ends in a visible outcome. One that was enqueued is told again after a minute at
    the earliest: while workers are behind, more tasks for the same signals would only put them
    further behind.
    """
    waiting = _waiting(FORGOTTEN_AFTER, ASKED_AGAIN_AFTER)
    return _ids(waiting.exclude(action__in=intake.EXITS))


def forgotten_exits() -> list[int]:
    """Return ids of exits nobody has acted on: a worker that died with one costs two seconds."""
    waiting = _waiting(EXIT_FORGOTTEN_AFTER, EXIT_ASKED_AGAIN_AFTER)
    return _ids(waiting.filter(action__in=intake.EXITS))


def _waiting(forgotten_after: timedelta, asked_again_after: timedelta) -> QuerySet[Signal]:
    now = timezone.now()
    return Signal.objects.filter(
        Q(enqueued_at__isnull=True) | Q(enqueued_at__lt=now - asked_again_after),
        status=Signal.Status.RECEIVED,
        received_at__lt=now - forgotten_after,
    )


def _ids(waiting: QuerySet[Signal]) -> list[int]:
    return list(waiting.order_by("received_at").values_list("pk", flat=True)[:BATCH])


def note_enqueued(signal_id: int) -> None:
    """Remember that there is a task for a signal; said only once the broker has it."""
    Signal.objects.filter(pk=signal_id).update(enqueued_at=timezone.now())
