"""Of each stream only the newest frame is read, and never one the venue numbered before it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from exchanges.domain.books import Book
from exchanges.domain.orders import Quote
from exchanges.market_data.books import Books
from exchanges.market_data.frames import EPOCH, Frame, Reader
from exchanges.market_data.numbers import Numbers

D = Decimal
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
BEST, DEPTH = "btcusdt@bookTicker", "btcusdt@depth20@100ms"


def frame(name: str, data: dict[str, Any], at: datetime = NOW) -> Frame:
    wire = msgspec.json.encode({"stream": name, "data": data})
    made = Reader().read(wire, (at - EPOCH) // timedelta(microseconds=1))
    assert isinstance(made, Frame)
    return made


def best(bid: str, number: int = 1) -> dict[str, Any]:
    return {"u": number, "s": "BTCUSDT", "b": bid, "B": "1", "a": "50001", "A": "2"}


def test_a_best_price_becomes_a_quote_with_the_moment_it_was_received():
    books = Books()
    books.take(frame(BEST, best("50000")))
    assert books.drain() == [Quote("BTCUSDT", D(50000), D(1), D(50001), D(2), received_at=NOW)]


def test_a_depth_frame_becomes_the_book_of_the_symbol_its_stream_names():
    books = Books()
    told = {"lastUpdateId": 5, "bids": [["1", "2"]], "asks": [["3", "4"], ["5", "6"]]}
    books.take(frame(DEPTH, told))
    asks = ((D(3), D(4)), (D(5), D(6)))
    assert books.drain()[0] == Book("BTCUSDT", ((D(1), D(2)),), asks, received_at=NOW)


def depth(number: int) -> dict[str, Any]:
    return {"lastUpdateId": number, "bids": [["7", "1"]], "asks": [["8", "1"]]}


def bids(books: Books) -> list[Decimal]:
    return [price.bid for price in books.drain() if isinstance(price, Quote)]


def test_a_book_that_came_after_the_best_price_tells_what_it_is_now():
    books = Books()
    books.take(frame(BEST, best("6", 4)))
    books.take(frame(DEPTH, depth(5)))
    assert bids(books)[-1] == 7


def test_a_book_the_venue_numbered_before_the_best_price_does_not():
    books = Books()
    books.take(frame(DEPTH, depth(5)))
    books.take(frame(BEST, best("6", 6)))
    assert bids(books) == [6]


def test_only_the_newest_of_many_is_read():
    books = Books()
    for number in range(100):
        books.take(frame(BEST, best(str(40_000 + number), number)))
    [quote] = books.drain()
    assert isinstance(quote, Quote)
    assert quote.bid == 40_099


def test_what_was_read_is_not_read_again():
    books = Books()
    books.take(frame(BEST, best("1")))
    books.drain()
    assert books.drain() == []


def test_a_frame_that_comes_late_or_twice_is_no_news():
    numbers = Numbers()
    assert numbers.is_news(frame(BEST, best("2", 2)))
    assert not numbers.is_news(frame(BEST, best("1", 1)))
    assert not numbers.is_news(frame(BEST, best("2", 2)))
    assert numbers.is_news(frame(BEST, best("3", 3)))


def test_a_venue_that_began_anew_is_believed_on_a_new_connection():
    numbers = Numbers()
    numbers.is_news(frame(BEST, best("2", 900)))
    numbers.restart([BEST])
    assert numbers.is_news(frame(BEST, best("1", 1)))


def test_the_time_of_the_venue_is_kept_where_it_tells():
    books = Books()
    books.take(frame(BEST, best("1") | {"T": 1_795_262_400_123}))
    [quote] = books.drain()
    assert quote.venue_at == datetime(2026, 11, 21, 12, 0, 0, 123_000, tzinfo=UTC)


def test_an_unreadable_frame_costs_nobody_else_theirs():
    books = Books()
    books.take(frame(BEST, {"u": 1, "s": "BTCUSDT", "b": "rubbish"}))
    books.take(frame(DEPTH, {"lastUpdateId": 1, "bids": [], "asks": []}))
    assert books.drain() == [Book("BTCUSDT", (), (), received_at=NOW)]
