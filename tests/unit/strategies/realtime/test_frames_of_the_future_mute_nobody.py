"""A frame with a time that is not yet, by mistake or malice, costs that frame and no more."""

from __future__ import annotations

import orjson
import pytest

from exchanges.market_data.bus import Kind, enveloped
from signals_app.realtime.engine import Engine
from signals_app.realtime.shard import Shard
from signals_app.services.strategy_settings import Setting
from signals_app.strategies.realtime import SPECS
from signals_app.strategies.realtime.moves import Clock
from tests.places import SIMULATOR

NOW_MS = 1_795_000_000_000
DAYS_MS = 10**12


def trade(at_ms: int, received_ms: int) -> bytes:
    data = {"t": at_ms, "T": at_ms, "p": "100.0", "q": "1.0", "m": False}
    return enveloped("btcusdt@trade", orjson.dumps(data), received_ms)


@pytest.fixture
def engine():
    spec = next(spec for spec in SPECS if spec.strategy_id == "trade_momentum")
    made = Engine(shard=Shard(1, 1), venue=SIMULATOR, clock=lambda: NOW_MS / 1000)
    made.apply([Setting(spec, "live", ("BTCUSDT",), (), spec.defaults(), 1)])
    return made


def at_of(engine) -> int:
    return engine.running["trade_momentum"].strategy._states["BTCUSDT"].clock.at_ms


def test_it_is_counted_and_the_next_one_is_read(engine):
    engine.take("BTCUSDT", Kind.TRADE, trade(NOW_MS, NOW_MS))
    engine.take("BTCUSDT", Kind.TRADE, trade(NOW_MS + DAYS_MS, NOW_MS + DAYS_MS))
    engine.take("BTCUSDT", Kind.TRADE, trade(NOW_MS + 100, NOW_MS + 100))
    assert engine.tally.unreadable == 1
    assert at_of(engine) == NOW_MS + 100


def test_a_window_that_was_kept_from_the_future_begins_anew():
    clock = Clock(at_ms=NOW_MS + DAYS_MS, number=9, received_ms=NOW_MS + DAYS_MS)
    assert clock.admits(NOW_MS, 1, NOW_MS, 10_000)
    assert (clock.at_ms, clock.since_ms) == (NOW_MS, NOW_MS)
