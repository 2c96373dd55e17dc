"""A repair holds a lock while it works; a worker killed over it keeps nobody waiting for long."""

from __future__ import annotations

import signal
import time

import pytest
import redis
from django.conf import settings as django_settings

from exchanges import tasks
from exchanges.history import repair
from tests import processes

pytestmark = pytest.mark.django_db(transaction=True)
ACCEPTABLE_SECONDS = 30
REPAIR = "from exchanges.tasks import repair_history; repair_history()"


def test_its_lock_runs_out_within_half_a_minute(venue, tmp_path):
    venue.stall_seconds = 30
    words = ("shell", "--no-imports", "-c", REPAIR)
    with (
        redis.Redis.from_url(django_settings.REDIS_URL) as client,
        processes.manage(
            *words, log=tmp_path / "repair.log", SIMULATOR_REST_URL=venue.url
        ) as process,
    ):
        deadline = time.monotonic() + 60
        while not client.exists(tasks.LOCK) and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert 0 < client.pttl(tasks.LOCK) <= ACCEPTABLE_SECONDS * 1000


def test_a_repair_leaves_a_lock_alone_that_became_anothers(venue, monkeypatch):
    with redis.Redis.from_url(django_settings.REDIS_URL) as client:

        def outlives_its_lock(*, seconds: float) -> None:
            client.set(tasks.LOCK, "another's")

        monkeypatch.setattr(repair, "look", outlives_its_lock)
        tasks.repair_history()
        assert client.get(tasks.LOCK) == b"another's"


def test_its_lock_is_free_when_it_is_done(settings):
    settings.TRADING_SYMBOLS = []
    tasks.repair_history()
    with redis.Redis.from_url(django_settings.REDIS_URL) as client:
        assert not client.exists(tasks.LOCK)
