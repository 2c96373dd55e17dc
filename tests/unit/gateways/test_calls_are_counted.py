"""How calls fare is counted over all processes, and never at the price of a call."""

from __future__ import annotations

import pytest
import redis
from django.conf import settings

from exchanges.domain import errors
from exchanges.gateways import tally
from exchanges.gateways.budget import connect
from exchanges.gateways.tally import Tally


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
    return Tally("testnet", store, steady=steady)


def figures(store, environment, **when) -> tuple[int, int]:
    found = tally.calls(store, environment, **when)
    assert sum(total for total, _ in found.seconds) == found.total
    return found.total, found.failed


def test_two_processes_are_added_up(store, counted):
    other = Tally("testnet", store)
    counted.note(failed=False)
    other.note(failed=True)

    assert figures(store, "testnet") == (2, 1)
    assert figures(store, "demo") == (0, 0)


def test_what_went_well_is_written_once_a_second(store, counted, steady):
    for _ in range(5):
        counted.note(failed=False)
    assert figures(store, "testnet") == (1, 0)

    steady.now = 1.0
    counted.note(failed=False)
    assert figures(store, "testnet") == (6, 0)


def test_a_failure_is_written_at_once_with_what_waited(store, counted):
    counted.note(failed=False)
    counted.note(failed=False)
    counted.note(failed=True)

    assert figures(store, "testnet") == (3, 1)


def test_a_minute_later_it_no_longer_counts(store, counted):
    counted.note(failed=True)

    assert figures(store, "testnet", now=counted.wall() + 75) == (0, 0)


def test_without_redis_calls_go_on_and_the_counts_are_told_later(store, steady):
    away = connect("redis://127.0.0.1:1/0")
    counted = Tally("testnet", away, steady=steady)
    counted.note(failed=True)
    counted.note(failed=True)

    with pytest.raises(redis.RedisError):
        tally.calls(away, "testnet")
    counted.store = store
    steady.now = 2.0
    counted.note(failed=False)
    assert figures(store, "testnet") == (2, 1)


def test_the_latest_clock_of_any_process_counts(store, counted):
    counted.note_clock(offset_ms=40, took_ms=7)

    reading = tally.clock(store, "testnet", most_age=60)
    assert reading is not None
    assert (reading.offset_ms, reading.took_ms) == (40, 7)
    assert tally.clock(store, "testnet", most_age=60, now=counted.wall() + 61) is None


class TestTheGateway:
    @pytest.fixture
    def gateway(self, make_gateway, counted):
        return make_gateway(tally=counted)

    def test_it_counts_what_the_venue_answers_and_what_it_does_not(self, gateway, venue, store):
        gateway.ping()
        venue.refuse_next(400, -1121, "Invalid symbol.")
        with pytest.raises(errors.Rejected):
            gateway.last_price("NOPE")
        assert tally.calls(store, "testnet").failed == 0

        venue.refuse_next(503, -1001, "busy")
        gateway.ping()
        assert tally.calls(store, "testnet").failed == 1

    def test_a_connection_that_breaks_is_a_failure(self, gateway, venue, store, market_buy):
        venue.hang_up_next()
        with pytest.raises(errors.OutcomeUnknown):
            gateway.place_order(market_buy)

        assert tally.calls(store, "testnet").failed == 1
