"""Closed trades and their figures over the API."""

from __future__ import annotations

import pytest

from tests.integration.api.conftest import trade
from trading.models import ClosedTrade


@pytest.fixture
def traded(trader):
    trade(trader)
    trade(trader, action="sell", quantity=None)
    assert ClosedTrade.objects.count() == 1


def test_a_closed_trade_is_listed(trader, traded):
    [row] = trader.get("/api/v1/closed-trades/?symbol=BTCUSDT").json()["results"]
    assert (row["outcome"], row["strategy_id"]) == ("loss", "momentum_v1")
    assert row["profit"].startswith("-0.")


def test_the_figures_are_summed(trader, traded):
    figures = trader.get("/api/v1/performance/?strategy_id=momentum_v1").json()
    assert (figures["trades"], figures["losses"], figures["streak"]) == (1, 1, -1)
    assert figures["win_rate"] == "0"
    assert figures["profit_factor"] == "0"


def test_nothing_matches_is_nothing(trader, traded):
    figures = trader.get("/api/v1/performance/?account=nobody").json()
    assert (figures["trades"], figures["win_rate"]) == (0, None)


def test_a_time_nobody_can_read_is_refused(trader):
    assert trader.get("/api/v1/performance/?since=yesterday").status_code == 400


def test_an_empty_filter_is_refused(trader):
    assert trader.get("/api/v1/performance/?symbol=").status_code == 400
