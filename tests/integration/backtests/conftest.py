"""A history of a few days, a strategy of our own, and a broker that only remembers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exchanges.history import store
from signals_app import tasks
from signals_app.services.backtest_plan import Wish
from signals_app.strategies import catalogue, technical
from tests.integration.admin.conftest import browser
from tests.integration.api.conftest import exchange, person
from tests.places import SIMULATOR
from tests.unit.backtest.worlds import SmaCross, walk

__all__ = ["browser", "exchange", "person"]
ID = "sma_cross_of_tests"


class Cross(SmaCross):
    spec = replace(SmaCross.spec, strategy_id=ID)


@pytest.fixture
def history(db, monkeypatch):
    """Seven days of one-minute candles, and a strategy that trades on them."""
    monkeypatch.setitem(technical.BY_ID, ID, Cross((0.01, 0.02)))
    monkeypatch.setitem(catalogue.BY_ID, ID, Cross.spec)
    monkeypatch.setattr(catalogue, "SPECS", (*catalogue.SPECS, Cross.spec))
    store.store(venue=SIMULATOR, symbol="BTCUSDT", interval="1m", rows=walk(7 * 1440))


@pytest.fixture
def wish(history) -> Wish:
    return Wish(strategy_id=ID, symbol="BTCUSDT", interval="1m")


@pytest.fixture
def enqueued(monkeypatch) -> list[int]:
    """What was handed to the broker."""
    handed: list[int] = []
    monkeypatch.setattr(tasks.run_backtest, "delay", handed.append)
    return handed
