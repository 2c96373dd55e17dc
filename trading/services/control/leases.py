"""A lease with a fencing token, kept in the database that the holder writes to.

A process that was asleep while another took over finds its token outdated in the very transaction
in which it wants to act.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from foundation.statements import Select
from trading.models import GuardLease

GUARD = "guard"
LIFE = timedelta(seconds=1.5)


class Lost(Exception):
    """Another process holds the lease by now: whatever was about to be written must not be."""


@dataclass(frozen=True, slots=True)
class Held:
    """A lease that we hold until `expires_at`."""

    name: str
    holder: str
    token: int
    expires_at: datetime


def take(name: str, holder: str, *, life: timedelta = LIFE) -> Held | None:
    """Take a lease that is free, or has run out; None while another holds it."""
    now = timezone.now()
    GuardLease.objects.get_or_create(name=name)
    free = Q(expires_at=None) | Q(expires_at__lte=now) | Q(holder=holder)
    until = now + life
    taken = GuardLease.objects.filter(free, name=name).update(
        holder=holder, token=F("token") + 1, expires_at=until
    )
    if not taken:
        return None
    row = GuardLease.objects.filter(name=name, holder=holder).first()
    return Held(name, holder, row.token, until) if row is not None else None


def renew(held: Held, *, life: timedelta = LIFE) -> Held | None:
    """Keep a lease; None when another has taken it."""
    until = timezone.now() + life
    kept = GuardLease.objects.filter(name=held.name, holder=held.holder, token=held.token).update(
        expires_at=until
    )
    return Held(held.name, held.holder, held.token, until) if kept else None


def give_back(held: Held) -> None:
    """Let the next one take it at once."""
    GuardLease.objects.filter(name=held.name, holder=held.holder, token=held.token).update(
        expires_at=timezone.now()
    )


def check(held: Held) -> None:
    """Raise Lost unless we still hold the lease. Call it inside the transaction that acts.

    The row stays locked until that transaction ends, so no other can take over in between.
    """
    rows = GuardLease.objects.select_for_update().filter(
        name=held.name, holder=held.holder, token=held.token
    )
    if not rows.exists():
        raise Lost(f"the lease {held.name} of {held.holder} has gone to another")


def is_held(name: str, now: datetime) -> bool:
    """Say whether any process holds the lease at `now`."""
    return ask_held(name, now)()


def ask_held(name: str, now: datetime) -> Callable[[], bool]:
    """Send what `is_held` asks the database, for when the answer is wanted later."""
    expiries = _expiries.ask(name=name)
    return lambda: any(at is not None and at > now for (at,) in expiries())


@Select
def _expiries(name: str) -> QuerySet[GuardLease, Any]:
    return GuardLease.objects.filter(name=name).order_by().values_list("expires_at")
