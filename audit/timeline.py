"""The trail of one thing, oldest first."""

from __future__ import annotations

from django.db.models import Q

from audit.models import Event

MOST = 300


def of_signal(uid: str) -> list[Event]:
    """Return what is on record about a signal, its decision, orders and fills included."""
    return list(Event.objects.filter(signal_uid=uid).order_by("id")[:MOST])


def of(*subjects: tuple[str, object]) -> list[Event]:
    """Return the latest of what is on record about each `(subject_type, id)`, in order."""
    wanted = Q()
    for subject_type, subject_id in subjects:
        wanted |= Q(subject_type=subject_type, subject_id=str(subject_id))
    latest = Event.objects.filter(wanted).order_by("-id")[:MOST] if subjects else []
    return sorted(latest, key=lambda event: event.pk)
