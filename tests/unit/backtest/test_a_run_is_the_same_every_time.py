from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from decimal import Decimal as D

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signals_app.backtest.result import Stopped
from signals_app.backtest.setup import Costs
from tests.unit.backtest.worlds import CROSS, FREE, Says, SmaCross, run, setup, walk

REAL = Costs(fee_bps=D(10), spread_bps=D(2), slippage_bps=D(1), latency_ms=250)


def test_the_same_input_has_the_same_digest():
    first, again = (
        run(SmaCross((0.005, 0.01)), walk(3000), setup(params=CROSS, costs=REAL)) for _ in "ab"
    )
    assert first.trades
    assert first.digest == again.digest


def test_other_costs_have_another_digest():
    one = run(SmaCross(), walk(3000), setup(params=CROSS, costs=REAL))
    other = run(SmaCross(), walk(3000), setup(params=CROSS, costs=FREE))
    assert one.digest != other.digest


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    calls=st.dictionaries(st.integers(0, 299), st.sampled_from([1, -1]), max_size=40),
    stop=st.sampled_from([float("nan"), 49_000.0, 49_900.0]),
    fee=st.sampled_from([0, 10, 75]),
)
def test_money_ties_out_whatever_happens(seed, calls, stop, fee):
    costs = replace(REAL, fee_bps=D(fee))
    limits = {"max_open_positions": 3, "default_base_quantity": D("0.123")}
    market = walk(300, seed, 0.004)
    result = run(Says(calls, stop=stop), market, setup(costs=costs, limits=limits))
    worth = result.cash + result.base * D(repr(float(market.close[-1])))
    assert float(worth) == pytest.approx(result.equity[-1], abs=1e-4)
    assert result.cash >= 0
    assert result.base >= 0


def test_the_future_changes_nothing_of_the_past():
    whole = run(SmaCross((0.003, 0.006)), walk(2000), setup(params=CROSS, costs=REAL))
    part = run(SmaCross((0.003, 0.006)), walk(2000).head(1200), setup(params=CROSS, costs=REAL))
    assert part.fills == whole.fills[: len(part.fills)]
    assert part.equity.tolist() == whole.equity[:1200].tolist()


def test_a_run_can_be_stopped():
    def stop(_: float) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        run(SmaCross(), walk(3000), setup(params=CROSS), progress=stop)


def test_the_engine_imports_nothing_heavy():
    heavy = ("pandas", "empyrical", "pyarrow", "talib", "scipy", "matplotlib", "django")
    code = (
        "import sys; from signals_app.backtest import candles, metrics, report, sweep;"
        "from signals_app.backtest import deflated_sharpe;"
        f"print([n for n in {heavy} if n in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
