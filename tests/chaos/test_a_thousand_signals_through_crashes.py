"""Worker and listener die by SIGKILL in the middle of a thousand signals; nothing is lost or
doubled, and our books equal the venue's."""

from __future__ import annotations

import time

import pytest

from tests.chaos import flow

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
COUNT = 1000
# A stop whose sender died on the way is asked for until the venue can no longer have it, then
# placed anew: 20 s for the proof, and the watch's pace.
LONGEST_UNPROTECTED = 40


def test_each_signal_trades_once_whatever_dies(tmp_path, tell):
    with flow.under_way(tmp_path, "crash", COUNT, per_second=60) as running:
        for share in (0.25, 0.5, 0.75):
            running.reach(share)
            running.product.kill("worker", "exits", "signals")
            time.sleep(0.5)
            running.product.start("worker", "exits", "signals")
        figures = running.settle(180)
    tell(**figures)
    assert figures["repeats_sent"] == COUNT // 10
    assert figures["repeats_seen"] >= COUNT // 20
    assert figures["FILLED"] >= COUNT * 0.98
    assert float(figures["longest_unprotected_s"]) < LONGEST_UNPROTECTED
