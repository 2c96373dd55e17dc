"""Recorded prices -> simulator -> NATS -> strategies -> signals -> decisions -> fills, twice."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.corridor import recorded
from tests.product import Product, product
from tests.recordings import SPOT, needed

PROCESSES = ("userstream", "web", "exits", "worker", "signals", "strategies")
QUIET_SECONDS = 4.0
EAGER: dict[str, Any] = {  # the recommended presets, said by the environment
    "ORDERBOOK_SKEW_MIN_SPREAD_PERCENT": "0",
    "TICKER_VELOCITY_TIME_WINDOW": "30",
    "TICKER_VELOCITY_BUY_THRESHOLD": "0.03",
    "TICKER_VELOCITY_SELL_THRESHOLD": "-0.03",
    "TICKER_VELOCITY_MIN_PRICE_CHANGE": "0.01",
}
SAID = "SELECT uid, strategy_id, action, confidence, draft FROM signals_app_signal ORDER BY uid"


def run_of(folder: Path, files: Sequence[Path], speed: int) -> tuple[list[Any], list[Any]]:
    """Replay a recording through a product of its own; return its signals and what was filled."""
    folder.mkdir()
    names = ",".join(map(str, files))
    with product(
        folder,
        prices=f"replay:{names}?speed={speed},after=2",
        TRADING_SYMBOLS="BTCUSDT",
        CANDLE_INTERVALS="1m",
        MAX_LATENCY_MS="5000",  # on a machine that runs tests beside, prices age
        **EAGER,
    ) as whole:
        whole.start(*PROCESSES)
        whole.wait_until_ready()
        whole.eventually(lambda: whole.of_strategies("/healthz").status == 200, 60)
        whole.start("market")  # the first to listen to the venue: now the recording begins
        whole.eventually(lambda: messages(whole) > 0, 60)
        wait_until_over(whole)
        assert whole.of_strategies("/info").body["dropped"] == 0
        whole.eventually(
            lambda: (
                not whole.value("SELECT count(*) FROM signals_app_signal WHERE status = 'received'")
            )
        )
        filled = "SELECT signal_uid FROM trading_order WHERE role = 'entry' AND status = 'FILLED'"
        return whole.rows(SAID), [row["signal_uid"] for row in whole.rows(filled)]


def messages(whole: Product) -> int:
    return int(whole.of_strategies("/info").body["messages"])


def wait_until_over(whole: Product) -> None:
    count = -1
    while count != messages(whole):
        count = messages(whole)
        time.sleep(QUIET_SECONDS)


@pytest.mark.timeout(600)
def test_two_runs_say_the_same_and_it_is_traded(tmp_path):
    recording = recorded.write(tmp_path / "recording.jsonl")
    first, filled = run_of(tmp_path / "first", [recording], 8)
    second, _ = run_of(tmp_path / "second", [recording], 20)
    assert {row["strategy_id"] for row in first} == {
        "orderbook_skew",
        "trade_momentum",
        "ticker_velocity",
    }
    assert filled
    assert [told(row) for row in first] == [told(row) for row in second]


@needed
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_recorded_stream_of_two_days_in_august(tmp_path):
    first, filled = run_of(tmp_path / "first", SPOT, 4)
    second, _ = run_of(tmp_path / "second", SPOT, 6)
    assert len(first) > 5
    assert filled
    assert [told(row) for row in first] == [told(row) for row in second]


def told(row: dict[str, Any]) -> dict[str, Any]:
    """Leave out when it was heard: all else is the recording's."""
    draft = row["draft"]
    if isinstance(draft, str):
        draft = json.loads(draft)
    return row | {"draft": {k: v for k, v in draft.items() if k != "emitted_at"}}
