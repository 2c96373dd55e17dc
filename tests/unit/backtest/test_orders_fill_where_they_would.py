from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D

import pytest

from signals_app.backtest.setup import Costs
from tests.unit.backtest.worlds import FREE, MINUTE, START_MS, Says, candles, run, setup

FLAT = (100, 100, 100, 100)


def test_a_call_is_filled_at_the_next_candles_open():
    market = candles([FLAT, (101, 103, 99, 102), (105, 106, 104, 105), (107, 108, 106, 107)])
    result = run(Says({0: 1, 2: -1}), market, setup())
    [trade] = result.trades
    assert (trade.entry_price, trade.exit_price) == (101, 107)
    assert (trade.opened_ms, trade.closed_ms) == (START_MS + MINUTE, START_MS + 3 * MINUTE)
    assert trade.profit == 6


def test_a_call_on_the_last_candle_is_never_filled():
    result = run(Says({1: 1}), candles([FLAT, FLAT]), setup())
    assert result.fills == ()
    assert result.unfinished == 1


def test_a_stop_comes_before_a_target_in_the_same_candle():
    market = candles([FLAT, FLAT, (100, 120, 80, 100), FLAT])
    [trade] = run(Says({0: 1}, stop=90, target=110), market, setup()).trades
    assert (trade.why, trade.exit_price) == ("stop", 90)


def test_finer_candles_tell_which_came_first():
    market = candles([FLAT, FLAT, (100, 120, 80, 100), FLAT], "5m")
    minutes = candles(
        [FLAT] * 10 + [(100, 120, 100, 120), (120, 120, 80, 80), (80, 100, 80, 100)] + [FLAT] * 7
    )
    [trade] = run(Says({0: 1}, stop=90, target=110), market, setup(), finer=minutes).trades
    assert (trade.why, trade.exit_price) == ("target", 110)
    assert trade.closed_ms // MINUTE == START_MS // MINUTE + 10


def test_a_stop_can_fire_in_the_candle_of_its_entry():
    market = candles([FLAT, (100, 101, 85, 95), FLAT])
    [trade] = run(Says({0: 1}, stop=90, target=110), market, setup()).trades
    assert (trade.why, trade.exit_price) == ("stop", 90)


def test_an_open_beyond_the_stop_sells_at_the_open():
    market = candles([FLAT, FLAT, (70, 75, 65, 70), FLAT])
    [trade] = run(Says({0: 1}, stop=90, target=110), market, setup()).trades
    assert (trade.why, trade.exit_price) == ("stop", 70)


def test_a_target_rests_so_an_open_beyond_it_pays_no_more():
    market = candles([FLAT, FLAT, (120, 125, 118, 120), FLAT])
    [trade] = run(Says({0: 1}, stop=90, target=110), market, setup()).trades
    assert (trade.why, trade.exit_price) == ("target", 110)


def test_an_entry_that_opens_below_its_stop_is_sold_at_once():
    market = candles([FLAT, (80, 85, 78, 82), FLAT])
    [trade] = run(Says({0: 1}, stop=90, target=110), market, setup()).trades
    assert (trade.entry_price, trade.exit_price, trade.why) == (80, 80, "stop")


def test_spread_and_slippage_are_paid_and_told_apart():
    costs = replace(FREE, spread_bps=D(100), slippage_bps=D(50))
    market = candles([(1000, 1000, 1000, 1000)] * 4)
    result = run(Says({0: 1, 1: -1}), market, setup(costs=costs))
    [trade] = result.trades
    assert (trade.entry_price, trade.exit_price) == (1010, 990)
    assert sum(f.spread for f in result.fills) == 10
    assert sum(f.slippage for f in result.fills) == 10
    assert trade.profit == -20


def test_fees_of_both_sides_are_paid():
    market = candles([(1000, 1000, 1000, 1000)] * 4)
    result = run(Says({0: 1, 1: -1}), market, setup(costs=replace(FREE, fee_bps=D(10))))
    [trade] = result.trades
    # 0.001 of one coin at 1000, then 0.001 of what 0.999 of a coin brings.
    assert trade.fees == D("1.999")
    assert trade.profit == D("-1.999")
    assert result.cash == D(1_000_000) - D("1.999")


def test_a_book_of_little_depth_is_walked():
    costs = replace(FREE, depth_per_bps=D(1000))
    market = candles([(1000, 1000, 1000, 1000)] * 3)
    limits = {"default_base_quantity": D(3)}
    result = run(Says({0: 1}), market, setup(costs=costs, limits=limits))
    assert [(f.price, f.quantity) for f in result.fills] == [
        (D("1000"), D(1)),
        (D("1000.1"), D(1)),
        (D("1000.2"), D(1)),
    ]


def test_latency_lets_the_price_run_away_from_the_open():
    market = candles([FLAT, (100, 130, 90, 110), FLAT])
    slow = Costs(D(0), D(0), D(0), latency_ms=10_000)  # a sixth of the candle: half of the way
    [fill] = run(Says({0: 1}), market, setup(costs=slow)).fills
    assert fill.price == 115
    assert fill.at_ms == START_MS + MINUTE + 10_000


def test_latency_longer_than_a_candle_meets_a_later_one():
    market = candles([FLAT, FLAT, (140, 140, 140, 140), (150, 150, 150, 150)])
    slow = Costs(D(0), D(0), D(0), latency_ms=MINUTE)
    [fill] = run(Says({0: 1}), market, setup(costs=slow)).fills
    assert fill.price == 140


def test_after_a_gap_an_order_meets_the_next_candle_there_is():
    market = candles([FLAT] * 4)
    market.opened_ms[2:] += 10 * MINUTE
    [fill] = run(Says({1: 1}), market, setup()).fills
    assert fill.at_ms == START_MS + 12 * MINUTE


@pytest.mark.parametrize("kind", ["order", "high", "nan"])
def test_candles_that_are_none_are_refused(kind):
    from signals_app.backtest.setup import SetupInvalid

    market = candles([FLAT] * 4)
    if kind == "order":
        market.opened_ms[2] = market.opened_ms[1]
    elif kind == "high":
        market.high[1] = 99
    else:
        market.close[1] = float("nan")
    with pytest.raises(SetupInvalid, match="candle"):
        run(Says({}), market, setup())
