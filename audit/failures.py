"""Lines of the trail that could not be written: counted over all processes.

Whoever writes a line does so in the transaction of the change it tells of, so what cannot be put
on record does not happen. That it was refused is worth an alarm of its own. A database that is
away or busy is no refusal: nothing at all happens then.
"""

from __future__ import annotations

import time

import redis
import structlog
from django.db import DataError, ProgrammingError, connection, transaction

from audit import append_only
from audit.models import Event
from foundation import metrics, redis_client

log = structlog.get_logger(__name__)
BUCKET_SECONDS = 10
WINDOW_SECONDS = 60
KEPT_SECONDS = 120
REFUSED = (DataError, ProgrammingError)  # no right to write, no table, no room for the value


def note(error: Exception) -> None:
    """Count one line that could not be written; never raises."""
    metrics.AUDIT_FAILURES.inc()
    log.error("audit_not_written", error=str(error))
    try:
        with _redis().pipeline(transaction=False) as writes:
            writes.incr(_key(time.time()))
            writes.expire(_key(time.time()), KEPT_SECONDS)
            writes.execute()
    except redis.RedisError as away:
        log.warning("audit_failure_not_counted", error=str(away))


def recent() -> int:
    """Return how many were counted in the last minute. Raises RedisError."""
    now = time.time()
    keys = [_key(now - back) for back in range(0, WINDOW_SECONDS, BUCKET_SECONDS)]
    found: list[bytes | None] = _redis().mget(keys)  # type: ignore[assignment]
    return sum(int(count or 0) for count in found)


def objection() -> str:
    """Say why the trail cannot be relied on right now; empty when it can.

    A line is written and taken back, and the triggers that keep lines as they are are looked for.
    Raises OperationalError when the database is away.
    """
    try:
        with transaction.atomic():
            Event.objects.create(kind="audit.probe", actor="probe")
            transaction.set_rollback(True)
        if not append_only.is_installed(connection):
            return "the triggers that keep the audit trail append-only are gone"
    except REFUSED as error:
        return f"the audit trail cannot be written: {error}"[:300]
    return ""


def _key(at: float) -> str:
    return f"petrosa:audit:failures:{int(at // BUCKET_SECONDS)}"


def _redis() -> redis.Redis:
    return redis_client.patient(0.5)
