"""Beat keeps its table in memory: what was due while it was away is due at the start."""

from __future__ import annotations

import pytest
import redis
from django.conf import settings

from foundation import liveness
from petrosa_site import beat, celery


@pytest.fixture
def scheduler():
    return beat.Scheduler(celery.app)


def test_it_has_the_whole_table(scheduler):
    assert set(settings.CELERY_BEAT_SCHEDULE) <= set(scheduler.schedule)


def test_everything_is_due_at_the_start(scheduler):
    assert {name for name, one in scheduler.schedule.items() if not one.is_due().is_due} == set()


def test_each_watched_queue_gets_its_pulse(scheduler):
    pulses = [one for one in scheduler.schedule.values() if one.task == "life.pulse"]

    found = {one.args[0]: one.options["queue"] for one in pulses}
    assert found == settings.WATCHED_QUEUES


def test_a_turn_leaves_a_sign_of_life(scheduler):
    scheduler.tick()

    assert liveness.ages()["beat"] < 5
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()
