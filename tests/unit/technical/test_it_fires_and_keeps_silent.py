"""Each strategy on a hand-made market: where it must speak, and where it must not."""

from __future__ import annotations

import numpy as np
import pytest

from signals_app.strategies.technical import BY_ID, STRATEGIES
from signals_app.strategies.technical.base import BUY, SELL
from tests.unit.technical.scenes import SCENES, candles, mirrored

EVERY = sorted(BY_ID)


def said(strategy_id: str, rows, last: int) -> set[int]:
    """Return the sides a strategy takes on the last candles of a market."""
    strategy = BY_ID[strategy_id]
    calls = strategy.calls(candles(rows), strategy.spec.defaults())
    return set(calls.side[-last:].tolist()) - {0}


def test_every_strategy_has_a_scene():
    assert set(SCENES) == set(BY_ID)


@pytest.mark.parametrize("strategy_id", EVERY)
def test_it_buys_where_it_must(strategy_id: str):
    scene = SCENES[strategy_id]()
    assert said(strategy_id, scene.fires, scene.last) == {BUY}


@pytest.mark.parametrize("strategy_id", EVERY)
def test_it_sells_where_the_same_market_is_upside_down(strategy_id: str):
    scene = SCENES[strategy_id]()
    assert said(strategy_id, mirrored(scene.fires), scene.last) == {SELL}


@pytest.mark.parametrize("strategy_id", EVERY)
def test_it_keeps_silent_where_it_almost_fired(strategy_id: str):
    scene = SCENES[strategy_id]()
    assert said(strategy_id, scene.near, scene.last) == set()


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda s: s.spec.strategy_id)
def test_it_gives_its_reason_with_figures(strategy):
    series = candles(SCENES[strategy.spec.strategy_id]().fires)
    calls = strategy.calls(series, strategy.spec.defaults())
    reason = strategy.rationale(series, calls, int(np.flatnonzero(calls.side)[-1]))
    assert any(letter.isdigit() for letter in reason)
    assert "{" not in reason
    assert "unknown" not in reason
