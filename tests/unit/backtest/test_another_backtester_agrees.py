"""Held against backtesting.py: entries at the next open, one coin, no costs."""

from __future__ import annotations

import warnings
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exchanges.domain.candles import Candle, Candles
from signals_app.gateways import candle_files
from tests.unit.backtest.worlds import CROSS, START_MS, SYMBOL, SmaCross, run, setup, walk

RECORDED = (
    Path(__file__).resolve().parents[4]
    / "shared/binance/data/klines_spot/FreqBot/BTC_USDT-15m.json.gz"
)
CASH = 10_000_000


def ours(market, strategy):
    result = run(strategy, market, setup(params=CROSS, cash=D(CASH), interval=market.interval))
    length = int(np.min(np.diff(market.opened_ms)))
    return [
        (
            t.opened_ms // length * length,
            t.closed_ms // length * length,
            float(t.entry_price),
            float(t.exit_price),
            float(t.profit),
        )
        for t in result.trades
    ]


def theirs(market, strategy):
    pandas = pytest.importorskip("pandas")
    backtesting: Any = pytest.importorskip("backtesting")
    calls = strategy.calls(market, CROSS)

    class Told(backtesting.Strategy):  # type: ignore[misc]
        def init(self):
            pass

        def next(self):
            at = len(self.data) - 1
            if calls.side[at] > 0 and not self.position:
                stop, target = calls.stop_loss[at], calls.take_profit[at]
                levels = {} if np.isnan(stop) else {"sl": stop, "tp": target}
                self.buy(size=1, **levels)
            elif calls.side[at] < 0 and self.position:
                self.position.close()

    frame = pandas.DataFrame(
        {
            "Open": market.open,
            "High": market.high,
            "Low": market.low,
            "Close": market.close,
            "Volume": market.volume,
        },
        index=pandas.to_datetime(market.opened_ms, unit="ms"),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trades = backtesting.Backtest(frame, Told, cash=CASH).run()["_trades"]
    return [
        (
            int(t.EntryTime.value // 10**6),
            int(t.ExitTime.value // 10**6),
            t.EntryPrice,
            t.ExitPrice,
            t.PnL,
        )
        for t in trades.sort_values(["EntryTime", "ExitTime"]).itertuples()
    ]


def agree(market, strategy):
    mine, others = ours(market, strategy), theirs(market, strategy)
    assert len(mine) > 50
    assert [m[:4] for m in mine] == [o[:4] for o in others]
    assert sum(m[4] for m in mine) == pytest.approx(sum(o[4] for o in others), abs=0.01)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_on_a_random_walk(seed):
    agree(walk(6000, seed), SmaCross())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_with_stops_and_targets(seed):
    agree(walk(6000, seed), SmaCross((0.005, 0.008)))


def test_on_recorded_candles():
    if not RECORDED.exists():
        pytest.skip("recorded candles are not there")
    whole = candle_files.read(RECORDED, symbol=SYMBOL, interval="15m")
    agree(whole.head(20_000), SmaCross())
    agree(whole.head(20_000), SmaCross((0.01, 0.02)))


def test_a_candle_is_read_as_it_was_written(tmp_path):
    rows = [
        Candle(START_MS + i * 900_000, 1.5, 2.5, 0.5, 2.0, 7.0, 0.0, 0, 0.0, 0.0) for i in range(3)
    ]
    path = tmp_path / "c.csv"
    path.write_text("\n".join(",".join(map(str, r[:6])) for r in rows))
    read = candle_files.read(path, symbol=SYMBOL, interval="15m")
    assert list(read) == list(Candles.of(SYMBOL, "15m", rows))
