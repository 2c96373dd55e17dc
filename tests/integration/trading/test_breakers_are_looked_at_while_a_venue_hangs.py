"""Breakers are for outages, so the outage must not hold up who looks at them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db import connections

from exchanges.venues.shared import call_stats, rate_budget
from tests import processes
from tests.fakes.scripted_venue import ScriptedVenue
from tests.places import SIMULATOR
from trading.models import TradingState
from trading.services.control import circuit_breakers
from trading.services.money import accounts

pytestmark = pytest.mark.django_db(transaction=True)
HANGS_SECONDS = 4.0


@pytest.fixture
def hanging(settings) -> Iterator[ScriptedVenue]:
    accounts.ensure_first()
    with ScriptedVenue() as venue:
        venue.clock_stall_seconds = HANGS_SECONDS
        settings.SIMULATOR_REST_URL = venue.url
        yield venue


def test_no_watch_waits_for_who_asks_the_venue(hanging):
    asking = threading.Thread(target=_freshen)
    asking.start()
    _until(lambda: hanging.calls("time"))
    started = time.monotonic()
    circuit_breakers.watch()
    took = time.monotonic() - started

    assert asking.is_alive()
    assert took < 3
    assert circuit_breakers.seen().seconds_ago is not None
    asking.join()


def test_one_worker_at_most_waits_for_the_venue(hanging):
    asking = threading.Thread(target=_freshen)
    asking.start()
    _until(lambda: hanging.calls("time"))
    started = time.monotonic()
    circuit_breakers.freshen()

    assert time.monotonic() - started < 3
    asking.join()


def test_without_any_worker_the_market_process_stops_trading(hanging, tmp_path: Path):
    counted = call_stats.Tally(SIMULATOR, rate_budget.connect(django_settings.REDIS_URL))
    counted.note(failed=True, took_seconds=40)
    log = tmp_path / "log"
    with processes.running("manage.py", "stream_market_data", log=log, TRIP_EVERY_SECONDS="1"):
        _until(TradingState.objects.exists, 200, log)
        _until(lambda: circuit_breakers.seen().seconds_ago is not None, 90, log)

    stop = TradingState.objects.get()
    assert (stop.mode, stop.key, stop.engaged_by) == (
        "HALTED",
        "binance.spot.simulator",
        "trip:venue-errors",
    )


def _freshen() -> None:
    try:
        circuit_breakers.freshen()
    finally:
        connections.close_all()


def _until(happened, seconds: float = 60, log: Path | None = None) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, log.read_text() if log else "it did not happen"
        time.sleep(0.05)
