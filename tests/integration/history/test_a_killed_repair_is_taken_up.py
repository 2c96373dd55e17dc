"""One repair runs at a time; a worker killed over it keeps nobody waiting for long."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

import pytest

from foundation import locks
from tests import processes

pytestmark = pytest.mark.django_db(transaction=True)
ACCEPTABLE_SECONDS = 10
REPAIR = "from exchanges.tasks import repair_history; repair_history()"


def is_running() -> bool:
    return locks.is_held("history-repair")


def until(seen: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not seen() and time.monotonic() < deadline:
        time.sleep(0.02)
    return seen()


def test_a_killed_one_is_out_of_the_way_soon(venue, tmp_path):
    venue.stall_seconds = 30
    words = ("shell", "--no-imports", "-c", REPAIR)
    with processes.manage(
        *words, log=tmp_path / "repair.log", SIMULATOR_REST_URL=venue.url
    ) as process:
        assert until(is_running, 60)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert until(lambda: not is_running(), ACCEPTABLE_SECONDS)
