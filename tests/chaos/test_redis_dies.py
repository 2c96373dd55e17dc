"""Redis is killed in the middle of things and comes back: queue, rights and quotes were in it."""

from __future__ import annotations

import time

import pytest

from tests.chaos import flow, load

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
COUNT = 160


def test_nothing_is_lost_when_redis_is_killed_and_started_again(tmp_path, tell):
    with flow.under_way(tmp_path, "redis", COUNT) as running:
        running.reach(0.3)
        running.product.redis.kill()
        time.sleep(5)
        running.product.redis.start()
        figures = running.settle()
    tell(**figures)
    assert figures["FILLED"] >= COUNT * 0.9


def test_rest_trades_and_protects_while_redis_is_away(tmp_path, tell):
    with flow.under_way(tmp_path, "bus", 16) as running:
        running.reach(1)
        running.product.redis.kill()
        posted = load.signals(8, "rest")
        answers = [running.product.post("/trade", body) for body in posted]
        naked = "SELECT count(*) FROM trading_position WHERE is_open AND naked_since IS NOT NULL"
        naked_without_redis = running.product.value(naked)
        running.product.redis.start()
        running.payloads += posted
        figures = running.settle()
    tell(**figures)
    assert [a.status for a in answers] == [200] * len(posted), answers
    assert not naked_without_redis
    assert figures["FILLED"] == 24
