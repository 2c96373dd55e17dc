"""What taking from a book costs."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from exchanges.domain.books import Book, average_price, shown
from exchanges.domain.orders import Side

D = Decimal
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ASKS = ((D(100), D(1)), (D(101), D(2)), (D(103), D(10)))
amounts = st.decimals("0.001", "1000", places=3)
books = st.lists(st.tuples(amounts, amounts), min_size=1, max_size=20).map(sorted)


def test_the_best_level_alone_costs_its_price():
    assert average_price(ASKS, D("0.5")) == 100


def test_a_larger_size_walks_down_the_levels():
    assert average_price(ASKS, D(4)) == D(100 + 2 * 101 + 103) / 4


def test_a_book_that_shows_less_has_no_price():
    assert average_price(ASKS, D("13.001")) is None


@given(books, amounts)
def test_the_average_lies_between_the_best_and_the_worst_level(levels, quantity):
    average = average_price(levels, quantity)
    if quantity > shown(levels):
        assert average is None
    else:
        assert average is not None
        assert levels[0][0] - D("1e-9") <= average <= levels[-1][0] + D("1e-9")


@given(books, amounts, amounts)
def test_more_never_costs_less_on_average(levels, one, other):
    small, large = (average_price(levels, size) for size in sorted((one, other)))
    if large is not None:
        assert small is not None
        assert small <= large + D("1e-9")


def test_a_book_without_a_side_has_no_quote():
    assert Book("BTCUSDT", (), ASKS, NOW).quote() is None


def test_its_best_levels_are_its_quote():
    quote = Book("BTCUSDT", ((D(99), D(3)),), ASKS, NOW).quote()
    assert quote is not None
    assert (quote.bid, quote.bid_quantity) == (D(99), D(3))
    assert (quote.ask, quote.ask_quantity) == (D(100), D(1))
    assert quote.received_at == NOW


def test_a_buyer_takes_asks_and_a_seller_bids():
    book = Book("BTCUSDT", ((D(99), D(3)),), ASKS, NOW)
    assert book.levels_for(Side.BUY) == ASKS
    assert book.levels_for(Side.SELL) == ((D(99), D(3)),)
