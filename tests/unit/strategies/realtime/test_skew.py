"""Order book skew: bid volume over ask volume."""

from __future__ import annotations

import pytest

from signals_app.strategies.realtime.frames import FrameInvalid
from tests.unit.strategies.realtime.market import Market, made


def warm(seconds: int = 40, **params: float) -> Market:
    market = Market(made("orderbook_skew", **{"min_spread_percent": 0.0} | params))
    for _ in range(seconds * 2):
        market.book(10, 10)
        market.wait(0.5)
    return market


def press(market: Market, bids: float, asks: float, *, seconds: int = 20, **book: float) -> None:
    for _ in range(seconds * 2):
        market.book(bids, asks, **book)
        market.wait(0.5)


def test_a_level_book_says_nothing():
    assert warm(300).said == []


def test_more_bids_than_asks_is_a_buy():
    market = warm()
    press(market, 20, 10)
    (one,) = market.said
    assert one.action == "buy"
    assert 0.5 <= one.confidence < 0.6  # the average has just crossed
    assert one.indicators["skew"] >= 1.2
    assert one.price == pytest.approx(100)


def test_more_asks_than_bids_is_a_sell():
    market = warm()
    press(market, 10, 20)
    assert market.sides == ["sell"]


def test_as_long_as_it_presses_it_says_so_once():
    market = warm(cooldown_seconds=0)
    press(market, 20, 10, seconds=600)
    assert market.sides == ["buy"]


def test_it_says_so_again_after_the_book_was_level_and_the_cooldown_is_over():
    market = warm(cooldown_seconds=60)
    for _ in range(2):
        press(market, 20, 10)
        press(market, 10, 10, seconds=60)
    assert market.sides == ["buy", "buy"]


def test_the_other_side_waits_for_no_cooldown():
    market = warm(cooldown_seconds=600)
    press(market, 20, 10)
    press(market, 10, 20)
    assert market.sides == ["buy", "sell"]


def test_a_narrow_spread_is_no_time_to_speak_by_the_first_settings():
    market = warm(min_spread_percent=0.1)
    press(market, 30, 10)
    assert market.said == []
    press(market, 30, 10, bid=99.9, ask=100.1)
    assert market.sides == ["buy"]


def test_nothing_is_said_before_it_is_warm():
    market = Market(made("orderbook_skew", min_spread_percent=0, warmup_seconds=30))
    press(market, 30, 10, seconds=29)
    assert market.said == []
    press(market, 30, 10, seconds=3)
    assert market.sides == ["buy"]


def test_after_a_gap_it_warms_up_again():
    market = warm()
    market.wait(60)
    press(market, 30, 10, seconds=25)
    assert market.said == []


def test_a_book_told_twice_or_late_changes_nothing():
    market = warm()
    before = market.strategy.snapshot("BTCUSDT")
    market.number -= 1
    market.book(1000, 1)
    assert market.strategy.snapshot("BTCUSDT") == before


def test_a_venue_that_starts_its_numbers_over_is_heard_again():
    market = warm()
    market.number = 0
    press(market, 20, 10, seconds=80)
    assert market.sides == ["buy"]


def test_a_side_without_levels_is_refused():
    market = warm()
    with pytest.raises(FrameInvalid):
        market.book(0, 10)
