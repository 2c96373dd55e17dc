"""Longer candles made of base candles: what they hold, and from when on they are known."""

from __future__ import annotations

import numpy as np
import pytest

from exchanges.domain.candles import Candles
from signals_app.strategies.technical.higher import higher
from signals_app.strategies.technical.rule import Market
from tests.unit.technical.scenes import walk

FACTOR = 4
HOUR_MS = 3_600_000


def market(series: Candles) -> Market:
    columns = (series.open, series.high, series.low, series.close, series.volume)
    return Market(series.opened_ms, 900_000, *columns, atr=np.full(len(series), np.nan))


def without(series: Candles, *lost: int) -> Candles:
    return Candles.of(
        series.symbol, series.interval, [c for i, c in enumerate(series) if i not in lost]
    )


@pytest.mark.parametrize("lost", [(), (5,), (7,), (4, 5, 6, 7), (0, 1, 19)])
def test_each_base_candle_sees_the_last_whole_longer_one(lost: tuple[int, ...]):
    series = without(walk(1, 40), *lost)
    longer = higher(market(series), FACTOR)
    seen = longer.told(longer.close)
    rows = list(series)
    for i, row in enumerate(rows):
        closes_ms = row.opened_ms + 900_000
        whole = [c for c in rows if c.opened_ms // HOUR_MS * HOUR_MS + HOUR_MS <= closes_ms]
        if whole:
            assert seen[i] == whole[-1].close
        else:
            assert np.isnan(seen[i])


def test_its_range_is_that_of_its_candles():
    series = walk(2, 40)
    longer = higher(market(series), FACTOR)
    for i, hour in enumerate(range(0, 40, FACTOR)):
        assert longer.high[i] == series.high[hour : hour + FACTOR].max()
        assert longer.low[i] == series.low[hour : hour + FACTOR].min()
