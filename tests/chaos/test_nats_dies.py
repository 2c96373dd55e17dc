"""The bus is killed in the middle of things and comes back with what it had acknowledged."""

from __future__ import annotations

import time

import pytest

from tests.chaos import flow

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
COUNT = 160


def test_nothing_is_lost_when_nats_is_killed_and_started_again(tmp_path, tell):
    with flow.under_way(tmp_path, "nats", COUNT) as running:
        for share in (0.25, 0.6):
            running.reach(share)
            running.product.nats.kill()
            time.sleep(3)
            running.product.nats.start()
        figures = running.settle()
    tell(**figures)
    assert figures["FILLED"] == COUNT
