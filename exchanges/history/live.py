"""From the live stream into the store: a kline frame that says that its candle is closed.

row = live.closed(frame["data"])          # None while the candle still runs
live.keep(environment="mainnet", market="spot", frames=[...])
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from exchanges.domain import kline_rows
from exchanges.domain.candles import Candle, length_ms
from exchanges.domain.kline_rows import UnreadableRow
from exchanges.history import store


@dataclass(frozen=True, slots=True)
class Closed:
    """A closed candle and what it is of."""

    symbol: str
    interval: str
    candle: Candle


def closed(data: Mapping[str, Any]) -> Closed | None:
    """Read the `data` of a kline frame; None while the candle still runs.

    Raise UnreadableRow (it names the field) or UnknownInterval.
    """
    k = data.get("k")
    if not isinstance(k, Mapping):
        raise UnreadableRow("kline frame: k is missing")
    symbol, interval = k.get("s"), k.get("i")
    if not isinstance(symbol, str) or not isinstance(interval, str):
        raise UnreadableRow("kline frame: s (symbol) or i (interval) is missing")
    candle = kline_rows.closed_candle(k)
    if candle is None:
        return None
    length_ms(interval)
    return Closed(symbol, interval, candle)


def keep(*, environment: str, market: str, rows: Iterable[Closed]) -> int:
    """Store closed candles of any symbols; return how many were new or changed.

    Each series is a transaction of its own. What fails here is found by the gap job.
    """
    by_series: dict[tuple[str, str], list[Candle]] = defaultdict(list)
    for row in rows:
        by_series[row.symbol, row.interval].append(row.candle)
    return sum(
        store.store(
            environment=environment, market=market, symbol=symbol, interval=interval, rows=candles
        )
        for (symbol, interval), candles in by_series.items()
    )
