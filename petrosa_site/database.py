"""How long PostgreSQL and we wait for each other. No wait is without end, on either side.

A host that dies while it holds a row lock says nothing: by the defaults of Linux the server keeps
its transaction, and the lock, for more than two hours. So the server is told with every connection
when to end it, and our own side gives a server up that no longer answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds; 0 leaves a wait to the server's own configuration."""

    connect: int
    lock: int
    statement: int
    long_statement: int
    idle_in_transaction: int
    dead_peer: int


def parameters(timeouts: Timeouts, given: dict[str, Any], *, is_patient: bool) -> dict[str, Any]:
    """Return the parameters of a connection; `given`, as DATABASE_URL has them, come first."""
    server = _for_server(timeouts, is_patient=is_patient)
    words = " ".join(f"-c {name}={value}" for name, value in server.items())
    options = f"{words} {given.get('options', '')}".strip()  # of two values the later holds
    return {
        **_for_client(timeouts),
        **given,
        **({"options": options} if options else {}),
    }


def _for_client(timeouts: Timeouts) -> dict[str, int]:
    found = {"connect_timeout": timeouts.connect} if timeouts.connect else {}
    if seconds := timeouts.dead_peer:
        idle = max(1, seconds // 2)
        found |= {
            "keepalives": 1,
            "keepalives_idle": idle,
            "keepalives_interval": 1,
            "keepalives_count": max(1, seconds - idle),
            "tcp_user_timeout": seconds * 1000,
        }
    return found


def _for_server(timeouts: Timeouts, *, is_patient: bool) -> dict[str, str]:
    statement = timeouts.long_statement if is_patient else timeouts.statement
    found = {
        "lock_timeout": timeouts.lock,
        "statement_timeout": statement,
        "idle_in_transaction_session_timeout": timeouts.idle_in_transaction,
        "client_connection_check_interval": timeouts.dead_peer,
    }
    told = {name: f"{seconds}s" for name, seconds in found.items() if seconds}
    if seconds := timeouts.dead_peer:
        idle = max(1, seconds // 2)
        told |= {
            "tcp_keepalives_idle": str(idle),
            "tcp_keepalives_interval": "1",
            "tcp_keepalives_count": str(max(1, seconds - idle)),
            "tcp_user_timeout": str(seconds * 1000),
        }
    return told


def be_patient(options: dict[str, Any]) -> None:
    """Let this process and its children run long statements; for what reads and reckons for long.

    `options`: the parameters of a patient connection (settings.DATABASE_PATIENT_OPTIONS).
    """
    for name in connections:
        if connections[name].vendor == "postgresql":
            connections.settings[name]["OPTIONS"].update(options)
    connections.close_all()


def lift_for_migrations(using: str, seconds: int) -> None:
    """Give migrations the long statement timeout, and time to think between statements."""
    _run(
        connections[using],
        f"SET statement_timeout = '{seconds}s'",
        f"SET idle_in_transaction_session_timeout = '{seconds}s'",
    )


def restore_after_migrations(using: str) -> None:
    _run(
        connections[using],
        "RESET statement_timeout",
        "RESET idle_in_transaction_session_timeout",
    )


def _run(connection: BaseDatabaseWrapper, *statements: str) -> None:
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
