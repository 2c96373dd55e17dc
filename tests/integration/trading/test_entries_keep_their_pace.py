"""Entries let through are counted, in the place the limit is set in, and no faster ones pass."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F

from tests.limits import set_limits
from trading.models import Decision

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_limits_of_its_own(send):
    """Every test sets the one limit it is about."""
    set_limits(
        max_orders_per_second=0, max_orders_per_minute=0, max_orders_per_day=0, max_repeats=0
    )


def let_time_pass(**span: int) -> None:
    Decision.objects.update(decided_at=F("decided_at") - timedelta(**span))


@pytest.mark.parametrize(
    ("limit", "code", "window"),
    [
        ("max_orders_per_second", "ORDER_RATE_SECOND_AT_MAX", {"seconds": 1}),
        ("max_orders_per_minute", "ORDER_RATE_MINUTE_AT_MAX", {"seconds": 60}),
        ("max_orders_per_day", "ORDER_RATE_DAY_AT_MAX", {"hours": 24}),
    ],
)
def test_no_more_than_the_limit_within_the_window(limit, code, window, send):
    values: dict[str, Any] = {limit: 2}
    set_limits(**values)

    codes = [send(strategy_id=f"s{n}").decision.code for n in range(3)]
    let_time_pass(**window)

    assert codes == ["", "", code]
    assert send().decision.approved


def test_exits_neither_count_nor_wait(send):
    set_limits(max_orders_per_minute=2)
    send()
    assert send(action="close", quantity=None).decision.approved
    assert send().decision.approved
    assert send().decision.code == "ORDER_RATE_MINUTE_AT_MAX"
    assert send(action="close", quantity=None).decision.approved


def test_denied_signals_do_not_count(send):
    set_limits(max_orders_per_minute=1)
    send(confidence=0.1)
    assert send().decision.approved


def test_a_strategy_with_a_limit_of_its_own_is_counted_alone(send):
    set_limits(max_orders_per_minute=3)
    set_limits(scope="strategy", key="eager", max_orders_per_minute=1)
    for _ in range(2):
        assert send(strategy_id="calm").decision.approved

    assert send(strategy_id="eager").decision.approved
    denied = send(strategy_id="eager").decision
    assert denied.code == "ORDER_RATE_MINUTE_AT_MAX"
    [verdict] = [v for v in denied.verdicts if v["rule"] == "orders_per_minute"]
    assert ["counted", "strategy eager"] in verdict["inputs"]


def test_a_symbol_with_a_limit_of_its_own_is_counted_alone(send):
    set_limits(scope="symbol", key="ETHUSDT", max_orders_per_day=1)
    send()
    assert send(symbol="ETHUSDT").decision.approved
    assert send(symbol="ETHUSDT").decision.code == "ORDER_RATE_DAY_AT_MAX"
    assert send().decision.approved


def test_under_the_hard_cap_the_whole_account_is_counted(send):
    set_limits(scope="cap", max_orders_per_minute=2)
    set_limits(scope="strategy", key="eager", max_orders_per_minute=100)
    send(strategy_id="calm")
    send(strategy_id="eager")
    assert send(strategy_id="eager").decision.code == "ORDER_RATE_MINUTE_AT_MAX"


def test_a_strategy_in_a_loop_is_stopped_and_others_are_not(send):
    set_limits(max_repeats=2, repeat_window_seconds=30)

    codes = [send(strategy_id="loop").decision.code for _ in range(3)]

    assert codes == ["", "", "REPEATED_ENTRY_AT_MAX"]
    assert send(strategy_id="loop", symbol="ETHUSDT").decision.approved
    assert send(strategy_id="calm").decision.approved
    let_time_pass(seconds=31)
    assert send(strategy_id="loop").decision.approved
