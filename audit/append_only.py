"""Database triggers that keep the audit trail append-only, on SQLite and PostgreSQL."""

from __future__ import annotations

from typing import Any

TABLE = "audit_event"
REFUSAL = "audit rows are append-only"

_SQLITE_INSTALL = [
    f"CREATE TRIGGER IF NOT EXISTS {TABLE}_no_{verb.lower()} BEFORE {verb} ON {TABLE} "
    f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
    for verb in ("UPDATE", "DELETE")
]
_SQLITE_REMOVE = [f"DROP TRIGGER IF EXISTS {TABLE}_no_{v}" for v in ("update", "delete")]

_POSTGRES_REMOVE = [
    f"DROP TRIGGER IF EXISTS {TABLE}_no_change ON {TABLE}",
    f"DROP TRIGGER IF EXISTS {TABLE}_no_truncate ON {TABLE}",
]
_POSTGRES_INSTALL = [
    f"""CREATE OR REPLACE FUNCTION {TABLE}_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'integrity_constraint_violation'; END $$""",
    *_POSTGRES_REMOVE,
    f"""CREATE TRIGGER {TABLE}_no_change BEFORE UPDATE OR DELETE ON {TABLE}
    FOR EACH ROW EXECUTE FUNCTION {TABLE}_refuse()""",
    f"""CREATE TRIGGER {TABLE}_no_truncate BEFORE TRUNCATE ON {TABLE}
    FOR EACH STATEMENT EXECUTE FUNCTION {TABLE}_refuse()""",
]


def install(connection: Any) -> None:
    """Put the triggers in place; harmless when they are there. Unknown databases are refused."""
    _run(connection, {"sqlite": _SQLITE_INSTALL, "postgresql": _POSTGRES_INSTALL})


def remove(connection: Any) -> None:
    """Take the triggers away: only for tests that must empty their tables."""
    _run(connection, {"sqlite": _SQLITE_REMOVE, "postgresql": _POSTGRES_REMOVE})


def is_installed(connection: Any) -> bool:
    """Say whether every trigger is in place and switched on."""
    asked = {
        "sqlite": "SELECT count(*) FROM sqlite_master WHERE type = 'trigger'"
        " AND tbl_name = %s AND name LIKE %s",
        "postgresql": "SELECT count(*) FROM pg_trigger WHERE tgrelid = CAST(%s AS regclass)"
        " AND tgenabled <> 'D' AND tgname LIKE %s",
    }[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(asked, [TABLE, f"{TABLE}_no_%"])
        return bool(cursor.fetchone()[0] >= 2)


def _run(connection: Any, by_vendor: dict[str, list[str]]) -> None:
    statements = by_vendor.get(connection.vendor)
    if statements is None:
        raise RuntimeError(f"No append-only triggers for {connection.vendor}: use PostgreSQL.")
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
