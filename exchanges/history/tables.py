"""How the tables of candles and trades are made: partitions on PostgreSQL, clustered on SQLite.

PostgreSQL: partitioned by range of time, candles by year and trades by month. What is written is
nearly always the newest, so only the newest partition's index has to stay in memory; what is old
is dropped or moved as a whole; a query of a stretch of time opens the partitions it needs.
There is no default partition: rows in it would stand in the way of the partition they belong to.
Instead `ensure` makes what a batch needs before it is written, and a beat job makes the next ones
ahead so that the live path never has to.

SQLite: no ROWID, so that the primary key is the table and no second tree is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection as default_connection
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

FIRST_YEAR = 2017  # when the venue opened: what is older is made when it is asked for
LOCK = 0x70657472  # of advisory locks: two writers never make one partition at once


@dataclass(frozen=True, slots=True)
class Table:
    """One partitioned table: its rows' time column and how much time a partition holds."""

    name: str
    time: str
    months: int
    columns: str
    key: str


CANDLES = Table(
    "exchanges_candle",
    "opened_ms",
    12,
    """opened_ms bigint NOT NULL,
    open double precision NOT NULL, high double precision NOT NULL,
    low double precision NOT NULL, close double precision NOT NULL,
    volume double precision NOT NULL, quote_volume double precision NOT NULL,
    taker_volume double precision NOT NULL, taker_quote_volume double precision NOT NULL,
    series_id integer NOT NULL, trades integer NOT NULL""",
    "series_id, opened_ms",
)
TRADES = Table(
    "exchanges_trade",
    "at_ms",
    1,
    """at_ms bigint NOT NULL, trade_id bigint NOT NULL,
    price double precision NOT NULL, quantity double precision NOT NULL,
    series_id integer NOT NULL, trades integer NOT NULL, buyer_is_maker boolean NOT NULL""",
    "series_id, at_ms, trade_id",
)

_known: set[tuple[str, str]] = set()  # (database, partition) this process has seen committed


def create(connection: BaseDatabaseWrapper) -> None:
    """Make both tables, empty; candles with a partition for each year up to the next."""
    partitioned = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        for table in (CANDLES, TRADES):
            ending = f"PARTITION BY RANGE ({table.time})" if partitioned else "WITHOUT ROWID"
            cursor.execute(
                f"CREATE TABLE {table.name} ({table.columns}, PRIMARY KEY ({table.key})) {ending}"
            )
    ensure(CANDLES, _ms(FIRST_YEAR, 1), _ms(datetime.now(UTC).year + 1, 1), connection)


def drop(connection: BaseDatabaseWrapper) -> None:
    """Drop both tables with all they hold."""
    with connection.cursor() as cursor:
        for table in (CANDLES, TRADES):
            cursor.execute(f"DROP TABLE {table.name}")


def ensure(
    table: Table,
    first_ms: int,
    last_ms: int,
    connection: BaseDatabaseWrapper | None = None,
) -> list[str]:
    """Make what is missing of the partitions for rows of [first_ms, last_ms]; return their names.

    Safe beside other writers. Making one locks the table against reading for a moment.
    """
    connection = connection or default_connection
    if connection.vendor != "postgresql":
        return []
    database = str(connection.settings_dict["NAME"])
    wanted = [
        (name, start, end)
        for name, start, end in partitions(table, first_ms, last_ms)
        if (database, name) not in _known
    ]
    if not wanted:
        return []
    made = [name for name, start, end in wanted if _make(table, name, start, end, connection)]
    names = {(database, name) for name, _, _ in wanted}
    transaction.on_commit(lambda: _known.update(names), using=connection.alias)
    return made


def partitions(table: Table, first_ms: int, last_ms: int) -> Iterator[tuple[str, int, int]]:
    """Yield name, start and end (ms, excluded) of each partition that holds [first_ms, last_ms]."""
    first = datetime.fromtimestamp(first_ms / 1000, UTC)
    month = (first.year * 12 + first.month - 1) // table.months * table.months
    while (start := _ms(*divmod_month(month))) <= last_ms:
        year, number = divmod_month(month)
        name = f"{table.name}_{year:04}" + (f"_{number:02}" if table.months < 12 else "")
        month += table.months
        yield name, start, _ms(*divmod_month(month))


def divmod_month(months: int) -> tuple[int, int]:
    """Return year and month of a count of months since year 0."""
    return months // 12, months % 12 + 1


def _make(table: Table, name: str, start: int, end: int, connection: BaseDatabaseWrapper) -> bool:
    with connection.cursor() as cursor:
        if _exists(cursor, name):
            return False
        with transaction.atomic(using=connection.alias):
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            if _exists(cursor, name):
                return False
            cursor.execute(
                f"CREATE TABLE {name} PARTITION OF {table.name} "
                f"FOR VALUES FROM ({int(start)}) TO ({int(end)})"
            )
    return True


def _exists(cursor: Any, name: str) -> bool:
    cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [name])
    return bool(cursor.fetchone()[0])


def _ms(year: int, month: int) -> int:
    return int(datetime(year, month, 1, tzinfo=UTC).timestamp()) * 1000
