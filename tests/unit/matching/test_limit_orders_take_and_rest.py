from __future__ import annotations

from exchanges.matching import ExpiryReason, MarketTraded, OrderType, Side, TimeInForce
from tests.unit.matching.venue import (
    ASKS,
    BTC,
    D,
    Venue,
    maker,
    order,
    refused,
    reports,
    rows,
)


def test_it_rests_below_the_market_and_locks_its_money():
    venue = Venue()
    placed = venue.buy(2, 95)
    assert placed.order.status == "NEW"
    assert placed.order.is_working
    assert placed.order.working_ms == venue.now
    assert venue.balance("USDT") == (9_810, 190)
    assert reports(placed.events) == ["NEW/NEW", "money"]


def test_a_sell_locks_base():
    venue = Venue()
    venue.sell(3, 120)
    assert venue.balance("BTC") == (97, 3)


def test_it_takes_what_its_price_reaches_and_rests_with_the_remainder():
    venue = Venue()
    placed = venue.buy(2, 101)
    assert placed.order.status == "PARTIALLY_FILLED"
    assert [f.is_maker for f in placed.fills] == [False]
    assert venue.balance("USDT") == (10_000 - 101 - 101, 101)


def test_a_better_price_gives_the_difference_back():
    venue = Venue()
    venue.buy(1, 150)
    assert venue.balance("USDT") == (10_000 - 101, 0)


def test_a_quote_crossing_it_fills_it_as_maker_at_its_own_price():
    venue = Venue()
    resting = venue.buy(2, 95).order
    events = venue.quotes(rows((92, 1)), rows((94, "0.5"), (95, "0.7"), (96, 9)))
    after = venue.order(resting.order_id)
    assert after.executed_quantity == D("1.2")
    assert after.executed_quote == D("1.2") * 95
    assert reports(events) == ["TRADE/PARTIALLY_FILLED", "money"]
    (trade,) = venue.engine.trades("a", BTC)
    assert trade.is_maker
    assert venue.engine.best(BTC).asks == tuple(rows((96, 9)))


def test_a_print_through_its_price_fills_at_most_the_printed_quantity():
    venue = Venue()
    resting = venue.sell(5, 110).order
    venue.prints(111, 2)
    assert venue.order(resting.order_id).executed_quantity == 2
    venue.prints(111, 4)
    assert venue.status(resting.order_id) == "FILLED"


def test_a_print_at_its_price_fills_it_only_when_the_aggressor_came_its_way():
    venue = Venue()
    resting = venue.buy(1, 95).order
    venue.prints(95, 1, buyer_is_maker=False)
    assert venue.status(resting.order_id) == "NEW"
    venue.prints(95, 1, buyer_is_maker=True)
    assert venue.status(resting.order_id) == "FILLED"


def test_a_print_beyond_its_price_fills_it_whoever_was_aggressor():
    venue = Venue()
    resting = venue.buy(1, 95).order
    venue.prints(94, 1, buyer_is_maker=False)
    assert venue.status(resting.order_id) == "FILLED"


def test_better_price_then_older_order_is_served_first():
    venue = Venue()
    first, second, best = (venue.buy(1, p).order for p in (95, 95, 96))
    venue.prints(94, 2)
    assert venue.status(best.order_id) == "FILLED"
    assert venue.status(first.order_id) == "FILLED"
    assert venue.status(second.order_id) == "NEW"


def test_an_outside_print_comes_after_the_fills_it_caused():
    venue = Venue()
    venue.buy(1, 95)
    events = venue.prints(94, 1)
    assert [e.price for e in events if isinstance(e, MarketTraded)] == [95, 94]
    assert venue.engine.last_price(BTC) == 94


def test_with_a_queue_the_size_displayed_before_it_must_trade_first():
    venue = Venue(queue_at_touch=True)
    resting = venue.buy(1, 98).order  # 2 are displayed there
    venue.prints(98, "1.5", buyer_is_maker=True)
    assert venue.status(resting.order_id) == "NEW"
    venue.prints(98, 1, buyer_is_maker=True)
    assert venue.order(resting.order_id).executed_quantity == D("0.5")


def test_with_a_queue_a_pulled_quote_moves_it_forward():
    venue = Venue(queue_at_touch=True)
    resting = venue.buy(1, 98).order
    venue.quotes(rows((99, 1), (98, "0.1")), ASKS)
    venue.prints(98, "1.1", buyer_is_maker=True)
    assert venue.status(resting.order_id) == "FILLED"


def test_ioc_expires_what_it_could_not_take():
    placed = Venue().buy(3, 101, time_in_force=TimeInForce.IOC)
    assert placed.order.status == "EXPIRED"
    assert placed.order.executed_quantity == 1
    assert placed.order.expiry_reason is ExpiryReason.UNFILLED_IOC_QUANTITY_EXPIRED


def test_fok_takes_all_or_nothing():
    venue = Venue()
    none = venue.buy(4, 102, time_in_force=TimeInForce.FOK)
    assert none.order.status == "EXPIRED"
    assert none.fills == ()
    assert none.order.expiry_reason is ExpiryReason.UNFILLED_FOK_ORDER_EXPIRED
    assert venue.balance("USDT") == (10_000, 0)
    assert venue.buy(3, 102, time_in_force=TimeInForce.FOK).order.status == "FILLED"


def test_limit_maker_never_takes():
    venue = Venue()
    with refused(-2010, "Order would immediately match and take."):
        venue.place(maker(Side.BUY, 1, 101))
    assert venue.place(maker(Side.BUY, 1, 100)).order.status == "NEW"


def test_own_orders_never_meet_each_other():
    venue = Venue()
    venue.quotes([], [])
    venue.engine.add_account("b", balances={"USDT": D(1000)})
    sell = venue.sell(1, 105).order
    buy = venue.place(order(Side.BUY, 1, 106), account="b").order
    assert sell.status == buy.status == "NEW"


def test_resting_orders_show_in_the_depth():
    venue = Venue()
    venue.buy(2, 99)
    venue.buy(1, 100)
    assert venue.engine.depth(BTC).bids == tuple(rows((100, 1), (99, 3), (98, 2), (97, 3)))


def test_nothing_matches_while_the_symbol_is_halted():
    venue = Venue()
    resting = venue.buy(1, 95).order
    venue.engine.set_symbol_status(BTC, "BREAK")
    venue.prints(90)
    venue.quotes(rows((80, 1)), rows((81, 1)))
    assert venue.status(resting.order_id) == "NEW"
    with refused(-2010, "Market is closed."):
        venue.buy(1)
    venue.engine.set_symbol_status(BTC, "TRADING")
    venue.prints(90)
    assert venue.status(resting.order_id) == "FILLED"


def test_an_order_that_cannot_be_paid_is_refused():
    venue = Venue()
    with refused(-2010, "Account has insufficient balance for requested action."):
        venue.buy(100, 101)
    with refused(-2010, "insufficient balance"):
        venue.sell("99.999", 120)
        venue.sell("0.1", 120)


def test_types_a_symbol_lacks_are_refused():
    venue = Venue()
    venue.engine.add_symbol({**venue.engine.symbols[BTC].entry, "orderTypes": ["LIMIT"]})
    with refused(-2010, "Market orders are not supported for this symbol."):
        venue.buy(1)
    assert venue.buy(1, 90).order.type is OrderType.LIMIT
