from __future__ import annotations

import pytest

from exchanges.matching import ExpiryReason, OrderType, Side, TimeInForce
from tests.unit.matching.venue import (
    ASKS,
    BIDS,
    D,
    Venue,
    entry,
    order,
    refused,
    reports,
    rows,
    stop_limit,
    stop_loss,
    with_filter,
)


def take_profit(side, quantity, stop, **more):
    return order(side, quantity, type=OrderType.TAKE_PROFIT, stop_price=stop, **more)


def trailing(side, type_=OrderType.STOP_LOSS, delta=1000, **more):
    return order(side, 1, type=type_, trailing_delta=delta, **more)


def test_a_stop_waits_off_the_book_with_its_money_locked():
    venue = Venue()
    placed = venue.place(stop_limit(Side.SELL, 2, 90, 89))
    assert placed.order.status == "NEW"
    assert not placed.order.is_working
    assert placed.order.working_ms == -1
    assert venue.balance("BTC") == (98, 2)
    assert venue.engine.depth("BTCUSDT").asks == tuple(ASKS)


def test_it_becomes_a_market_order_when_the_last_trade_reaches_it():
    venue = Venue()
    stop = venue.place(stop_loss(Side.SELL, 2, 90)).order
    venue.prints("90.01")
    assert venue.status(stop.order_id) == "NEW"
    events = venue.prints(90)
    assert venue.status(stop.order_id) == "FILLED"
    assert reports(events) == ["NEW/NEW", "TRADE/PARTIALLY_FILLED", "TRADE/FILLED", "money"]
    assert venue.order(stop.order_id).type is OrderType.STOP_LOSS


def test_quotes_alone_never_fire_a_stop():
    venue = Venue()
    stop = venue.place(stop_loss(Side.SELL, 2, 90)).order
    venue.quotes(rows((80, 5)), rows((81, 5)))
    assert venue.status(stop.order_id) == "NEW"


def test_a_halted_symbol_fires_nothing():
    venue = Venue()
    stop = venue.place(stop_loss(Side.SELL, 2, 90)).order
    venue.engine.set_symbol_status("BTCUSDT", "HALT")
    venue.prints(80)
    assert venue.status(stop.order_id) == "NEW"
    venue.engine.set_symbol_status("BTCUSDT", "TRADING")
    venue.prints(80)
    assert venue.status(stop.order_id) == "FILLED"


def test_a_stop_limit_enters_the_book_at_its_price():
    venue = Venue()
    stop = venue.place(stop_limit(Side.SELL, 1, 95, "99.5")).order
    venue.prints(94)
    after = venue.order(stop.order_id)
    assert after.status == "NEW"
    assert after.is_working
    assert after.working_ms == venue.now
    assert venue.engine.best("BTCUSDT").asks == ((D("99.5"), D(1)),)


def test_a_triggered_stop_limit_ioc_expires_its_rest():
    venue = Venue()
    stop = venue.place(stop_limit(Side.SELL, 2, 95, 99, time_in_force=TimeInForce.IOC)).order
    venue.prints(94)
    after = venue.order(stop.order_id)
    assert (after.status, after.executed_quantity) == ("EXPIRED", 1)


@pytest.mark.parametrize(
    ("request_", "fires_at"),
    [
        (stop_loss(Side.BUY, 1, 110), 110),
        (stop_loss(Side.SELL, 1, 90), 90),
        (take_profit(Side.SELL, 1, 110), 110),
        (take_profit(Side.BUY, 1, 90), 90),
    ],
)
def test_each_kind_waits_on_its_own_side(request_, fires_at):
    venue = Venue()
    waiting = venue.place(request_).order
    venue.prints(100 + (100 - fires_at))
    assert venue.status(waiting.order_id) == "NEW"
    venue.prints(fires_at)
    assert venue.status(waiting.order_id) == "FILLED"


@pytest.mark.parametrize(
    "request_",
    [
        stop_loss(Side.BUY, 1, 100),
        stop_loss(Side.SELL, 1, 101),
        take_profit(Side.SELL, 1, 99),
        take_profit(Side.BUY, 1, 100),
        stop_limit(Side.SELL, 1, 100, 99),
    ],
)
def test_a_trigger_already_reached_is_refused(request_):
    with refused(-2010, "Stop price would trigger immediately."):
        Venue().place(request_)


def test_our_own_market_order_can_fire_a_stop_after_its_reply():
    venue = Venue()
    stop = venue.place(stop_loss(Side.BUY, 1, 102)).order
    placed = venue.buy(2)
    assert placed.order.status == "FILLED"
    assert venue.status(stop.order_id) == "FILLED"


def test_one_stop_can_set_off_the_next():
    venue = Venue()
    first = venue.place(stop_loss(Side.SELL, 2, "98.5")).order
    second = venue.place(stop_loss(Side.SELL, 1, "98.2")).order
    venue.prints("98.5")  # the first sells down to 98, which reaches the second
    assert venue.status(first.order_id) == "FILLED"
    assert venue.status(second.order_id) == "FILLED"


def test_a_stop_buy_that_costs_more_than_it_held_uses_free_money():
    venue = Venue()
    stop = venue.place(stop_loss(Side.BUY, 1, 105)).order
    assert venue.balance("USDT")[1] == 105
    venue.quotes(BIDS, rows((200, 5)))
    venue.prints(106)
    assert venue.order(stop.order_id).executed_quote == 200
    assert venue.balance("USDT") == (9_800, 0)


def test_a_stop_buy_nobody_can_pay_expires_what_is_left():
    venue = Venue()
    venue.engine.adjust_balance("a", "USDT", D(-9_890), venue.now)
    stop = venue.place(stop_loss(Side.BUY, 1, 105)).order
    venue.quotes(BIDS, rows((200, 5)))
    venue.prints(106)
    after = venue.order(stop.order_id)
    assert (after.status, after.executed_quantity) == ("EXPIRED", D("0.55"))
    assert after.expiry_reason is ExpiryReason.EXCHANGE_CANCELED


def test_a_triggered_market_stop_without_bids_expires():
    venue = Venue()
    stop = venue.place(stop_loss(Side.SELL, 1, 90)).order
    venue.quotes([], ASKS)
    venue.prints(89)
    assert venue.order(stop.order_id).expiry_reason is ExpiryReason.INSUFFICIENT_LIQUIDITY
    assert venue.balance("BTC") == (100, 0)


# --- trailing


def test_a_trailing_sell_follows_the_high_and_fires_on_the_fall():
    venue = Venue()
    stop = venue.place(trailing(Side.SELL)).order  # 10 %
    for price in (100, 120, 115, "108.01"):
        venue.prints(price)
        assert venue.status(stop.order_id) == "NEW"
    venue.prints(108)
    assert venue.status(stop.order_id) == "FILLED"


def test_a_trailing_buy_follows_the_low():
    venue = Venue()
    stop = venue.place(trailing(Side.BUY)).order
    for price in (100, 80, "87.99"):
        venue.prints(price)
        assert venue.status(stop.order_id) == "NEW"
    venue.prints(88)
    assert venue.status(stop.order_id) == "FILLED"


def test_tracking_waits_for_the_stop_price():
    venue = Venue()
    stop = venue.place(trailing(Side.SELL, OrderType.TAKE_PROFIT, delta=500, stop_price=110)).order
    for price in (105, 90, 109):
        venue.prints(price)
    assert venue.order(stop.order_id).trailing_ms is None
    venue.later(7)
    venue.prints(112)
    assert venue.order(stop.order_id).trailing_ms == venue.now
    venue.prints("106.4")
    assert venue.status(stop.order_id) == "FILLED"


@pytest.mark.parametrize(
    ("side", "delta"), [(Side.SELL, 19), (Side.SELL, 1001), (Side.BUY, 9), (Side.BUY, 2001)]
)
def test_deltas_outside_the_filter_are_refused(side, delta):
    with refused(-1013, "Filter failure: TRAILING_DELTA"):
        Venue().place(trailing(side, delta=delta))


def test_a_symbol_may_forbid_trailing():
    with refused(-2010, "Trailing stop orders are not supported for this symbol."):
        Venue(entry(allowTrailingStop=False)).place(trailing(Side.SELL))


def test_only_so_many_triggers_may_wait():
    venue = Venue(with_filter(entry(), "MAX_NUM_ALGO_ORDERS", maxNumAlgoOrders=2))
    for stop in (90, 89):
        venue.place(stop_loss(Side.SELL, 1, stop))
    with refused(-1013, "Filter failure: MAX_NUM_ALGO_ORDERS"):
        venue.place(stop_loss(Side.SELL, 1, 88))
    assert venue.sell(1, 120).order.status == "NEW"
