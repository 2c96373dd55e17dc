"""What is stored is the progress: a backfill killed at any moment loses and repeats no page."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from exchanges.history import store
from tests import processes
from tests.fakes.candles import START_MS, candles
from tests.places import MAINNET

pytestmark = pytest.mark.django_db(transaction=True)
PAGES = 12
WORDS = ("--environment=mainnet", "--symbol=BTCUSDT", "--interval=1m")


def start(venue) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [
            sys.executable,
            "manage.py",
            "backfill",
            *WORDS,
            "--from=2024-08-09",
            "--to=2024-08-17T08:00",
        ],
        cwd=processes.ROOT,
        env=processes.environment(BINANCE_SPOT_REST_URL=venue.url),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def stored() -> list[int]:
    return store.load(venue=MAINNET, symbol="BTCUSDT", interval="1m").opened_ms.tolist()


def test_kill_9_loses_no_page(venue):
    rows = candles(PAGES * 1000)
    venue.has(rows)
    venue.stall_seconds = 0.1
    first = start(venue)
    deadline = time.monotonic() + 60
    while len(venue.pages) < 4 and time.monotonic() < deadline:
        time.sleep(0.01)

    first.send_signal(signal.SIGKILL)
    first.communicate()
    time.sleep(0.3)  # for the call that was under way
    kept, asked = stored(), len(venue.pages)
    second = start(venue)
    told, _ = second.communicate(timeout=60)

    assert second.returncode == 0, told.decode()
    assert 0 < len(kept) < len(rows)
    assert stored() == [row.opened_ms for row in rows]
    starts = [int(params["startTime"]) for _, params in venue.pages[asked:]]
    assert starts[0] == START_MS + len(kept) * 60_000
    assert len(starts) == PAGES - len(kept) // 1000
