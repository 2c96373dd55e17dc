"""When trading is stopped by itself, from plain facts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.domain import trips
from trading.domain.risk.types import TradingMode
from trading.domain.trips import Finding, Standing, State

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
GRACE = timedelta(seconds=60)


def errors(calls, most_pct=50, least_calls=20):
    return trips.venue_errors("testnet", calls, most_pct=most_pct, least_calls=least_calls)


def market(ages, most=60):
    return trips.market_data("testnet", ages, most_seconds=most)


def skew(reading, most=2000):
    return trips.clock_skew("testnet", reading, most_ms=most)


def unknown(ages, most=180):
    return trips.unknown_orders("testnet", ages, most_seconds=most)


def backlog(waiting, most=100):
    return trips.signal_backlog(waiting, most=most)


def audit(refused, objection="", most=1):
    return trips.audit_trail(refused, objection, most=most)


@pytest.mark.parametrize(
    ("finding", "state"),
    [
        (errors((0, 0)), State.FINE),
        (errors((100, 49)), State.FINE),
        (errors((100, 50)), State.TRIPPED),
        (errors((19, 19)), State.FINE),
        (errors((20, 20)), State.TRIPPED),
        (errors(None), State.UNKNOWN),
        (errors((100, 100), most_pct=0), State.OFF),
        (market({}), State.FINE),
        (market({"BTCUSDT": 59.9}), State.FINE),
        (market({"BTCUSDT": 1.0, "ETHUSDT": 60.1}), State.TRIPPED),
        (market({"BTCUSDT": None}), State.TRIPPED),
        (market(None), State.UNKNOWN),
        (market({"BTCUSDT": None}, most=0), State.OFF),
        (skew((2000, 0)), State.FINE),
        (skew((2001, 0)), State.TRIPPED),
        (skew((-2001, 0)), State.TRIPPED),
        (skew((2500, 1200)), State.FINE),  # the way there may have taken that long
        (skew(None), State.UNKNOWN),
        (skew((9999, 0), most=0), State.OFF),
        (unknown({}), State.FINE),
        (unknown({7: 180.0}), State.FINE),
        (unknown({7: 180.1, 8: 1.0}), State.TRIPPED),
        (unknown({7: 1e9}, most=0), State.OFF),
        (backlog(100), State.FINE),
        (backlog(101), State.TRIPPED),
        (backlog(None), State.UNKNOWN),
        (backlog(10**9, most=0), State.OFF),
        (audit(0), State.FINE),
        (audit(1), State.TRIPPED),
        (audit(0, "the triggers are gone"), State.TRIPPED),
        (audit(None, "the triggers are gone"), State.TRIPPED),
        (audit(None), State.UNKNOWN),
        (audit(0, None), State.UNKNOWN),
        (audit(9, "gone", most=0), State.OFF),
    ],
)
def test_each_breaker_knows_its_line(finding, state):
    assert finding.state is state


def test_a_finding_says_who_where_and_by_how_much():
    found = errors((40, 30))

    assert (found.actor, found.scope, found.key) == ("trip:venue-errors", "venue", "testnet")
    assert found.reason == (
        "venue-errors: limit=50 % of 20 or more calls in a minute actual=30 of 40 calls failed"
    )


def test_the_symbols_that_are_stale_are_named():
    assert market({"BTCUSDT": 1.0, "ETHUSDT": 75.0, "BNBUSDT": None}).actual == (
        "BNBUSDT none, ETHUSDT 75 s"
    )


def test_the_orders_that_are_unknown_are_named():
    assert "2 orders (7, 9), the oldest for 300 s" in unknown({9: 200.0, 7: 300.0, 8: 1.0}).actual


def test_no_breaker_sells_anything():
    every = [errors(None), market(None), skew(None), unknown({}), backlog(None), audit(None)]

    assert {f.level for f in every} <= {TradingMode.REDUCE_ONLY, TradingMode.HALTED}
    assert tuple(f.name for f in every) == trips.NAMES


def engages(finding: Finding, standing: Standing, now: datetime = NOW) -> bool:
    return trips.is_to_engage(finding, standing, now=now, grace=GRACE)


class TestEngaging:
    def test_only_what_tripped_stops(self):
        assert engages(errors((20, 20)), Standing())
        assert not engages(errors((20, 0)), Standing())
        assert not engages(errors(None), Standing())

    @pytest.mark.parametrize("level", [TradingMode.HALTED, TradingMode.FLATTEN])
    def test_what_is_stopped_already_is_not_stopped_again(self, level):
        assert not engages(errors((20, 20)), Standing(level))

    def test_a_milder_stop_is_not_enough(self):
        assert engages(errors((20, 20)), Standing(TradingMode.REDUCE_ONLY))

    def test_neither_is_one_that_runs_out(self):
        assert engages(errors((20, 20)), Standing(TradingMode.FLATTEN, lasts=False))

    def test_after_a_release_the_same_facts_rest_for_a_while(self):
        def after(seconds: float) -> bool:
            released = Standing(released_at=NOW - timedelta(seconds=seconds))
            return engages(errors((20, 20)), released)

        assert [after(0), after(1), after(59.9), after(60)] == [False, False, False, True]


@given(
    total=st.integers(0, 10_000),
    failed=st.integers(0, 10_000),
    pct=st.integers(1, 100),
    least=st.integers(1, 100),
)
def test_more_failures_never_make_it_fine(total, failed, pct, least):
    failed = min(failed, total)
    worse = min(failed + 1, total)
    first = errors((total, failed), pct, least).state
    second = errors((total, worse), pct, least).state

    assert not (first is State.TRIPPED and second is State.FINE)


@given(offset=st.integers(-100_000, 100_000), took=st.integers(0, 60_000))
def test_a_slow_answer_alone_is_no_skew(offset, took):
    if abs(offset) <= took / 2:
        assert skew((offset, took)).state is State.FINE
