"""A million candles in, a year of them out, and pages of the API."""

from __future__ import annotations

import http.client
import json
import time
from typing import Any

from benchmarks.figures import summary
from benchmarks.stage import Stage, stage, wait_for_port

CANDLES = 1_000_000
YEAR = 525_600
PAGES = 400
WARM_UP = 40

# Runs inside the product's own settings: `shell` prints its last line.
STORE_AND_LOAD = f"""
import json, resource, statistics, time
import numpy as np
from django.db import connection
from exchanges.domain.candles import Candles
from exchanges.domain.venues import venue
from exchanges.history import store

count, year = {CANDLES}, {YEAR}
made = np.random.default_rng(1)
opened = 1_600_000_020_000 + 60_000 * np.arange(count)
price = 100 + np.abs(30_000 + np.cumsum(made.normal(0, 5, count)))
of = lambda top: made.random(count) * top
rows = list(Candles("BTCUSDT", "1m", opened, price, price + 10, price - 10, price + 1,
    of(10), of(1e5), made.integers(0, 5000, count), of(5), of(5e4)))
name = dict(venue=venue("mainnet"), symbol="BTCUSDT", interval="1m")

def timed(work, times=1):
    took = []
    for _ in range(times):
        started = time.perf_counter()
        result = work()
        took.append(time.perf_counter() - started)
    return result, statistics.median(took)

stored, first = timed(lambda: store.store(**name, rows=rows))
again, second = timed(lambda: store.store(**name, rows=rows))
changed = [row._replace(close=row.open) for row in rows[:200_000]]
corrected, third = timed(lambda: store.store(**name, rows=changed))
assert (stored, again, corrected) == (count, 0, 200_000), (stored, again, corrected)
one, live = timed(lambda: store.store(**name, rows=[rows[-1]._replace(close=rows[-1].open)]))
loaded, read = timed(lambda: store.load(**name, last=year), 5)
_, few = timed(lambda: store.load(**name, last=500), 200)
assert len(loaded) == year
figures = dict(
    stored_per_second=round(count / first), stored_again_per_second=round(count / second),
    corrected_per_second=round(200_000 / third), one_live_candle_ms=round(live * 1000, 2),
    load_of_a_year_of_1m_ms=round(read * 1000), load_of_500_ms=round(few * 1000, 2),
)
if connection.vendor == "postgresql":
    with connection.cursor() as cursor:
        cursor.execute("VACUUM FULL exchanges_candle")
        cursor.execute("SELECT sum(pg_relation_size(inhrelid)), sum(pg_indexes_size(inhrelid)) "
            "FROM pg_inherits WHERE inhparent = 'exchanges_candle'::regclass")
        heap, index = map(int, cursor.fetchone())
    figures["bytes_a_row"] = dict(table=round(heap / count, 1), index=round(index / count, 1))
else:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA page_count")
        pages = cursor.fetchone()[0]
        cursor.execute("PRAGMA page_size")
        figures["bytes_a_row"] = dict(file=round(pages * cursor.fetchone()[0] / count, 1))
print(json.dumps(figures))
"""


def measure(database_url: str = "") -> dict[str, Any]:
    """Return rates of storing and times of loading and of pages of 1000 candles over HTTP."""
    with stage(database_url) as where:
        figures = json.loads(where.shell(STORE_AND_LOAD).splitlines()[-1])
        with where.process("manage.py", "serve"):
            wait_for_port(where.web_port)
            figures["page_of_1000"] = summary(_pages(where))
    return {"database": "postgresql" if database_url else "sqlite", **figures}


def _pages(where: Stage) -> list[float]:
    """Walk back through the history, a page of 1000 candles at a time."""
    connection = http.client.HTTPConnection("127.0.0.1", where.web_port, timeout=30)
    first = "/api/v1/candles?symbol=BTCUSDT&interval=1m&environment=mainnet&limit=1000"
    address, took = first, []
    for number in range(PAGES + WARM_UP):
        started = time.perf_counter()
        connection.request("GET", address, headers={"Authorization": f"Token {where.token}"})
        body = json.loads(connection.getresponse().read())
        ended = time.perf_counter()
        if body["count"] != 1000:
            raise RuntimeError(f"not a whole page: {body}")
        address = "/" + body["next"].split("/", 3)[3] if body["next"] else first
        if number >= WARM_UP:
            took.append(ended - started)
    return took
