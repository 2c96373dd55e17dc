"""Who holds the lock that others wait for, from PostgreSQL's own books."""

from __future__ import annotations

from django.db import connection

from trading.domain.circuit_breakers import Blocker

# Who blocks and waits itself is no cause: the one it waits for is in the list too.
_BLOCKERS = """
SELECT holder.pid,
       EXTRACT(EPOCH FROM clock_timestamp() - holder.xact_start),
       COALESCE(holder.state, ''),
       COALESCE(NULLIF(holder.application_name, ''), 'no application name'),
       COALESCE(host(holder.client_addr), 'this machine'),
       COUNT(DISTINCT waits.pid),
       MAX(EXTRACT(EPOCH FROM clock_timestamp() - waits.waitstart))
FROM pg_locks AS waits
JOIN pg_stat_activity AS waiter ON waiter.pid = waits.pid
CROSS JOIN LATERAL unnest(pg_blocking_pids(waits.pid)) AS blocking(pid)
JOIN pg_stat_activity AS holder ON holder.pid = blocking.pid
WHERE NOT waits.granted
  AND waiter.datname = current_database()
  AND holder.wait_event_type IS DISTINCT FROM 'Lock'
GROUP BY 1, 2, 3, 4, 5
ORDER BY 2 DESC NULLS LAST
LIMIT 1
"""


def longest_blocker() -> Blocker | None:
    """Return the transaction that has been open longest of those that others wait for."""
    if connection.vendor != "postgresql":
        return None  # SQLite lets one write at a time, and gives up after 20 s
    with connection.cursor() as cursor:
        cursor.execute(_BLOCKERS)
        row = cursor.fetchone()
    if row is None:
        return None
    pid, open_for, state, application, address, waiting, longest = row
    return Blocker(
        pid=pid,
        who=f"{application}, {address}, {state or 'state unknown'}",
        open_seconds=float(open_for or 0),
        waiting=waiting,
        longest_wait=float(longest or 0),
    )
