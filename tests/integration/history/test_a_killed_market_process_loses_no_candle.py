"""kill -9 of the process that streams: what closed meanwhile comes from the venue's history."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from exchanges.history import repair, store
from tests import processes
from tests.chaos import candles
from tests.places import SIMULATOR

pytestmark = pytest.mark.django_db(transaction=True)
SECOND = 1_000


@pytest.fixture
def one_symbol(simulator: Any, settings: Any) -> dict[str, str]:
    settings.VENUE_ENVIRONMENT = "simulator"
    settings.TRADING_SYMBOLS, settings.CANDLE_INTERVALS = ["BTCUSDT"], ["1s"]
    settings.HISTORY_DAYS, settings.HISTORY_CANDLES = 0, 1
    return {"TRADING_SYMBOLS": "BTCUSDT", "CANDLE_INTERVALS": "1s", "HISTORY_CANDLES": "1"}


def opened() -> list[int]:
    told: list[int] = store.load(
        venue=SIMULATOR, symbol="BTCUSDT", interval="1s"
    ).opened_ms.tolist()
    return told


def until(happened: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, opened()
        time.sleep(0.05)


def test_candles_that_closed_while_it_was_dead_are_repaired(one_symbol, simulator, tmp_path):
    def market(life: str):
        return processes.manage("stream_market_data", log=tmp_path / f"{life}.log", **one_symbol)

    with market("first") as process:
        until(lambda: len(opened()) >= 2)
        process.send_signal(signal.SIGKILL)
        process.wait()
    kept = opened()
    time.sleep(3)
    with market("second"):
        until(lambda: len(opened()) >= len(kept) + 2)
    before = opened()

    repair.look(seconds=60)

    span = opened()[0], opened()[-1] + SECOND
    theirs = candles.venue(simulator.base_url, ["BTCUSDT"], ["1s"], *span)
    ours = store.load(venue=SIMULATOR, symbol="BTCUSDT", interval="1s")
    stored = [
        candles.Stored("BTCUSDT", "1s", one.opened_ms, tuple(map(float, one[1:]))) for one in ours
    ]
    assert len(before) < (span[1] - span[0]) // SECOND, "nothing was lost: nothing is proven"
    assert candles.faults(theirs, stored) == []
