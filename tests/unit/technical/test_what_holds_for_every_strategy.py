"""Laws that hold for all 28, on random walks and on real candles."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchanges.domain.candles import Candles
from signals_app.strategies.spec import ParamInvalid, StrategySpec
from signals_app.strategies.technical import STRATEGIES
from signals_app.strategies.technical.base import Calls, TechnicalStrategy
from tests.unit.technical import recordings
from tests.unit.technical.scenes import candles, walk

every = pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda s: s.spec.strategy_id)
walks = st.builds(
    walk,
    st.integers(0, 2**32 - 1),
    st.integers(900, 1500),
    interval=st.sampled_from(["1m", "15m", "1h"]),
    start=st.sampled_from([0.00001234, 1.0, 61_234.5]),
)
few = settings(max_examples=15, deadline=None, derandomize=True)


def called(
    strategy: TechnicalStrategy, series: Candles, other: Mapping[str, float] | None = None
) -> Calls:
    return strategy.calls(series, strategy.spec.resolved(other or {}))


def other_values(spec: StrategySpec, rng: np.random.Generator) -> dict[str, float]:
    """Return possible values between a third and three times the first ones."""
    while True:
        found = {}
        for one in spec.params:
            low, high = max(one.minimum, one.default / 3), min(one.maximum, one.default * 3)
            value = rng.uniform(low, high)
            found[one.name] = float(np.ceil(value)) if one.is_whole else float(value)
        with suppress(ParamInvalid):
            return spec.resolved(found)


def dearer(series: Candles, times: float) -> Candles:
    prices = ("open", "high", "low", "close")
    return replace(series, **{name: getattr(series, name) * times for name in prices})


def assert_sound(series: Candles, calls: Calls) -> None:
    speaks, close = calls.side != 0, series.close
    assert set(np.unique(calls.side)) <= {-1, 0, 1}
    assert all(len(getattr(calls, f.name)) == len(series) for f in fields(Calls)[:5])
    assert np.all((calls.confidence[speaks] >= 0) & (calls.confidence[speaks] <= 1))
    assert np.all(np.isnan(calls.stop_loss[~speaks]))
    side = calls.side[speaks]
    assert np.all(side * (close[speaks] - calls.stop_loss[speaks]) > 0)
    assert np.all(calls.stop_loss[speaks] > 0)
    target = calls.take_profit[speaks]
    assert np.all(np.isnan(target) | ((side * (target - close[speaks]) > 0) & (target > 0)))
    assert np.all(calls.atr[speaks] > 0)


def assert_past_is_kept(strategy: TechnicalStrategy, series: Candles, cut: int) -> None:
    whole, prefix = called(strategy, series), called(strategy, series.head(cut))
    for name in ("side", "confidence", "stop_loss", "take_profit", "atr"):
        before = getattr(whole, name)[:cut]
        if len(before) and np.isnan(getattr(prefix, name)).all():
            assert not whole.side[:cut].any()  # too short to say anything: silence was kept too
            continue
        np.testing.assert_array_equal(before, getattr(prefix, name), err_msg=name)


def window_differs(
    strategy: TechnicalStrategy,
    series: Candles,
    whole: Calls,
    at: int,
    other: Mapping[str, float] | None = None,
) -> bool:
    """Tell whether the candles of its lookback alone make it say something else."""
    start = at - strategy.lookback(strategy.spec.resolved(other or {}))
    window = called(strategy, series.slice(start, at + 1), other)
    if window.side[-1] != whole.side[at]:
        return True
    if whole.side[at]:  # indicators that remember for ever have faded to 1e-3 of a stop by then
        close = series.close[at]
        for name in ("stop_loss", "take_profit"):
            told, wanted = getattr(window, name)[-1], getattr(whole, name)[at]
            np.testing.assert_allclose(told - close, wanted - close, rtol=1e-3)
        np.testing.assert_allclose(window.confidence[-1], whole.confidence[at], atol=1e-2)
    return False


@every
@few
@given(series=walks)
def test_stops_confidence_and_sides_are_sound(strategy: TechnicalStrategy, series: Candles):
    assert_sound(series, called(strategy, series))


@every
@few
@given(series=walks, share=st.floats(0, 1))
def test_it_never_looks_ahead(strategy: TechnicalStrategy, series: Candles, share: float):
    spoken = np.flatnonzero(called(strategy, series).side)[-4:]
    for cut in (int(share * len(series)), *(spoken + 1)):
        assert_past_is_kept(strategy, series, int(cut))


@every
@few
@given(series=walks)
def test_its_lookback_is_all_it_needs(strategy: TechnicalStrategy, series: Candles):
    whole = called(strategy, series)
    spoken = np.flatnonzero(whole.side)[-3:]
    places = [*spoken, len(series) - 1, strategy.lookback(strategy.spec.defaults())]
    differs = [window_differs(strategy, series, whole, int(at)) for at in places]
    assert not any(differs)


@every
@few
@given(series=walks, times=st.sampled_from([2.0**-30, 0.001, 0.5, 3.7, 1e6]))
def test_the_currency_does_not_matter(strategy: TechnicalStrategy, series: Candles, times: float):
    same, other = called(strategy, series), called(strategy, dearer(series, times))
    differ = np.flatnonzero(same.side != other.side)
    # Times a power of two is exact; else a comparison that hangs on the last digit may fall over.
    assert len(differ) <= (0 if times in (2.0**-30, 0.5) else 1)


@every
def test_real_candles_are_read_without_looking_ahead(strategy: TechnicalStrategy):
    series = recordings.btc_15m().head(20_000)
    assert_sound(series, called(strategy, series))
    for cut in (1_000, 9_999, 19_999):
        assert_past_is_kept(strategy, series, cut)


@every
def test_it_speaks_on_real_candles_and_its_lookback_is_all_it_needs(strategy: TechnicalStrategy):
    series = recordings.btc_15m()
    whole = called(strategy, series)
    spoken = np.flatnonzero(whole.side)
    assert 0.0005 < len(spoken) / len(series) < 0.1
    assert (whole.side > 0).any()
    assert (whole.side < 0).any()
    rng = np.random.default_rng(7)
    anywhere = rng.integers(1_000, len(series), 60)
    places = [*rng.choice(spoken, 60, replace=False), *anywhere]
    assert sum(window_differs(strategy, series, whole, int(at)) for at in places) == 0


@every
def test_so_it_is_with_other_parameters(strategy: TechnicalStrategy):
    series, rng = recordings.btc_15m().head(20_000), np.random.default_rng(11)
    for _ in range(3):
        other = other_values(strategy.spec, rng)
        whole = called(strategy, series, other)
        spoken = np.flatnonzero(whole.side)
        places = [*rng.choice(spoken, min(10, len(spoken)), replace=False), len(series) - 1]
        differs = [window_differs(strategy, series, whole, int(at), other) for at in places]
        assert not any(differs), other


@every
def test_a_real_gap_is_survived(strategy: TechnicalStrategy):
    series = recordings.btc_5m()
    (gap,) = series.gaps()
    after = int(np.searchsorted(series.opened_ms, gap[1]))
    calls = called(strategy, series.slice(after - 5_000, after + 5_000))
    assert calls.side[5_000:].any()


@every
@pytest.mark.parametrize("price", [0.00000007, 1.0, 61_234.57])
@pytest.mark.parametrize("volume", [0.0, 123.456])
def test_a_flat_price_says_nothing(strategy: TechnicalStrategy, price: float, volume: float):
    series = candles([(price, price, price, price, volume)] * 1_200)
    assert not called(strategy, series).side.any()


@every
def test_a_market_that_nobody_trades_and_then_jumps_is_sound(strategy: TechnicalStrategy):
    dead = [(5.0, 5.0, 5.0, 5.0, 0.0)] * 1_000
    moves = [(5.0 + i, 6.5 + i, 4.9 + i, 6.0 + i, 0.0) for i in range(30)]
    series = candles(dead + moves)
    assert_sound(series, called(strategy, series))


@every
def test_after_a_wild_market_dies_it_says_nothing(strategy: TechnicalStrategy):
    wild = walk(3, 1_000, start=61_234.5)
    last = float(wild.close[-1])
    rows = [(c.open, c.high, c.low, c.close, c.volume) for c in wild]
    series = candles(rows + [(last, last, last, last, 0.0)] * 1_500)
    assert not called(strategy, series).side[-500:].any()


@every
@pytest.mark.parametrize("count", [0, 1, 2, 50])
def test_a_short_series_says_nothing(strategy: TechnicalStrategy, count: int):
    calls = called(strategy, walk(1, 100).head(count))
    assert len(calls) == count
    assert not calls.side.any()


@every
def test_it_says_nothing_while_it_warms_up(strategy: TechnicalStrategy):
    calls = called(strategy, walk(5, 1_200))
    assert not calls.side[: strategy.lookback(strategy.spec.defaults())].any()


@every
def test_it_speaks_once_of_one_thing(strategy: TechnicalStrategy):
    side = called(strategy, walk(9, 5_000)).side
    assert not ((side[1:] != 0) & (side[1:] == side[:-1])).any()


@every
@few
@given(series=walks, data=st.data())
def test_any_allowed_parameters_are_sound(
    strategy: TechnicalStrategy, series: Candles, data: st.DataObject
):
    given_values = {
        p.name: float(
            data.draw(st.integers(int(p.minimum), int(p.maximum)))
            if p.is_whole
            else data.draw(st.floats(p.minimum, p.maximum))
        )
        for p in strategy.spec.params
    }
    for smaller, larger in strategy.spec.rising:
        if given_values[smaller] >= given_values[larger]:
            return
    assert_sound(series, called(strategy, series, given_values))
