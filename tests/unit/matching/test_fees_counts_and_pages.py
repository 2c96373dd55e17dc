from __future__ import annotations

import pytest

from exchanges.matching import OrderLimit, Side, VenueRefusal
from tests.unit.matching.venue import BTC, D, Venue, entry, order, refused


def with_bnb(price=500, amount="1") -> Venue:
    venue = Venue()
    venue.engine.add_symbol(entry("BNBUSDT", base="BNB"))
    venue.engine.trade("BNBUSDT", D(price), D(1), venue.now)
    venue.engine.adjust_balance("a", "BNB", D(amount), venue.now)
    venue.engine.set_rates("a", bnb_burn=True)
    return venue


def test_a_buy_pays_in_base_and_delivers_less():
    venue = Venue()
    (fill,) = venue.buy(1).fills
    assert (fill.commission, fill.commission_asset) == (D("0.001"), "BTC")
    assert venue.balance("BTC") == (D("100.999"), 0)


def test_a_sell_pays_in_quote():
    venue = Venue()
    (fill,) = venue.sell(1).fills
    assert (fill.commission, fill.commission_asset) == (D("0.099"), "USDT")
    assert venue.balance("USDT") == (D("10098.901"), 0)


def test_makers_pay_the_maker_rate():
    venue = Venue()
    venue.engine.set_rates("a", maker_rate=D("0.0002"), taker_rate=D("0.0005"))
    venue.sell(1, 110)
    venue.prints(111)
    (trade,) = venue.engine.trades("a", BTC)
    assert trade.commission == D("0.022")


def test_bnb_pays_three_quarters_from_its_own_balance():
    venue = with_bnb()
    (fill,) = venue.sell(1).fills
    # 99 USDT * 0.001 * 0.75 / 500
    assert (fill.commission, fill.commission_asset) == (D("0.0001485"), "BNB")
    assert venue.balance("USDT") == (10_099, 0)
    assert venue.balance("BNB") == (1 - D("0.0001485"), 0)


def test_bnb_for_a_buy_is_priced_over_usdt():
    venue = with_bnb()
    (fill,) = venue.buy(1).fills
    # The base is worth the last price, which was 100.
    assert (fill.commission, fill.commission_asset) == (D("0.00015"), "BNB")
    assert venue.balance("BTC") == (101, 0)


def test_too_little_bnb_pays_the_ordinary_way():
    venue = with_bnb(amount="0.0001")
    assert venue.sell(1).fills[0].commission_asset == "USDT"
    assert venue.balance("BNB") == (D("0.0001"), 0)


def test_bnb_without_a_price_pays_the_ordinary_way():
    venue = Venue()
    venue.engine.adjust_balance("a", "BNB", D(5), venue.now)
    venue.engine.set_rates("a", bnb_burn=True)
    assert venue.sell(1).fills[0].commission_asset == "USDT"


# --- unfilled order counts


def counts(venue: Venue) -> list[int]:
    return [c.count for c in venue.engine.order_counts("a", venue.now)]


def test_a_placement_counts_and_a_taker_fill_takes_it_off():
    venue = Venue()
    venue.buy(1, 90)
    assert counts(venue) == [1, 1]
    venue.buy(1)
    assert counts(venue) == [1, 1]


def test_a_first_maker_fill_takes_five_off_but_never_below_zero():
    venue = Venue()
    for _ in range(7):
        venue.buy(1, 95)
    venue.prints(94, "0.5")
    assert counts(venue) == [2, 2]
    venue.prints(94, "0.2")
    assert counts(venue) == [2, 2]
    venue.prints(94, 1)
    assert counts(venue) == [0, 0]


def test_cancels_give_nothing_back():
    venue = Venue()
    placed = venue.buy(1, 90).order
    venue.cancel(order_id=placed.order_id)
    assert counts(venue) == [1, 1]


def test_windows_are_aligned_to_the_clock():
    venue = Venue()
    venue.later(9_999)
    venue.buy(1, 90)
    venue.later(1)
    assert counts(venue) == [0, 1]
    assert [c.header_suffix for c in venue.engine.order_counts("a", venue.now)] == ["10S", "1D"]


def test_too_many_unfilled_orders_are_refused_until_the_window_turns():
    venue = Venue(order_limits=[OrderLimit("SECOND", 10, 2)])
    venue.buy(1, 90)
    venue.buy(1, 90)
    with refused(-1015, "Too many new orders; current limit is 2 orders per 10 SECOND.", 429):
        venue.buy(1, 90)
    venue.later(10_000)
    assert venue.buy(1, 90).order.status == "NEW"


def test_cancel_replace_may_still_cancel_when_the_count_is_full():
    venue = Venue(order_limits=[OrderLimit("SECOND", 10, 1)])
    old = venue.buy(1, 90).order
    request = order(Side.BUY, 1, 91)
    with refused(-1015, "Too many new orders", 429):
        venue.engine.cancel_replace("a", request, venue.now, cancel_order_id=old.order_id)
    done = venue.engine.cancel_replace(
        "a", request, venue.now, cancel_order_id=old.order_id, cancel_only_when_limited=True
    )
    assert (done.cancel_result, done.new_order_result) == ("SUCCESS", "FAILURE")
    assert isinstance(done.placed, VenueRefusal)
    assert done.placed.code == -1015


# --- pages


def test_trades_are_found_by_order_id_and_time():
    venue = Venue()
    first = venue.buy(2).order
    venue.later(1_000)
    second = venue.sell(1).order
    find = venue.engine.trades
    assert [t.trade_id for t in find("a", BTC)] == [2, 3, 4]
    assert [t.trade_id for t in find("a", BTC, order_id=first.order_id)] == [2, 3]
    assert [t.trade_id for t in find("a", BTC, from_id=3)] == [3, 4]
    assert [t.order_id for t in find("a", BTC, start_ms=venue.now)] == [second.order_id]
    assert [t.trade_id for t in find("a", BTC, end_ms=venue.now - 1, limit=1)] == [3]


def test_all_orders_pages_forward_from_an_id_and_backward_without():
    venue = Venue()
    for _ in range(4):
        venue.buy(1, 90)
    find = venue.engine.all_orders
    assert [o.order_id for o in find("a", BTC, limit=2)] == [3, 4]
    assert [o.order_id for o in find("a", BTC, from_order_id=2, limit=2)] == [2, 3]
    assert find("a", BTC, start_ms=venue.now + 1) == ()


def test_answers_are_copies():
    venue = Venue()
    placed = venue.buy(1, 90).order
    placed.status = "FILLED"
    venue.order(placed.order_id).quantity = D(5)
    assert venue.order(placed.order_id).quantity == 1
    assert venue.status(placed.order_id) == "NEW"


def test_the_average_price_is_weighted_by_volume():
    venue = Venue()
    venue.prints(200, 3)
    assert venue.engine.average_price(BTC, 5, venue.now) == 175
    assert venue.engine.average_price(BTC, 0, venue.now) == 200


def test_a_withdrawal_needs_free_funds():
    venue = Venue()
    venue.sell(60, 120)
    with pytest.raises(ValueError, match="only 40"):
        venue.engine.adjust_balance("a", "BTC", D(-50), venue.now)
