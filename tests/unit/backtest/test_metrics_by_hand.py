"""Every figure against a case worked out by hand, and against cases that have none."""

from __future__ import annotations

import math
from decimal import Decimal as D

import numpy as np
import pytest

from exchanges.domain.candles import DAY_MS
from signals_app.backtest import metrics
from tests.unit.backtest.worlds import START_MS, Says, candles, run, setup

RETURNS = np.array([0.01, -0.02, 0.03, 0.0])  # mean 0.005
YEAR = math.sqrt(365)


def figures(calls, prices, interval="1h", **changes):
    market = candles([(p, p, p, p) for p in prices], interval)
    return metrics.of(run(Says(calls), market, setup(**changes)))


def test_sharpe():
    # Squares about the mean: .000025 + .000625 + .000625 + .000025 = .0013; over 3, root .0208167.
    assert metrics.sharpe(RETURNS) == pytest.approx(0.005 / 0.0208167 * YEAR, rel=1e-5)


def test_sortino():
    # Only -0.02 is below zero: root of .0004 / 4 = .01.
    assert metrics.sortino(RETURNS) == pytest.approx(0.005 / 0.01 * YEAR, rel=1e-9)


def test_volatility():
    assert metrics.volatility(RETURNS) == pytest.approx(0.0208167 * YEAR, rel=1e-5)


def test_the_return_of_a_year():
    assert metrics.annual_return(1.1, 365 * DAY_MS) == pytest.approx(0.1)
    assert metrics.annual_return(1.21, 730 * DAY_MS) == pytest.approx(0.1)
    assert metrics.annual_return(1.5, 29 * DAY_MS) is None


def test_the_deepest_drawdown():
    equity = np.array([110.0, 99.0, 120.0, 90.0, 130.0])
    assert metrics.max_drawdown(equity, 100.0) == pytest.approx(-0.25)  # 120 to 90


def test_a_fall_below_the_money_put_in_counts_from_it():
    assert metrics.max_drawdown(np.array([80.0, 90.0]), 100.0) == pytest.approx(-0.2)


def test_the_longest_drawdown():
    looked = START_MS + np.arange(6) * DAY_MS
    equity = np.array([100.0, 110.0, 105.0, 108.0, 111.0, 109.0])
    assert metrics.longest_drawdown(looked, equity, 100.0) == 3  # from 110 to 111


@pytest.mark.parametrize(
    ("equity", "days"),
    [
        ([100, 100, 100], 0),
        ([101, 102, 103], 0),
        ([99, 98, 97], 2),
        ([99, 100, 101], 1),
        ([100, 101, 100.5], 1),
        ([100], 0),
    ],
)
def test_time_at_a_high_is_no_drawdown(equity, days):
    looked = START_MS + np.arange(len(equity)) * DAY_MS
    assert metrics.longest_drawdown(looked, np.array(equity, float), 100.0) == days


def test_the_profit_factor():
    assert metrics.profit_factor([30.0, -10.0, 15.0, -5.0]) == 3
    assert metrics.profit_factor([]) is None
    assert metrics.profit_factor([5.0]) is None
    assert metrics.profit_factor([-5.0]) == 0


def test_trades_of_a_run():
    # Bought at 110, sold at 120 (10); bought at 120, sold at 115 (-5).
    found = figures({0: 1, 1: -1, 2: 1, 3: -1}, [100, 110, 120, 120, 115, 115])
    assert (found.trades, found.wins, found.losses) == (2, 1, 1)
    assert (found.hit_rate, found.profit_factor) == (0.5, 2)
    assert (found.expectancy, found.average_win, found.average_loss) == (2.5, 10, -5)
    assert found.expectancy_pct == pytest.approx((10 / 110 - 5 / 120) * 50)
    assert (found.best_trade, found.worst_trade, found.average_hours) == (10, -5, 1)
    assert found.total_return == pytest.approx(5 / 1_000_000)


def test_exposure_is_the_share_of_time_something_is_held():
    # Held at the closes of candles 1 and 2 of 8.
    assert figures({0: 1, 2: -1}, [100] * 8).exposure == 0.25


def test_turnover_is_what_was_traded_over_the_average_equity():
    found = figures({0: 1, 1: -1}, [100, 100, 100, 100], cash=D(1000))
    assert found.turnover == pytest.approx(0.2)


def test_buy_and_hold_pays_the_same_costs():
    from dataclasses import replace

    from tests.unit.backtest.worlds import FREE

    costs = replace(FREE, fee_bps=D(100), spread_bps=D(200))
    found = figures({}, [100, 120], costs=costs)
    assert found.hold_return == pytest.approx(1.2 * 0.99 / 1.01 - 1)


def test_returns_are_of_utc_days():
    prices = [100.0] * 24 + [110.0] * 24 + [99.0] * 24
    found = figures({0: 1}, prices, cash=D(1000))
    assert (found.returns, found.period) == (3, "day")
    returns = np.array([0.0, 10 / 1000, -11 / 1010])
    assert found.sharpe == pytest.approx(metrics.sharpe(returns), rel=1e-6)


def test_months():
    found = figures({0: 1}, [100.0] * 31 + [110.0] * 28, "1d", cash=D(1000))
    assert [m.name for m in found.months] == ["2025-01", "2025-02"]
    assert [m.strategy for m in found.months] == pytest.approx([0.0, 0.01])
    assert [m.hold for m in found.months] == pytest.approx([0.0, 0.1])


def test_calmar_is_a_year_s_return_over_the_deepest_fall():
    prices = [100.0] * 10 + [90.0] * 10 + [110.0] * 345
    found = figures({0: 1}, prices, "1d", cash=D(1000))
    assert found.max_drawdown == pytest.approx(-0.01)
    assert found.annual_return == pytest.approx(0.01)
    assert found.calmar == pytest.approx(1.0)


NONE_WITHOUT_TRADES = ("profit_factor", "hit_rate", "expectancy", "average_win", "best_trade")


def test_no_trades_is_a_dash_not_a_number():
    found = figures({}, [100.0] * 60, "1d")
    assert all(getattr(found, name) is None for name in NONE_WITHOUT_TRADES)
    assert (found.sharpe, found.sortino, found.calmar) == (None, None, None)
    assert (found.total_return, found.max_drawdown, found.exposure) == (0, 0, 0)
    assert dict(metrics.lines(found))["Sharpe"] == metrics.DASH


def test_one_winning_trade_has_no_profit_factor():
    found = figures({0: 1, 1: -1}, [100, 100, 110, 110])
    assert (found.hit_rate, found.profit_factor, found.average_loss) == (1, None, None)


def test_only_losses():
    found = figures({0: 1, 1: -1, 2: 1, 3: -1}, [100, 100, 90, 90, 80, 80])
    assert (found.hit_rate, found.profit_factor, found.average_win) == (0, 0, None)


@pytest.mark.parametrize("prices", [[100.0] * 2, [100.0] * 400, [100.0, 1e-2] * 3])
def test_nothing_told_is_infinite_or_no_number(prices):
    found = figures({0: 1}, prices, "1d", cash=D(101))
    for name, value in metrics.as_json(found).items():
        assert not isinstance(value, float) or math.isfinite(value), name
    assert not any("nan" in text or "inf" in text for _, text in metrics.lines(found))
