from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from django.db import connection

from exchanges.domain.candles import DAY_MS
from exchanges.history import store, tables
from tests.fakes.candles import START_MS, candle, candles
from tests.places import MAINNET

postgres_only = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite knows no partitions"
)


def ms(year: int, month: int, day: int) -> int:
    return int(datetime(year, month, day, tzinfo=UTC).timestamp() * 1000)


def test_candles_are_kept_by_year_and_trades_by_month():
    found = list(tables.partitions(tables.CANDLES, ms(2023, 12, 31), ms(2024, 1, 1)))
    assert found == [
        ("exchanges_candle_2023", ms(2023, 1, 1), ms(2024, 1, 1)),
        ("exchanges_candle_2024", ms(2024, 1, 1), ms(2025, 1, 1)),
    ]

    [(name, start, end)] = tables.partitions(tables.TRADES, START_MS, START_MS)
    assert (name, start, end) == ("exchanges_trade_2024_08", ms(2024, 8, 1), ms(2024, 9, 1))


@postgres_only
@pytest.mark.django_db
def test_what_is_missing_is_made_once():
    far = ms(2055, 6, 1)

    assert tables.ensure(tables.CANDLES, far, far) == ["exchanges_candle_2055"]
    assert tables.ensure(tables.CANDLES, far, far) == []


@postgres_only
@pytest.mark.django_db
def test_a_migrated_database_has_this_year_and_the_next():
    now_ms = time.time_ns() // 1_000_000

    assert tables.ensure(tables.CANDLES, ms(2017, 1, 1), now_ms + 30 * DAY_MS) == []


@postgres_only
@pytest.mark.django_db
def test_a_stretch_of_one_year_opens_one_partition():
    store.store(venue=MAINNET, symbol="BTCUSDT", interval="1m", rows=[candle()])
    with connection.cursor() as cursor:
        cursor.execute(
            "EXPLAIN SELECT * FROM exchanges_candle WHERE series_id = 1"
            f" AND opened_ms >= {START_MS} AND opened_ms < {START_MS + DAY_MS}"
        )
        plan = "\n".join(row[0] for row in cursor.fetchall())

    assert "exchanges_candle_2024" in plan
    assert "exchanges_candle_2023" not in plan


@pytest.mark.django_db
def test_a_batch_may_cross_the_end_of_a_year():
    rows = candles(10, start_ms=ms(2024, 1, 1) - 5 * 60_000)

    store.store(venue=MAINNET, symbol="BTCUSDT", interval="1m", rows=rows)

    found = store.load(venue=MAINNET, symbol="BTCUSDT", interval="1m")
    assert found.opened_ms.tolist() == [row.opened_ms for row in rows]
