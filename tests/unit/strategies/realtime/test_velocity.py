"""Ticker velocity: percent per minute over the window."""

from __future__ import annotations

import pytest

from tests.unit.strategies.realtime.market import Market, made


def still(seconds: int = 65, **params: float) -> Market:
    market = Market(made("ticker_velocity", **params))
    for _ in range(seconds):
        market.ticker(100)
        market.wait(1)
    return market


def move(market: Market, percent_per_minute: float, *, seconds: int) -> None:
    for second in range(seconds):
        market.ticker(100 * (1 + percent_per_minute / 100 * second / 60))
        market.wait(1)


def test_a_price_that_stands_says_nothing():
    assert still(600).said == []


def test_half_a_percent_in_a_minute_is_a_buy():
    market = still()
    move(market, 1.0, seconds=45)
    (one,) = market.said
    assert one.action == "buy"
    assert one.indicators["velocity_percent_per_minute"] == pytest.approx(0.5, abs=0.02)
    assert one.indicators["change_percent"] == pytest.approx(0.5, abs=0.02)
    assert one.confidence == pytest.approx(0.5, abs=0.02)


def test_a_slower_move_is_none():
    market = still()
    move(market, 0.4, seconds=300)
    assert market.said == []


def test_a_fall_is_a_sell():
    market = still()
    move(market, -1.0, seconds=45)
    assert market.sides == ["sell"]


def test_velocity_is_per_minute_whatever_the_window():
    market = still(time_window=30)
    move(market, 1.0, seconds=20)
    (one,) = market.said
    assert one.indicators["change_percent"] == pytest.approx(0.25, abs=0.02)
    assert one.indicators["velocity_percent_per_minute"] == pytest.approx(0.5, abs=0.04)


def test_a_fast_move_that_is_too_small_says_nothing():
    market = still(time_window=5, min_price_change=0.2)
    move(market, 1.0, seconds=10)
    assert market.said == []


def test_nothing_is_said_before_the_window_is_full():
    market = Market(made("ticker_velocity"))
    move(market, 5.0, seconds=60)
    assert market.said == []


def test_after_a_gap_the_window_fills_anew():
    market = still()
    market.wait(120)
    move(market, 5.0, seconds=55)
    assert market.said == []


def test_a_longer_window_fills_before_it_speaks():
    market = still(time_window=10)
    market.strategy.tune(market.strategy.spec.resolved({"time_window": 600}))
    move(market, 5.0, seconds=120)
    assert market.said == []


def test_a_late_ticker_changes_nothing():
    market = still()
    before = market.strategy.snapshot("BTCUSDT")
    market.now_ms -= 10_000
    market.ticker(200)
    assert market.strategy.snapshot("BTCUSDT") == before


def test_tickers_that_come_too_often_do_not_fill_the_memory():
    market = Market(made("ticker_velocity", time_window=60))
    for number in range(20_000):
        market.ticker(100 + number % 2 * 0.001)
        market.wait(0.01)
    assert len(market.strategy.snapshot("BTCUSDT")) < 20_000
