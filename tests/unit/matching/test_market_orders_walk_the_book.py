from __future__ import annotations

from exchanges.matching import ExpiryReason, MarketTraded
from tests.unit.matching.venue import (
    ASKS,
    BIDS,
    BTC,
    D,
    Venue,
    entry,
    refused,
    reports,
    rows,
    with_filter,
)


def test_a_buy_takes_level_after_level_with_a_trade_id_each():
    venue = Venue()
    placed = venue.buy(2)
    assert [(f.price, f.quantity) for f in placed.fills] == [(101, 1), (102, 1)]
    assert [f.trade_id for f in placed.fills] == [2, 3]  # the outside print was 1
    assert placed.order.status == "FILLED"
    assert placed.order.executed_quote == 203
    assert placed.order.average_price == D("101.5")


def test_a_sell_takes_the_best_bid_first():
    placed = Venue().sell("1.5")
    assert [(f.price, f.quantity) for f in placed.fills] == [(99, 1), (98, D("0.5"))]


def test_what_was_taken_stays_taken_until_the_next_book():
    venue = Venue()
    venue.buy(2)
    assert venue.engine.depth(BTC).asks == tuple(rows((102, 1), (103, 3)))
    assert venue.buy(1).fills[0].price == 102
    venue.quotes(BIDS, ASKS)
    assert venue.buy(1).fills[0].price == 101


def test_the_stream_tells_new_then_every_trade_then_the_money():
    placed = Venue().buy(2)
    assert reports(placed.events) == ["NEW/NEW", "TRADE/PARTIALLY_FILLED", "TRADE/FILLED", "money"]
    changes = [e for e in placed.events if hasattr(e, "on_book")]
    assert [c.on_book for c in changes] == [True, False, False]


def test_execution_ids_are_unique_and_rising():
    venue = Venue()
    venue.buy(2)
    venue.sell(1)
    ids = [e.execution_id for e in venue.events if hasattr(e, "execution_id")]
    assert ids == sorted(set(ids))


def test_without_liquidity_it_expires_and_keeps_what_it_got():
    venue = Venue()
    placed = venue.buy(7)
    assert placed.order.status == "EXPIRED"
    assert placed.order.executed_quantity == 6
    assert placed.order.quantity == 7
    assert placed.order.expiry_reason is ExpiryReason.INSUFFICIENT_LIQUIDITY
    assert reports(placed.events)[-3:] == ["TRADE/PARTIALLY_FILLED", "EXPIRED/EXPIRED", "money"]


def test_an_empty_book_expires_a_market_order_unfilled():
    venue = Venue()
    venue.quotes([], [])
    placed = venue.sell(1)
    assert placed.order.status == "EXPIRED"
    assert placed.fills == ()
    assert venue.balance("BTC") == (100, 0)


def test_a_buy_that_cannot_be_paid_is_refused_and_changes_nothing():
    venue = Venue()
    venue.quotes(BIDS, rows((9_000, 2)))
    before = venue.engine.snapshot()
    with refused(-2010, "insufficient balance"):
        venue.buy(2)
    assert venue.engine.snapshot() == before


def test_a_sell_must_own_everything_it_offers():
    venue = Venue()
    venue.engine.adjust_balance("a", "BTC", D(-98), venue.now)
    with refused(-2010, "insufficient balance"):
        venue.sell(3)


def test_our_trades_are_on_the_public_tape():
    venue = Venue()
    tape = [e for e in venue.buy(2).events if isinstance(e, MarketTraded)]
    assert [(t.trade_id, t.price, t.is_ours, t.buyer_is_maker) for t in tape] == [
        (2, D(101), True, False),
        (3, D(102), True, False),
    ]
    assert venue.engine.last_price(BTC) == 102


# --- sized in quote


def test_a_quote_sized_buy_spends_at_most_that_much():
    venue = Venue()
    placed = venue.buy(None, quote_quantity=250)
    # 101 for the first, then floor(149 / 102, 0.001) = 1.460
    assert placed.order.executed_quantity == D("2.460")
    assert placed.order.quantity == D("2.460")
    assert placed.order.quote_quantity == 250
    assert placed.order.status == "FILLED"
    assert placed.order.executed_quote <= 250


def test_a_quote_sized_sell_receives_at_most_that_much():
    placed = Venue().sell(None, quote_quantity=150)
    assert placed.order.status == "FILLED"
    assert placed.order.executed_quantity == D("1.520")


def test_a_quote_sized_buy_runs_out_of_book():
    placed = Venue().buy(None, quote_quantity=5_000)
    assert placed.order.status == "EXPIRED"
    assert placed.order.executed_quantity == 6
    assert placed.order.quantity > 6


def test_a_quote_sized_buy_needs_the_whole_amount():
    with refused(-2010, "insufficient balance"):
        Venue().buy(None, quote_quantity=10_001)


def test_a_quote_sized_order_on_an_empty_book_is_refused():
    venue = Venue()
    venue.quotes([], [])
    with refused(-2010, "Order book liquidity is less than symbol minimum quantity."):
        venue.buy(None, quote_quantity=100)


def test_a_quote_amount_below_the_smallest_lot_is_refused():
    venue = Venue(with_filter(entry(), "LOT_SIZE", minQty="1", maxQty="100", stepSize="0.001"))
    with refused(-1013, "Filter failure: LOT_SIZE"):
        venue.buy(None, quote_quantity=50)


def test_a_symbol_may_forbid_quote_sizes():
    venue = Venue(entry(quoteOrderQtyMarketAllowed=False))
    with refused(-2010, "Quote order qty market orders are not support for this symbol."):
        venue.buy(None, quote_quantity=50)


def test_depth_off_the_lot_grid_is_taken_in_whole_lots():
    venue = Venue()
    venue.quotes(BIDS, rows((101, "0.0015"), (102, 5)))
    placed = venue.buy(1)
    assert [(f.price, f.quantity) for f in placed.fills] == [
        (101, D("0.001")),
        (102, D("0.999")),
    ]
