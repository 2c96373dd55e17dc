"""Candles into the database and out of it, as columns and in bulk.

store.store(venue=venue("mainnet"), symbol="BTCUSDT", interval="1m", rows=candles)
store.load(venue=venue("mainnet"), symbol="BTCUSDT", interval="1m", last=500).close
"""

# ruff: noqa: S608  (its SQL is put together from names of columns and whole numbers)

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import numpy as np
from django.db import connection, transaction

from exchanges.domain import candle_checks
from exchanges.domain.candles import Candle, Candles, length_ms
from exchanges.domain.venues import Venue
from exchanges.history import series as histories
from exchanges.history import tables

SKEW_MS = 10_000  # a venue's clock may be ahead of ours when it says that a candle is closed
BATCH = 20_000
WHOLE = ("opened_ms", "trades")
COLUMNS = ", ".join(Candle._fields)
VALUES = Candle._fields[1:]
BINARY = 1  # how psycopg is told to leave values as the server keeps them
_TYPES = ["bigint" if name in WHOLE else "float8" for name in Candle._fields]
_CHANGES = ", ".join(f"{name} = excluded.{name}" for name in VALUES)
_OLD = ", ".join(f"c.{name}" for name in VALUES)
_NEW = ", ".join(f"excluded.{name}" for name in VALUES)
# A correction overwrites; a candle that is there as it is is left alone: twice writes nothing.
_ON_CONFLICT = (
    f"ON CONFLICT (series_id, opened_ms) DO UPDATE SET {_CHANGES} "
    f"WHERE ({_OLD}) IS DISTINCT FROM ({_NEW})"
)
_ARRAYS = ", ".join(f"%s::{kind}[]" for kind in _TYPES)
_POSTGRES = (
    f"INSERT INTO exchanges_candle AS c (series_id, {COLUMNS}) "
    f"SELECT %s, u.* FROM unnest({_ARRAYS}) AS u {_ON_CONFLICT}"
)
_MARKS = ", ".join(["%s"] * (1 + len(Candle._fields)))
_DIFFERENT = " OR ".join(f"c.{name} IS NOT excluded.{name}" for name in VALUES)
_SQLITE = (
    f"INSERT INTO exchanges_candle AS c (series_id, {COLUMNS}) VALUES ({_MARKS}) "
    f"ON CONFLICT (series_id, opened_ms) DO UPDATE SET {_CHANGES} WHERE {_DIFFERENT}"
)
_COUNT = (
    "SELECT count(*) FROM exchanges_candle WHERE series_id = %s AND opened_ms BETWEEN %s AND %s"
)
# Each column as one value: the bytes of its numbers, one behind the other. Three times as fast as
# rows, because neither side makes an object or a message for each of them.
_SENT = {"opened_ms": ("int8send", ">i8"), "trades": ("int4send", ">i4")}
_AS_BYTES = ", ".join(
    f"string_agg({_SENT.get(name, ('float8send', ''))[0]}({name}), ''::bytea)"
    for name in Candle._fields
)


def store(
    *,
    venue: Venue,
    symbol: str,
    interval: str,
    rows: Iterable[Candle],
) -> int:
    """Write closed candles, in any order; return how many were new or changed.

    Storing twice is a no-op, a venue's correction overwrites. Candles are kept in transactions of
    BATCH, so that what a long list has written stays when its writer is killed. Raise BadCandle
    or UnclosedCandle (both name row and field) before anything is written, UnknownInterval and
    UnknownSeries for names nobody knows.
    """
    length_ms(interval)
    candles = rows if isinstance(rows, Candles) else Candles.of(symbol, interval, list(rows))
    if candles.interval != interval:
        raise ValueError(f"interval: these are {candles.interval} candles, not {interval}")
    candle_checks.check(candles, now_ms=time.time_ns() // 1_000_000 + SKEW_MS)
    candles = candle_checks.in_order(candles)
    if not len(candles):
        return 0
    one = histories.get(venue=venue, symbol=symbol, interval=interval)
    tables.ensure(tables.CANDLES, int(candles.opened_ms[0]), int(candles.opened_ms[-1]))
    return sum(
        _store_batch(one.pk, candles.slice(start, start + BATCH))
        for start in range(0, len(candles), BATCH)
    )


def load(
    *,
    venue: Venue,
    symbol: str,
    interval: str,
    start_ms: int | None = None,
    end_ms: int | None = None,
    last: int | None = None,
    first: int | None = None,
) -> Candles:
    """Return candles that opened within [start_ms, end_ms), oldest first.

    `last`: so many of the newest of these only, `first`: of the oldest. Nothing stored is no
    error: the columns are empty.
    """
    length = length_ms(interval)
    span = histories.find_span(venue=venue, symbol=symbol, interval=interval)
    if span is None:
        return Candles.of(symbol, interval, [])
    series_id, oldest_ms, newest_ms = span
    start = oldest_ms if start_ms is None else max(int(start_ms), oldest_ms)
    end = newest_ms + 1 if end_ms is None else min(int(end_ms), newest_ms + 1)
    count = last if last is not None else first
    is_newest = last is not None
    if count is None:
        return Candles(symbol, interval, **_columns(series_id, start, end))
    count = max(int(count), 0)
    # Twice the stretch they need when none is missing: the server then reads little whatever it
    # believes of the table (without statistics it sorts years to find a page).
    near = 2 * count * length
    narrow = (max(start, end - near), end) if is_newest else (start, min(end, start + near))
    columns = _columns(series_id, *narrow, count, is_newest)
    if len(columns["opened_ms"]) < count and narrow != (start, end):
        columns = _columns(series_id, start, end, count, is_newest)
    return Candles(symbol, interval, **columns)


# ---- inside ----------------------------------------------------------------------------------


def _store_batch(series_id: int, candles: Candles) -> int:
    """Write candles that are sorted and unique; keep the series' figures right with them."""
    first_ms, last_ms = int(candles.opened_ms[0]), int(candles.opened_ms[-1])
    stretch = [series_id, first_ms, last_ms]
    with transaction.atomic(), connection.cursor() as cursor:
        histories.locked(series_id)
        cursor.execute(_COUNT, stretch)
        before = cursor.fetchone()[0]
        changed = _write(cursor, series_id, candles)
        if not changed:
            return 0
        cursor.execute(_COUNT, stretch)
        new = cursor.fetchone()[0] - before
        histories.grew(series_id, first_ms=first_ms, last_ms=last_ms, new=new)
    return changed


def _write(cursor: Any, series_id: int, candles: Candles) -> int:
    if connection.vendor == "postgresql":
        columns = [getattr(candles, name).tolist() for name in Candle._fields]
        cursor.execute(_POSTGRES, [series_id, *columns])
    else:
        cursor.executemany(_SQLITE, [(series_id, *row) for row in candles])
    return max(int(cursor.rowcount), 0)


def _columns(
    series_id: int, start_ms: int, end_ms: int, count: int | None = None, is_newest: bool = False
) -> dict[str, Any]:
    """Read candles of [start_ms, end_ms), oldest first: all, or `count` from one of its ends."""
    limit = "" if count is None else f"LIMIT {count}"
    query = (
        f"SELECT {COLUMNS} FROM exchanges_candle WHERE series_id = {series_id}"
        f" AND opened_ms >= {start_ms} AND opened_ms < {end_ms}"
        f" ORDER BY opened_ms {'DESC' if is_newest else 'ASC'} {limit}"
    )
    columns = _read_bytes(query) if connection.vendor == "postgresql" else _read(query)
    if is_newest:
        return {name: np.ascontiguousarray(column[::-1]) for name, column in columns.items()}
    return columns


def _read(query: str) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        rows = cursor.fetchall()
    columns = zip(*rows, strict=True) if rows else [()] * len(Candle._fields)
    return {
        name: np.asarray(column, dtype=np.int64 if name in WHOLE else np.float64)
        for name, column in zip(Candle._fields, columns, strict=True)
    }


def _read_bytes(query: str) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.cursor.format = BINARY
        cursor.execute(f"SELECT {_AS_BYTES} FROM ({query}) AS candles")
        found = cursor.fetchone()
    return {
        name: np.frombuffer(column or b"", _SENT.get(name, ("", ">f8"))[1]).astype(
            np.int64 if name in WHOLE else np.float64
        )
        for name, column in zip(Candle._fields, found, strict=True)
    }
