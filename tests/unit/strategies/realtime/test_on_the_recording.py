"""Eleven real minutes of BTCUSDT: how often each strategy speaks, and that it does so alike."""

from __future__ import annotations

from collections import Counter

import pytest

from signals_app.strategies import realtime
from tests import recordings

pytestmark = recordings.needed


def said(preset: str = ""):
    strategies = [
        realtime.made(spec, spec.resolved(spec.presets.get(preset, {}))) for spec in realtime.SPECS
    ]
    by_stream = {strategy.stream: strategy for strategy in strategies}
    found = []
    for one in recordings.spot_btcusdt():
        strategy = by_stream[one.kind]
        frame = strategy.decode(one.raw)
        emission = strategy.take(one.symbol, frame, frame.received_ms)
        if emission is not None:
            found.append(emission)
    return found


def counted(emissions):
    return Counter(one.strategy_id for one in emissions)


def test_two_runs_say_the_same():
    assert [one.payload() for one in said()] == [one.payload() for one in said()]


def test_by_the_first_settings_momentum_speaks_a_few_times():
    """A spread of a cent is far below skew's 0.1 %, and no minute moved half a percent."""
    assert counted(said()) == {"trade_momentum": 4}


def test_by_the_recommended_ones_all_do():
    found = counted(said("recommended"))
    assert set(found) == {"orderbook_skew", "trade_momentum", "ticker_velocity"}
    assert all(2 <= count <= 10 for count in found.values())


@pytest.mark.parametrize("field", ["atr", "indicators", "rationale"])
def test_every_one_tells_what_it_saw(field):
    assert all(getattr(one, field) for one in said("recommended"))
