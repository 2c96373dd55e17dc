from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from signals_app.models import CandleRun, StrategySetting
from signals_app.services import candle_runs, strategy_settings
from tests.fakes.candle_feed import FakeBus, FakeHistory, quarter_past

Pass = Callable[..., list[candle_runs.Judged]]
NOW = quarter_past()


@pytest.fixture
def history() -> FakeHistory:
    return FakeHistory(NOW)


@pytest.fixture
def bus() -> FakeBus:
    return FakeBus()


@pytest.fixture
def only(settings: object) -> Callable[..., None]:
    """Leave these strategies on, for one symbol at 15m."""

    def leave(*strategy_ids: str, mode: str = "live") -> None:
        settings.TRADING_SYMBOLS = ["BTCUSDT"]  # type: ignore[attr-defined]
        strategy_settings.ensure()
        StrategySetting.objects.exclude(strategy_id__in=strategy_ids).update(mode="off")
        StrategySetting.objects.filter(strategy_id__in=strategy_ids).update(
            mode=mode, timeframes=["15m"]
        )

    return leave


@pytest.fixture
def run_pass(history: FakeHistory, bus: FakeBus) -> Pass:
    """One beat's pass; `at` is what the clock shows."""

    def run(at: datetime = NOW) -> list[candle_runs.Judged]:
        return candle_runs.run_due(at, load=history.load, publish=bus.publish)

    return run


@pytest.fixture
def row() -> Callable[[], CandleRun]:
    return lambda: CandleRun.objects.get()
