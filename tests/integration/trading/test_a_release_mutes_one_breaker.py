"""Whoever releases the stop of one circuit breaker has seen its facts, not those of another."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from trading.domain import circuit_breakers as rules
from trading.domain.risk.types import TradingMode
from trading.models import TradingState
from trading.services.control import circuit_breakers, kill_switch

pytestmark = pytest.mark.django_db


def tripped(name: str) -> rules.Finding:
    level, state = rules.LEVELS[name], rules.State.TRIPPED
    return rules.Finding(name, rules.VENUE, "simulator", level, state, "1", "2")


def released(state: TradingState | None) -> None:
    assert state is not None
    kill_switch.release(state_id=state.pk, actor="ann", reason="seen")


def test_the_one_released_rests_for_a_while():
    released(circuit_breakers.engage(tripped("venue-errors")))

    assert circuit_breakers.engage(tripped("venue-errors")) is None


def test_another_one_of_the_same_place_stops_at_once():
    released(circuit_breakers.engage(tripped("venue-errors")))
    state = circuit_breakers.engage(tripped("clock-skew"))

    assert state is not None
    assert state.engaged_by == "trip:clock-skew"


def test_one_that_was_hidden_behind_it_stops_at_once():
    first = circuit_breakers.engage(tripped("venue-errors"))
    assert circuit_breakers.engage(tripped("clock-skew")) is None  # halted already
    released(first)

    assert circuit_breakers.engage(tripped("clock-skew")) is not None


def test_releasing_a_persons_stop_mutes_none():
    released(kill_switch.engage(actor="ben", reason="storm", scope="venue", key="simulator"))

    assert circuit_breakers.engage(tripped("venue-errors")) is not None


def test_one_released_earlier_stays_muted_while_another_is_released():
    released(circuit_breakers.engage(tripped("venue-errors")))
    released(circuit_breakers.engage(tripped("clock-skew")))

    assert circuit_breakers.engage(tripped("venue-errors")) is None
    TradingState.objects.filter(engaged_by="trip:venue-errors").update(
        released_at=timezone.now() - timedelta(seconds=60)
    )
    assert circuit_breakers.engage(tripped("venue-errors")) is not None
    assert circuit_breakers.engage(tripped("clock-skew")) is None


def test_its_reason_says_what_to_do():
    state = circuit_breakers.engage(tripped("venue-errors"))

    assert state is not None
    assert TradingMode(state.mode) is TradingMode.HALTED
    assert rules.WHAT_TO_DO["venue-errors"] in state.reason
