"""The venue's time to answer is measured with every call and known in every process."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest

from exchanges.domain.errors import VenueError
from exchanges.venues import registry
from exchanges.venues.binance.spot.gateway import BinanceSpotGateway
from exchanges.venues.shared import latency
from petrosa_site.stack.ports import free_port
from tests.fakes.scripted_venue import ScriptedVenue
from tests.places import DEMO, SIMULATOR, TESTNET

D = Decimal


@pytest.fixture(autouse=True)
def _nothing_known() -> Iterator[None]:
    latency.forget()
    yield
    latency.forget()


def in_another_process() -> None:
    """What this process knows by itself is gone; what it told the others is not."""
    latency.forget()


def test_without_an_answer_nothing_is_known():
    assert latency.lately(TESTNET) is None


def test_one_slow_answer_among_quick_ones_is_no_slow_venue():
    for ms in (10, 12, 4000, 11, 13):
        latency.note(TESTNET, ms)
    known = latency.lately(TESTNET)
    assert known is not None
    assert known.ms == 12


def test_a_venue_that_stays_slow_is_slow():
    for ms in (10, 12, 4000, 4100, 4200):
        latency.note(TESTNET, ms)
    known = latency.lately(TESTNET)
    assert known is not None
    assert known.ms == 4000


def test_the_other_processes_know_it_too():
    latency.note(TESTNET, 37)
    in_another_process()
    known = latency.lately(TESTNET)
    assert known is not None
    assert known.ms == 37


def test_environments_are_kept_apart():
    latency.note(TESTNET, 37)
    assert latency.lately(DEMO) is None


def test_what_was_long_ago_does_not_count():
    latency.note(TESTNET, 37)
    assert latency.lately(TESTNET, within=timedelta(0)) is None


def test_without_redis_a_process_knows_its_own_answers(settings, monkeypatch):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(latency, "_redis_rests_until", 0.0)
    latency.note(TESTNET, 37)
    assert latency.lately(TESTNET) is not None


class TestMeasuring:
    @pytest.fixture
    def taken(self) -> list[float]:
        return []

    @pytest.fixture
    def venue(self) -> Iterator[ScriptedVenue]:
        with ScriptedVenue() as venue:
            yield venue

    def gateway(self, url: str, taken: list[float]) -> BinanceSpotGateway:
        return BinanceSpotGateway(
            venue=TESTNET,
            rest_url=url,
            timeout_seconds=0.3,
            sleep=lambda _: None,
            on_answer=taken.append,
        )

    def test_every_answer_is_timed(self, venue, taken):
        self.gateway(venue.url, taken).ping()
        [ms] = taken
        assert 0 < ms < 300

    def test_a_refusal_is_an_answer(self, venue, taken):
        venue.refuse_next(400, -1121, "Invalid symbol.")
        with pytest.raises(VenueError):
            self.gateway(venue.url, taken).depth("NOSUCH")
        assert len(taken) == 1

    def test_an_answer_that_never_came_counts_as_long_as_it_was_waited_for(self, venue, taken):
        venue.answer_next(stall_seconds=1.0)
        self.gateway(venue.url, taken).ping()
        assert taken[0] >= 290

    def test_a_refused_connection_tells_nothing(self, taken):
        with pytest.raises(VenueError):
            self.gateway(f"http://127.0.0.1:{free_port()}", taken).ping()
        assert taken == []


def test_a_gateway_that_was_warmed_up_knows_it_at_once(simulator):
    registry.warm(SIMULATOR)
    assert latency.lately(SIMULATOR) is not None
