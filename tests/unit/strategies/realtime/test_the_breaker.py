"""The circuit breaker around publishing."""

from __future__ import annotations

from signals_app.realtime.breaker import Breaker, State


def test_it_opens_after_failures_in_a_row():
    breaker = Breaker(failures_to_open=3)
    breaker.failed(0)
    breaker.failed(0)
    breaker.worked()
    for _ in range(3):
        assert breaker.allows(0)
        breaker.failed(0)
    assert not breaker.allows(1)
    assert (breaker.state, breaker.opened) == (State.OPEN, 1)


def test_after_its_rest_one_try_decides():
    breaker = Breaker(failures_to_open=1, rest_seconds=2)
    breaker.failed(0)
    assert not breaker.allows(1.9)
    assert breaker.allows(2)
    seen = [breaker.state]
    breaker.worked()
    assert [*seen, breaker.state] == [State.HALF_OPEN, State.CLOSED]


def test_each_rest_is_twice_as_long_up_to_a_bound():
    breaker, now, rests = Breaker(failures_to_open=1, rest_seconds=2, most_rest_seconds=7), 0.0, []
    for _ in range(4):
        breaker.failed(now)
        began = now
        while not breaker.allows(now):
            now += 0.5
        rests.append(now - began)
    assert rests == [2, 4, 7, 7]
    assert breaker.opened == 1
