"""What holds for every realtime strategy, whatever the market does."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from signals_app.strategies import realtime
from signals_app.strategies.realtime.frames import FrameInvalid
from signals_app.strategies.realtime.moves import BUY, SELL, Latch, Levels, MinuteBars
from tests.unit.strategies.realtime.market import Market, made

EAGER: dict[str, dict[str, float]] = {
    "orderbook_skew": {"min_spread_percent": 0, "warmup_seconds": 5, "smoothing_seconds": 0},
    "trade_momentum": {"warmup_seconds": 12, "min_trades": 1, "buy_threshold": 0.3},
    "ticker_velocity": {"time_window": 5, "buy_threshold": 0.05, "sell_threshold": -0.05},
}
IDS = sorted(EAGER)
steps = st.lists(
    st.tuples(
        st.floats(0.1, 20),  # seconds until the frame
        st.floats(-0.5, 0.5),  # price move, percent
        st.floats(0.1, 10),  # one quantity
        st.floats(0.1, 10),  # the other
        st.booleans(),
    ),
    min_size=1,
    max_size=120,
)


def played(strategy_id, course, *, scale=1.0, market=None, **params):
    eager = EAGER[strategy_id] | {"cooldown_seconds": 20} | params
    market = market or Market(made(strategy_id, **eager))
    price = 100.0 * scale
    for seconds, percent, one, other, flag in course:
        market.wait(seconds)
        price *= 1 + percent / 100
        if strategy_id == "orderbook_skew":
            market.book(one * scale, other * scale, bid=price * 0.9999, ask=price * 1.0001)
        elif strategy_id == "trade_momentum":
            market.trade(price, one * scale, buyer_takes=flag)
        else:
            market.ticker(price)
    return market


@pytest.mark.parametrize("strategy_id", IDS)
@settings(max_examples=40, deadline=None)
@given(course=steps)
def test_the_same_course_says_the_same(strategy_id, course):
    assert played(strategy_id, course).said == played(strategy_id, course).said


@pytest.mark.parametrize("strategy_id", IDS)
@settings(max_examples=40, deadline=None)
@given(course=steps, share=st.floats(0, 1))
def test_what_it_says_does_not_hang_on_what_comes_later(strategy_id, course, share):
    whole = played(strategy_id, course)
    part = played(strategy_id, course[: round(share * len(course))])
    assert whole.said[: len(part.said)] == part.said


@pytest.mark.parametrize("strategy_id", IDS)
@settings(max_examples=40, deadline=None)
@given(course=steps)
def test_confidence_is_between_a_half_and_one(strategy_id, course):
    for one in played(strategy_id, course).said:
        assert 0.4999999 <= one.confidence <= 1
        assert one.rationale.endswith(".")
        assert one.indicators
        assert one.account_levels  # an ATR over a minute would put the stop inside the fees


@pytest.mark.parametrize("strategy_id", IDS)
@settings(max_examples=40, deadline=None)
@given(course=steps)
def test_the_same_side_keeps_its_distance(strategy_id, course):
    said = played(strategy_id, course).said
    for action in ("buy", "sell"):
        times = [one.at_ms for one in said if one.action == action]
        assert all(b - a >= 20_000 for a, b in pairwise(times))


@pytest.mark.parametrize("strategy_id", IDS)
@settings(max_examples=30, deadline=None)
@given(course=steps)
def test_what_a_coin_costs_changes_nothing(strategy_id, course):
    one, other = played(strategy_id, course), played(strategy_id, course, scale=1024.0)
    told = [[(e.action, e.at_ms, e.confidence) for e in market.said] for market in (one, other)]
    assert told[0] == told[1]


@pytest.mark.parametrize("strategy_id", IDS)
@settings(max_examples=40, deadline=None)
@given(course=steps, share=st.floats(0, 1))
def test_it_goes_on_from_its_snapshot_as_if_nothing_had_been(strategy_id, course, share):
    whole = played(strategy_id, course)
    cut = round(share * len(course))
    first = played(strategy_id, course[:cut])
    fresh = Market(made(strategy_id, **EAGER[strategy_id], cooldown_seconds=20))
    raw = first.strategy.snapshot("BTCUSDT")
    if raw is not None:
        fresh.strategy.restore("BTCUSDT", raw)
    fresh.now_ms, fresh.number = first.now_ms, first.number
    price = 100.0
    for step in course[:cut]:
        price *= 1 + step[1] / 100
    rest = played_from(strategy_id, course[cut:], price, fresh)
    assert first.said + rest.said == whole.said


def played_from(strategy_id, course, price, market):
    for seconds, percent, one, other, flag in course:
        market.wait(seconds)
        price *= 1 + percent / 100
        if strategy_id == "orderbook_skew":
            market.book(one, other, bid=price * 0.9999, ask=price * 1.0001)
        elif strategy_id == "trade_momentum":
            market.trade(price, one, buyer_takes=flag)
        else:
            market.ticker(price)
    return market


@pytest.mark.parametrize("strategy_id", IDS)
@given(raw=st.binary(max_size=64))
@example(raw=msgspec.msgpack.encode({}))
def test_a_snapshot_that_is_none_is_refused(strategy_id, raw):
    with pytest.raises(FrameInvalid):
        made(strategy_id).restore("BTCUSDT", raw)


@pytest.mark.parametrize("spec", realtime.SPECS, ids=lambda spec: spec.strategy_id)
def test_presets_and_defaults_are_possible(spec):
    for params in ({}, *spec.presets.values()):
        realtime.made(spec, spec.resolved(params))


class TestOneMoveIsOneSignal:
    levels = Levels.around(0, 0.7, -0.7, release=0.5, cooldown_seconds=10)

    @given(st.lists(st.tuples(st.integers(1, 20_000), st.floats(-1, 1))))
    def test_the_same_side_needs_a_release_and_its_cooldown(self, course):
        latch, now, released = Latch(), 1_000_000, {BUY: True, SELL: True}
        last: dict[int, int] = {}
        for passed, score in course:
            now += passed
            if score <= 0.35:
                released[BUY] = True
            if score >= -0.35:
                released[SELL] = True
            side = latch.turn(score, now, self.levels, may_fire=True)
            if side:
                assert released[side]
                assert now - last.get(side, 0) >= 10_000
                released[side], last[side] = False, now

    def test_what_was_said_in_an_earlier_life_is_not_said_again(self):
        latch = Latch()
        latch.adopt(BUY, 1_000_000)
        assert latch.turn(0.9, 2_000_000, self.levels, may_fire=True) == 0
        latch.turn(0.1, 2_000_001, self.levels, may_fire=True)
        assert latch.turn(0.9, 2_000_002, self.levels, may_fire=True) == BUY

    def test_older_news_does_not_undo_newer(self):
        latch = Latch(side=SELL, sell_ms=5)
        latch.adopt(BUY, 4)
        assert latch.side == SELL


def test_the_range_of_minutes_is_that_of_a_chart():
    bars = MinuteBars()
    for minute, prices in enumerate([(10, 12, 9, 11), (13, 13, 12, 12)]):
        for second, price in enumerate(prices):
            bars.add(price, 1_723_161_240_000 + minute * 60_000 + second)
    assert bars.atr() == pytest.approx((3 + 2) / 2)
