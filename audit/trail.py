"""Writing the trail: one call per transaction, rows first, news to watchers after the commit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils import timezone

from audit import failures, live
from audit.models import Event
from foundation.statements import ask_insert


@dataclass(frozen=True, slots=True)
class Entry:
    """One line for the trail. `data` must be JSON-ready (Decimals and datetimes are fine)."""

    kind: str
    actor: str
    subject_type: str = ""
    subject_id: str = ""
    correlation_id: str = ""
    signal_uid: str = ""
    environment: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


def record(*entries: Entry) -> None:
    """Write `entries` inside the caller's transaction; raise when there is none.

    The caller's row change and its trail commit or vanish together. Watchers hear of it only
    after the commit, and a deaf watcher never fails the trade.
    """
    if not entries:
        return
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError(
            "audit.trail.record() belongs inside the transaction of the change it tells of"
        )
    now = timezone.now()
    rows = [
        Event(
            at=now,
            kind=e.kind,
            actor=e.actor,
            subject_type=e.subject_type,
            subject_id=e.subject_id,
            correlation_id=e.correlation_id,
            signal_uid=e.signal_uid,
            environment=e.environment,
            data=dict(e.data),
        )
        for e in entries
    ]
    try:
        events = ask_insert(rows)
    except failures.REFUSED as error:
        failures.note(error)
        raise
    transaction.on_commit(lambda: live.publish(events()), robust=True)
