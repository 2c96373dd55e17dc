from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal as D

import pytest

from signals_app.backtest.simulated_trader import intent_of
from signals_app.payload import wire
from signals_app.payload.draft import Action
from signals_app.services import routing
from signals_app.strategies.emission import Emission
from tests.unit.backtest.worlds import FREE, Says, candles, run, setup

FLAT = (100, 100, 100, 100)


def codes(calls, market=None, **changes):
    market = market or candles([FLAT] * 12)
    return dict(run(Says(calls), market, setup(**changes)).said.denied)


def test_a_sale_of_nothing_is_denied_by_its_code_each_time():
    assert codes({0: -1, 1: -1, 2: -1}) == {"NO_POSITION_TO_CLOSE": 3}


def test_a_second_entry_is_denied_where_one_is_allowed():
    assert codes({0: 1, 3: 1}) == {"OPEN_POSITIONS_AT_MAX": 1}


def test_an_entry_on_its_way_counts():
    assert codes({0: 1, 1: 1}, costs=replace(FREE, latency_ms=120_000)) == {
        "OPEN_POSITIONS_AT_MAX": 1
    }


def test_adding_is_allowed_where_the_limits_allow_it():
    result = run(
        Says({0: 1, 3: 1, 5: -1}), candles([FLAT] * 8), setup(limits={"max_open_positions": 2})
    )
    [trade] = result.trades
    assert (trade.entries, trade.bought) == (2, 2)


def test_low_confidence_is_denied():
    assert codes({0: 1}, limits={"min_confidence": D("0.95")}) == {"CONFIDENCE_BELOW_MIN": 1}


def test_too_little_money_is_denied():
    assert codes({0: 1}, cash=D(50)) == {"BALANCE_INSUFFICIENT": 1}


def test_a_wide_spread_is_denied():
    assert codes(
        {0: 1}, costs=replace(FREE, spread_bps=D(20)), limits={"max_spread_bps": D(10)}
    ) == {"SPREAD_ABOVE_MAX": 1}


def test_a_size_that_walks_the_book_too_far_is_denied():
    found = codes(
        {0: 1}, costs=replace(FREE, depth_per_bps=D(10)), limits={"max_slippage_bps": D(2)}
    )
    assert found == {"SLIPPAGE_ABOVE_MAX": 1}


def test_losses_in_a_row_are_followed_by_a_pause():
    falling = [(p, p, p, p) for p in (100, 100, 99, 98, 97, 96, 95, 94, 93, 92, 91, 90)]
    found = codes(
        {0: 1, 1: -1, 2: 1, 3: -1, 5: 1, 11: 1},
        candles(falling),
        limits={"cooldown_after_losses": 2, "cooldown_seconds": 180},
    )
    assert found == {"COOLDOWN_AFTER_LOSSES": 1}


def test_the_day_s_loss_denies_until_the_next_day():
    day = [(100, 100, 100, 100)] * 2 + [(90, 90, 90, 90)] * 30
    calls = {0: 1, 3: -1, 5: 1, 26: 1}
    found = codes(calls, candles(day, "1h"), cash=D(200), limits={"daily_loss_reduce_pct": D(3)})
    assert found == {"DAILY_LOSS_AT_MAX": 1}


def test_the_same_entry_over_and_over_is_denied():
    assert codes(
        {0: 1, 1: -1, 2: 1, 3: -1, 4: 1}, limits={"max_repeats": 2, "repeat_window_seconds": 3600}
    ) == {"REPEATED_ENTRY_AT_MAX": 1}


def test_a_required_stop_is_set_by_the_limits():
    market = candles([FLAT, FLAT, (100, 100, 97, 97), FLAT])
    [trade] = run(Says({0: 1}), market, setup(limits={"require_stop": True})).trades
    assert (trade.why, trade.exit_price) == ("stop", 98)


@pytest.mark.parametrize("account_levels", [True, False])
@pytest.mark.parametrize("action", [Action.BUY, Action.SELL])
def test_an_emission_becomes_the_intent_that_the_corridor_makes_of_it(action, account_levels):
    said = Emission(
        "test", "BTCUSDT", action, 0.8123, 1_723_161_253_912, 61_000.5, "so", atr=12.5,
        stop_loss=60_800.25, take_profit=61_900.0, timeframe="15m",
        account_levels=account_levels,
    )  # fmt: skip
    draft = wire.parse(said.payload(), received_at=datetime.now(UTC))
    live = routing.intent_of(draft, uid=said.uid, correlation_id="", actor="")
    assert replace(live, notes=()) == intent_of(said)
