"""How calls fare is counted over all processes, and never at the price of a call."""

from __future__ import annotations

import pytest
import redis
from django.conf import settings

from exchanges.domain import errors
from exchanges.venues.shared import call_stats
from exchanges.venues.shared.call_stats import Tally
from exchanges.venues.shared.rate_budget import connect
from tests.places import TESTNET


class Steady:
    """A clock that stands until it is told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def store():
    client = connect(settings.REDIS_URL)
    yield client
    client.flushdb()
    client.close()


@pytest.fixture
def steady():
    return Steady()


@pytest.fixture
def counted(store, steady):
    return Tally(TESTNET, store, steady=steady)


def figures(store, venue, **when) -> tuple[int, int]:
    found = call_stats.calls(store, venue, **when)
    assert sum(total for total, _ in found.seconds) == found.total
    return found.total, found.failed


def test_two_processes_are_added_up(store, counted):
    other = Tally(TESTNET, store)
    counted.note(failed=False)
    other.note(failed=True)

    assert figures(store, TESTNET) == (2, 1)
    assert figures(store, "demo") == (0, 0)


def test_what_went_well_is_written_once_a_second(store, counted, steady):
    for _ in range(5):
        counted.note(failed=False)
    assert figures(store, TESTNET) == (1, 0)

    steady.now = 1.0
    counted.note(failed=False)
    assert figures(store, TESTNET) == (6, 0)


def test_a_failure_is_written_at_once_with_what_waited(store, counted):
    counted.note(failed=False)
    counted.note(failed=False)
    counted.note(failed=True)

    assert figures(store, TESTNET) == (3, 1)


def test_a_failure_counts_in_every_second_it_lasted(store, counted):
    counted.note(failed=True, took_seconds=12.04)

    found = call_stats.calls(store, TESTNET)
    assert found.seconds == ((1, 1),) * 12


def test_a_quick_failure_counts_once_wherever_the_second_ends(store, counted):
    counted.wall = lambda: 1_000_000.001
    counted.note(failed=True, took_seconds=0.02)

    assert figures(store, TESTNET, now=1_000_000.5) == (1, 1)


def test_nothing_lasts_longer_than_what_is_looked_at(store, counted):
    counted.note(failed=True, took_seconds=4000)

    assert len(call_stats.calls(store, TESTNET).seconds) == call_stats.WINDOW_SECONDS


def test_what_goes_well_for_long_counts_once(store, counted):
    counted.note(failed=False, took_seconds=12)

    assert figures(store, TESTNET) == (1, 0)


def test_a_failure_that_redis_missed_keeps_its_own_seconds(store, steady):
    away = connect("redis://127.0.0.1:1/0")
    counted = Tally(TESTNET, away, wall=lambda: 1_000_000.0, steady=steady)
    counted.note(failed=True)  # lost: now Redis is left alone for a moment
    counted.note(failed=True, took_seconds=3)
    counted.store, counted.wall, steady.now = store, (lambda: 1_000_010.0), 10.0
    counted.note(failed=False)

    assert call_stats.calls(store, TESTNET, now=1_000_010.0).seconds == ((1, 0), *((1, 1),) * 3)


def test_a_minute_later_it_no_longer_counts(store, counted):
    counted.note(failed=True)

    assert figures(store, TESTNET, now=counted.wall() + 75) == (0, 0)


def test_without_redis_calls_go_on_and_the_counts_are_told_later(store, steady):
    away = connect("redis://127.0.0.1:1/0")
    counted = Tally(TESTNET, away, steady=steady)
    counted.note(failed=True)
    counted.note(failed=True)

    with pytest.raises(redis.RedisError):
        call_stats.calls(away, TESTNET)
    counted.store = store
    steady.now = 2.0
    counted.note(failed=False)
    assert figures(store, TESTNET) == (2, 1)


def test_the_latest_clock_of_any_process_counts(store, counted):
    counted.note_clock(offset_ms=40, took_ms=7)

    reading = call_stats.clock(store, TESTNET, most_age=60)
    assert reading is not None
    assert (reading.offset_ms, reading.took_ms) == (40, 7)
    assert call_stats.clock(store, TESTNET, most_age=60, now=counted.wall() + 61) is None


class TestTheGateway:
    @pytest.fixture
    def gateway(self, make_gateway, counted):
        return make_gateway(tally=counted)

    def test_it_counts_what_the_venue_answers_and_what_it_does_not(self, gateway, venue, store):
        gateway.ping()
        venue.refuse_next(400, -1121, "Invalid symbol.")
        with pytest.raises(errors.Rejected):
            gateway.last_price("NOPE")
        assert call_stats.calls(store, TESTNET).failed == 0

        venue.refuse_next(503, -1001, "busy")
        gateway.ping()
        assert call_stats.calls(store, TESTNET).failed == 1

    def test_a_connection_that_breaks_is_a_failure(self, gateway, venue, store, market_buy):
        venue.hang_up_next()
        with pytest.raises(errors.OutcomeUnknown):
            gateway.place_order(market_buy)

        assert call_stats.calls(store, TESTNET).failed == 1

    def test_a_venue_that_hangs_is_bad_for_as_long_as_it_was_waited_for(
        self, make_gateway, counted, venue, store, market_buy
    ):
        gateway = make_gateway(tally=counted, timeout_seconds=3.0)
        gateway.server_time()
        venue.answer_next(stall_seconds=4)
        with pytest.raises(errors.OutcomeUnknown):
            gateway.place_order(market_buy)

        bad = [failed for _, failed in call_stats.calls(store, TESTNET).seconds if failed]
        assert bad == [1, 1, 1]
