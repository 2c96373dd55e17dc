"""Trade momentum: price, quantity and takers on one side."""

from __future__ import annotations

import pytest

from signals_app.strategies.spec import ParamInvalid
from tests.unit.strategies.realtime.market import BY_ID, Market, made


def warm(seconds: int = 70, **params: float) -> Market:
    market = Market(made("trade_momentum", **params))
    for second in range(seconds):
        for turn in range(4):
            market.trade(100 + 0.01 * (second % 2), buyer_takes=turn % 2 == 0)
            market.wait(0.25)
    return market


def run(market: Market, step: float, *, seconds: int = 8) -> None:
    """Trades all on one side, `step` further each."""
    for number in range(seconds * 4):
        market.trade(100 + step * (number + 1), 2, buyer_takes=step > 0)
        market.wait(0.25)


def test_trades_that_go_both_ways_say_nothing():
    assert warm(600).said == []


def test_buyers_that_take_and_lift_the_price_are_a_buy():
    market = warm()
    run(market, 0.05)
    (one,) = market.said
    assert one.action == "buy"
    assert 0.5 <= one.confidence <= 1
    assert one.indicators["score"] >= 0.7
    assert one.atr


def test_sellers_that_take_and_press_the_price_are_a_sell():
    market = warm()
    run(market, -0.05)
    assert market.sides == ["sell"]


def test_a_buyer_that_is_the_maker_counts_as_a_sell():
    market = warm()
    market.trade(100, 1000, buyer_takes=False)
    assert market.strategy.score("BTCUSDT") < 0


def test_a_price_that_rises_on_sells_is_not_one_way():
    market = warm()
    for number in range(40):
        market.trade(100 + 0.05 * number, buyer_takes=False)
        market.wait(0.25)
    assert market.said == []


def test_nothing_is_said_before_it_is_warm():
    market = warm(40)
    run(market, 0.05)
    assert market.said == []


def test_after_a_gap_it_warms_up_again():
    market = warm()
    market.wait(120)
    run(market, 0.05)
    assert market.said == []


def test_weights_are_divided_by_their_sum():
    one, other = warm(), warm(price_weight=0.8, quantity_weight=0.6, maker_weight=0.6)
    run(one, 0.05)
    run(other, 0.05)
    assert [e.confidence for e in one.said] == pytest.approx([e.confidence for e in other.said])


def test_no_weight_at_all_is_refused():
    with pytest.raises(ParamInvalid, match="above 0"):
        BY_ID["trade_momentum"].resolved(
            {"price_weight": 0, "quantity_weight": 0, "maker_weight": 0}
        )


def test_a_trade_told_twice_or_late_changes_nothing():
    market = warm()
    before = market.strategy.snapshot("BTCUSDT")
    market.now_ms -= 5_000
    market.trade(200, 1000)
    market.now_ms += 5_000 - 250
    market.number -= 2
    market.trade(200, 1000)
    assert market.strategy.snapshot("BTCUSDT") == before
