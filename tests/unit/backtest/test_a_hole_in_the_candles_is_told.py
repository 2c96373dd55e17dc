from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from exchanges.domain.candles import DAY_MS, Candles
from signals_app.backtest import coverage, metrics, report
from tests.unit.backtest.worlds import CROSS, MINUTE, START_MS, SmaCross, run, setup, walk

END_MS = START_MS + 10 * DAY_MS


def without(market: Candles, start: int, stop: int) -> Candles:
    kept = np.r_[0:start, stop : len(market)]
    cut: dict[str, Any] = {f.name: getattr(market, f.name)[kept] for f in fields(market)[2:]}
    return Candles(market.symbol, market.interval, **cut)


def test_whole_candles_say_nothing():
    assert coverage.warnings(walk(10 * 1440), START_MS, END_MS) == []
    assert coverage.warnings(walk(1440), None, None) == []


def test_days_without_candles_are_counted():
    (said,) = coverage.warnings(without(walk(10 * 1440), 1440, 9 * 1440), START_MS, END_MS)
    assert "11,520 of 14,400 candles" in said
    assert "8 of 10 days have no candles" in said
    assert "2025-01-02 00:00 to 2025-01-10 00:00" in said


def test_a_start_and_an_end_that_are_not_covered_are_told():
    (said,) = coverage.warnings(walk(1440), START_MS - DAY_MS, START_MS + 3 * DAY_MS)
    assert "3 of 4 days have no candles" in said
    assert "2024-12-31 00:00 to 2025-01-01 00:00, 2025-01-02 00:00 to 2025-01-04 00:00" in said


def test_a_single_candle_is_told_without_days():
    (said,) = coverage.warnings(without(walk(1440), 100, 101), None, None)
    assert said.startswith("1 of 1,440 candles of this time are missing: 2025-01-01 01:40 to")


def test_times_between_two_openings_ask_for_no_more():
    assert coverage.warnings(walk(60), START_MS - 1, START_MS + 60 * MINUTE - 1) == []


def test_many_gaps_are_summed_up():
    market = walk(1440)
    for at in range(1400, 700, -100):
        market = without(market, at, at + 1)
    (said,) = coverage.warnings(market, None, None)
    assert "and 2 shorter ones" in said


def test_the_report_says_it_in_json_and_on_the_page():
    market = without(walk(4000), 1000, 2000)
    found = run(SmaCross(), market, setup(params=CROSS))
    said = coverage.warnings(market, None, None)
    told = report.document(found, metrics.of(found), market, warnings=said)
    assert told["warnings"] == said
    assert "1,000 of 4,000 candles" in report.body(told)
