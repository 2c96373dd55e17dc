"""Two pairs of eyes: acts that wait until somebody else approves them (FOUR_EYES).

`ask` is called by the use-case whose act waits; `approvals` lets it happen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils import timezone

from audit import trail
from trading.models import Approval

_CHANNEL = re.compile(r" \([^()]*\)$")


class SecondPersonNeeded(Exception):
    """The one who asked for an act cannot be the one who approves it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an act: done just now, waiting for a second person, or nothing to do."""

    is_done: bool
    waits: Approval | None = None

    def __bool__(self) -> bool:
        return self.is_done


def is_asked_for() -> bool:
    return bool(settings.FOUR_EYES)


def ensure_other(author: str, actor: str) -> None:
    """Raise SecondPersonNeeded when both are one person, by whatever road they came."""
    if is_same(author, actor):
        raise SecondPersonNeeded(f"{actor} asked for this: another must approve it.")


def is_same(author: str, actor: str) -> bool:
    return _name(author) == _name(actor)


def _name(actor: str) -> str:
    """Return the person's name without the road: ann is ann (command line)."""
    return _CHANNEL.sub("", actor).strip().casefold()


def ask(
    *,
    kind: Approval.Kind,
    target: str,
    wish: Mapping[str, Any],
    words: str,
    reason: str,
    actor: str,
) -> Approval:
    """Have an act wait, inside the caller's transaction. The same wish waits once; a different
    one for the same target takes its place."""
    waiting = Approval.objects.select_for_update().filter(
        kind=kind, target=target, state=Approval.State.PENDING
    )
    found = waiting.first()
    if found is not None and found.wish == dict(wish):
        return found
    if found is not None:
        decide(found, Approval.State.DECLINED, actor=actor, reason="another wish took its place")
    row = Approval.objects.create(
        kind=kind,
        target=target,
        wish=dict(wish),
        words=words[:300],
        reason=reason[:500],
        author=actor,
        asked_at=timezone.now(),
    )
    trail.record(entry("approval.asked", row, actor))
    return row


def withdraw(*, kind: Approval.Kind, target: str, actor: str, reason: str) -> None:
    """Decline what waits for a target: its ground is gone."""
    waiting = Approval.objects.select_for_update()
    for row in waiting.filter(kind=kind, target=target, state=Approval.State.PENDING):
        decide(row, Approval.State.DECLINED, actor=actor, reason=reason)


def decide(row: Approval, state: Approval.State, *, actor: str, reason: str) -> None:
    """Write a verdict down, with its line in the trail."""
    row.state = state
    row.decided_by, row.decided_at, row.decision_reason = actor, timezone.now(), reason[:500]
    row.save(update_fields=["state", "decided_by", "decided_at", "decision_reason"])
    trail.record(entry(f"approval.{state}", row, actor))


def entry(kind: str, row: Approval, actor: str) -> trail.Entry:
    return trail.Entry(
        kind=kind,
        actor=actor,
        subject_type="approval",
        subject_id=str(row.pk),
        data={
            "kind": row.kind,
            "target": row.target,
            "wish": row.wish,
            "words": row.words,
            "reason": row.decision_reason or row.reason,
            "author": row.author,
        },
    )
