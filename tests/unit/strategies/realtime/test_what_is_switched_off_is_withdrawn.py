"""A signal said live and not published yet is held back when its strategy is live no more."""

from __future__ import annotations

import pytest

from signals_app.gateways.emitter import Said
from signals_app.payload.draft import Action
from signals_app.realtime.engine import Engine
from signals_app.realtime.shard import Shard
from signals_app.services.strategy_settings import Setting
from signals_app.strategies import realtime
from signals_app.strategies.emission import Emission
from tests.places import SIMULATOR

SPEC = realtime.SPECS[0]


def engine(mode: str) -> Engine:
    made = Engine(shard=Shard(1, 1), venue=SIMULATOR)
    for held in ("live", mode):
        made.apply([Setting(SPEC, held, ("BTCUSDT",), (), SPEC.defaults(), 1)])
    return made


def said(strategy_id: str = SPEC.strategy_id, *, is_shadow: bool = False) -> Said:
    emission = Emission(strategy_id, "BTCUSDT", Action.BUY, 0.7, 1, 100.0, "because")
    return Said(emission, is_shadow, 1, "simulator")


@pytest.mark.parametrize(("mode", "held_back"), [("live", False), ("shadow", True), ("off", True)])
def test_only_what_is_live_still_goes_out_live(mode, held_back):
    assert engine(mode).is_withdrawn(said()) is held_back


@pytest.mark.parametrize("mode", ["live", "shadow", "off"])
def test_what_was_said_in_shadow_stays_in_shadow(mode):
    assert engine(mode).is_withdrawn(said(is_shadow=True)) is False


def test_a_strategy_nobody_knows_is_not_live():
    assert engine("live").is_withdrawn(said("gone")) is True
