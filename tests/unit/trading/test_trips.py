"""When trading is stopped by itself, from plain facts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.domain import circuit_breakers
from trading.domain.circuit_breakers import Finding, Standing, State
from trading.domain.risk.types import TradingMode

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
GRACE = timedelta(seconds=60)


def errors(seconds, most_pct=50, least_seconds=20):
    return circuit_breakers.venue_errors(
        "testnet", seconds, most_pct=most_pct, least_seconds=least_seconds
    )


DEAD = [(3, 3)] * 20


def market(ages, most=60):
    return circuit_breakers.market_data("testnet", ages, most_seconds=most)


def skew(reading, most=2000):
    return circuit_breakers.clock_skew("testnet", reading, most_ms=most)


def unknown(ages, most=180):
    return circuit_breakers.unknown_orders("testnet", ages, most_seconds=most)


def backlog(waiting, most=100):
    return circuit_breakers.signal_backlog(waiting, most=most)


def slipped(count, most=5):
    return circuit_breakers.slippage("spot-1", slipped=count, filled=9, most=most)


def audit(refused, objection="", most=1):
    return circuit_breakers.audit_trail(refused, objection, most=most)


def locked(seconds, most=15):
    who = "psql, 10.0.0.7, idle in transaction"
    blocker = circuit_breakers.Blocker(4711, who, seconds, 3, 4.6) if seconds is not None else None
    return circuit_breakers.lock_waits(blocker, most_seconds=most)


def test_who_holds_the_lock_is_named():
    assert locked(20.0).actual == (
        "3 waiting, the longest for 5 s, for backend 4711 (psql, 10.0.0.7, idle in transaction),"
        " its transaction open for 20 s"
    )


@pytest.mark.parametrize(
    ("finding", "state"),
    [
        (slipped(4), State.FINE),
        (slipped(5), State.TRIPPED),
        (slipped(9, most=0), State.OFF),
        (errors([]), State.FINE),
        (errors([(100, 49)] * 60), State.FINE),
        (errors([(100, 50)] * 20), State.TRIPPED),
        (errors([(100, 100)] * 19 + [(1, 0)] * 41), State.FINE),  # many failures, a short time
        (errors(DEAD + [(9, 0)] * 40), State.TRIPPED),
        (errors(None), State.UNKNOWN),
        (errors(DEAD, most_pct=0), State.OFF),
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
        (locked(None), State.FINE),
        (locked(15.0), State.FINE),
        (locked(15.1), State.TRIPPED),
        (locked(1e6, most=0), State.OFF),
    ],
)
def test_each_breaker_knows_its_line(finding, state):
    assert finding.state is state


def test_a_finding_says_who_where_and_by_how_much():
    found = errors([(2, 2)] * 15 + [(1, 1)] * 5 + [(5, 0)])

    assert (found.actor, found.scope, found.key) == ("trip:venue-errors", "venue", "testnet")
    assert found.reason == (
        "venue-errors: limit=20 s of a minute in which 50 % of the calls failed"
        " actual=20 s, 35 of 40 calls failed"
    )


def test_the_symbols_that_are_stale_are_named():
    assert market({"BTCUSDT": 1.0, "ETHUSDT": 75.0, "BNBUSDT": None}).actual == (
        "BNBUSDT none, ETHUSDT 75 s"
    )


def test_the_orders_that_are_unknown_are_named():
    assert "2 orders (7, 9), the oldest for 300 s" in unknown({9: 200.0, 7: 300.0, 8: 1.0}).actual


def test_no_breaker_sells_anything():
    every = [errors(None), market(None), skew(None), unknown({}), backlog(None), audit(None)]
    every += [slipped(9), locked(None)]

    assert {f.level for f in every} <= {TradingMode.REDUCE_ONLY, TradingMode.HALTED}
    assert tuple(f.name for f in every) == circuit_breakers.NAMES


def engages(finding: Finding, standing: Standing, now: datetime = NOW) -> bool:
    return circuit_breakers.is_to_engage(finding, standing, now=now, grace=GRACE)


class TestEngaging:
    def test_only_what_tripped_stops(self):
        assert engages(errors(DEAD), Standing())
        assert not engages(errors([(20, 0)]), Standing())
        assert not engages(errors(None), Standing())

    @pytest.mark.parametrize("level", [TradingMode.HALTED, TradingMode.FLATTEN])
    def test_what_is_stopped_already_is_not_stopped_again(self, level):
        assert not engages(errors(DEAD), Standing(level))

    def test_a_milder_stop_is_not_enough(self):
        assert engages(errors(DEAD), Standing(TradingMode.REDUCE_ONLY))

    def test_neither_is_one_that_runs_out(self):
        assert engages(errors(DEAD), Standing(TradingMode.FLATTEN, lasts=False))

    def test_after_a_release_the_same_facts_rest_for_a_while(self):
        def after(seconds: float) -> bool:
            released = Standing(released_at=NOW - timedelta(seconds=seconds))
            return engages(errors(DEAD), released)

        assert [after(0), after(1), after(59.9), after(60)] == [False, False, False, True]


@given(
    seconds=st.lists(st.tuples(st.integers(1, 50), st.integers(0, 50)), max_size=60),
    pct=st.integers(1, 100),
    least=st.integers(1, 60),
    place=st.integers(0, 59),
)
def test_more_failures_never_make_it_fine(seconds, pct, least, place):
    calls = [(total, min(failed, total)) for total, failed in seconds]
    worse = [(t, t) if n == place else (t, f) for n, (t, f) in enumerate(calls)]
    first, second = errors(calls, pct, least).state, errors(worse, pct, least).state

    assert not (first is State.TRIPPED and second is State.FINE)


@given(offset=st.integers(-100_000, 100_000), took=st.integers(0, 60_000))
def test_a_slow_answer_alone_is_no_skew(offset, took):
    if abs(offset) <= took / 2:
        assert skew((offset, took)).state is State.FINE


def test_an_old_price_is_held_against_a_venue_that_was_asked_only():
    found = circuit_breakers.market_data(
        "testnet", {"BTCUSDT": None}, most_seconds=60, was_asked=False
    )

    assert found.state is State.UNKNOWN
    assert "not asked yet" in found.actual


@pytest.mark.parametrize("name", circuit_breakers.NAMES)
def test_a_breaker_nobody_looks_at_keeps_its_own_level(name):
    assert circuit_breakers.unwatched(name, "").level is circuit_breakers.LEVELS[name]
