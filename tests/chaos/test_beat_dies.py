"""Beat is dead for a while, and the worker dies in that time: trading goes on, nothing is lost."""

from __future__ import annotations

import time

import pytest

from tests.chaos import flow

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
COUNT = 160


def test_signals_trade_without_beat_and_its_return_finds_the_rest(tmp_path, tell):
    with flow.under_way(tmp_path, "beat", COUNT) as running:
        product = running.product
        running.reach(0.2)
        product.kill("beat")
        running.reach(0.4)
        product.kill("worker", "exits")
        time.sleep(1)
        product.start("worker", "exits")
        running.reach(0.7)
        time.sleep(10)
        without_beat = running.decided()
        product.start("beat")
        figures = running.settle()
    tell(decided_without_beat=without_beat, **figures)
    assert without_beat >= COUNT * 0.7
    assert figures["FILLED"] == COUNT
