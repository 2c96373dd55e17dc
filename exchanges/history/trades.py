"""Aggregated trades: a million a day on a busy symbol, numbered by the venue without a gap.

The numbers tell what is missing, so a fetch that was killed goes on where its last page ended.
"""

# ruff: noqa: S608  (its SQL is put together from names of columns)

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any

from django.db import connection, transaction

from exchanges.domain.venues import Venue
from exchanges.history import series as histories
from exchanges.history import tables
from exchanges.history.fill import Page
from exchanges.models import Series
from exchanges.venues.binance.kline_rows import AggTrade
from exchanges.venues.binance.market_history import TRADES_PER_PAGE, MarketHistory

HOUR_MS = 3_600_000
COLUMNS = "trade_id, at_ms, price, quantity, trades, buyer_is_maker"
_CONFLICT = "ON CONFLICT (series_id, at_ms, trade_id) DO NOTHING"
_POSTGRES = (
    f"INSERT INTO exchanges_trade (series_id, {COLUMNS}) SELECT %s, u.* FROM unnest("
    "%s::bigint[], %s::bigint[], %s::float8[], %s::float8[], %s::integer[], %s::boolean[]"
    f") AS u {_CONFLICT}"
)
_SQLITE = (
    f"INSERT INTO exchanges_trade (series_id, {COLUMNS}) "
    f"VALUES (%s, %s, %s, %s, %s, %s, %s) {_CONFLICT}"
)
_RUN_END = """
SELECT min(trade_id) FROM (
  SELECT trade_id, lead(trade_id) OVER (ORDER BY trade_id) AS next_id
  FROM exchanges_trade WHERE series_id = %s AND at_ms >= %s AND trade_id >= %s
) AS pairs WHERE next_id IS NULL OR next_id > trade_id + 1
"""


class BadTrade(ValueError):
    """A trade that cannot be; the text names row and field."""


def store(*, venue: Venue, symbol: str, rows: Iterable[AggTrade]) -> int:
    """Write trades, in any order; return how many were new. Twice is a no-op. Raise BadTrade."""
    found = sorted({row.trade_id: row for row in rows}.values())
    if not found:
        return 0
    _check(found)
    one = histories.get(venue=venue, symbol=symbol, interval=Series.TRADES)
    first_ms, last_ms = min(row.at_ms for row in found), max(row.at_ms for row in found)
    tables.ensure(tables.TRADES, first_ms, last_ms)
    with transaction.atomic(), connection.cursor() as cursor:
        histories.locked(one.pk)
        if connection.vendor == "postgresql":
            columns: list[Any] = [list(column) for column in zip(*found, strict=True)]
            cursor.execute(_POSTGRES, [one.pk, *columns])
        else:
            cursor.executemany(_SQLITE, [(one.pk, *row) for row in found])
        new = max(int(cursor.rowcount), 0)
        if new:
            histories.grew(one.pk, first_ms=first_ms, last_ms=last_ms, new=new)
    return new


def load(*, venue: Venue, symbol: str, start_ms: int, end_ms: int) -> list[AggTrade]:
    """Return the trades of [start_ms, end_ms) in the venue's order."""
    series_id = histories.find_id(venue=venue, symbol=symbol, interval=Series.TRADES)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {COLUMNS} FROM exchanges_trade "
            "WHERE series_id = %s AND at_ms >= %s AND at_ms < %s ORDER BY at_ms, trade_id",
            [series_id, start_ms, end_ms],
        )
        return [AggTrade._make((*row[:5], bool(row[5]))) for row in cursor.fetchall()]


def fill(history: MarketHistory, symbol: str, start_ms: int, end_ms: int) -> Iterator[Page]:
    """Fetch and store the trades of [start_ms, end_ms) that are not stored, oldest first.

    VenueError may escape: what was stored until then stays, and is passed over the next time.
    """
    end_ms = min(end_ms, history.now_ms())
    cursor = _first_id(history, symbol, start_ms, end_ms)
    one = histories.get(
        venue=history.venue,
        symbol=symbol,
        interval=Series.TRADES,
    )
    while cursor is not None:
        cursor = _behind_stored(one.pk, start_ms, cursor)
        page = history.trades_from(symbol, cursor)
        inside = [trade for trade in page if trade.at_ms < end_ms]
        stored = store(venue=history.venue, symbol=symbol, rows=inside)
        is_over = len(page) < TRADES_PER_PAGE or len(inside) < len(page)
        yield Page(end_ms if is_over else inside[-1].at_ms, len(inside), stored)
        cursor = None if is_over else inside[-1].trade_id + 1


# ---- inside ----------------------------------------------------------------------------------


def _first_id(history: MarketHistory, symbol: str, start_ms: int, end_ms: int) -> int | None:
    """Ask hour by hour which trade was the first; None when there was none."""
    while start_ms < end_ms:
        found = history.trades_within(symbol, start_ms=start_ms, end_ms=end_ms)
        if found:
            return found[0].trade_id
        start_ms += HOUR_MS
    return None


def _behind_stored(series_id: int, start_ms: int, trade_id: int) -> int:
    """Return the first id from `trade_id` on that is not stored."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM exchanges_trade WHERE series_id = %s AND at_ms >= %s AND trade_id = %s",
            [series_id, start_ms, trade_id],
        )
        if cursor.fetchone() is None:
            return trade_id
        cursor.execute(_RUN_END, [series_id, start_ms, trade_id])
        return int(cursor.fetchone()[0]) + 1


def _check(rows: list[AggTrade]) -> None:
    latest = time.time_ns() // 1_000_000 + HOUR_MS
    for row in rows:
        if not 0 <= row.at_ms <= latest:
            raise BadTrade(f"trade {row.trade_id}, at_ms = {row.at_ms}: no time in ms up to now")
        for name in ("price", "quantity"):
            if not 0 < getattr(row, name) < float("inf"):
                value = getattr(row, name)
                raise BadTrade(f"trade {row.trade_id}, {name} = {value!r}: not above 0 and finite")
