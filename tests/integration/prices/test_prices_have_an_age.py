"""Redis first, the venue when Redis has nothing fresh, and never an older price over a newer."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from django.utils import timezone

from exchanges import quotes
from exchanges.domain.books import Book
from exchanges.domain.errors import NotSent
from exchanges.domain.orders import Quote
from tests.places import SIMULATOR

D = Decimal


def ago(seconds: float) -> datetime:
    return timezone.now() - timedelta(seconds=seconds)


def a_quote(bid: str, *, age: float = 0, symbol: str = "BTCUSDT") -> Quote:
    return Quote(symbol, D(bid), D(1), D(bid) + 1, D(1), received_at=ago(age))


def a_book(bid: str, *, age: float = 0) -> Book:
    return Book("BTCUSDT", ((D(bid), D(1)),), ((D(bid) + 1, D(1)),), received_at=ago(age))


def share(*prices: Quote | Book, asked_at: datetime | None = None) -> None:
    """Write as another process would: this one remembers nothing of it."""
    quotes.put(SIMULATOR, *prices, asked_at=asked_at)
    quotes.forget()


class TestReading:
    def test_a_shared_price_is_found_without_asking_the_venue(self, venue):
        share(a_quote("7"), a_book("7"))
        seen = quotes.with_book(SIMULATOR, "BTCUSDT", max_age=D(1))
        assert seen.quote is not None
        assert seen.book is not None
        assert (seen.quote.bid, seen.book.bids) == (D(7), ((D(7), D(1)),))
        assert not venue.calls

    def test_an_old_price_sends_one_question_to_the_venue_for_both(self, venue):
        share(a_quote("7", age=3), a_book("7", age=3))
        seen = quotes.with_book(SIMULATOR, "BTCUSDT", max_age=D(1))
        assert seen.quote is not None
        assert seen.quote.bid == 45000
        assert venue.count("depth") == 1

    def test_the_answer_serves_the_next_who_asks_too(self, venue):
        for _ in range(3):
            quotes.with_book(SIMULATOR, "BTCUSDT", max_age=D(1))
            quotes.forget()
        assert venue.count("depth") == 1

    def test_a_missing_book_is_no_reason_to_lose_the_quote(self, venue):
        share(a_quote("7"))
        venue.go_down()
        seen = quotes.with_book(SIMULATOR, "BTCUSDT", max_age=D(1))
        assert seen.quote is not None
        assert seen.book is None

    def test_nothing_to_be_had_is_nothing(self, venue):
        venue.fail_read_next(NotSent("refused"))
        assert quotes.get(SIMULATOR, "BTCUSDT", max_age=D(1)) is None


class TestWriting:
    def test_an_older_price_never_takes_the_place_of_a_newer(self):
        share(a_quote("8"))
        share(a_quote("7", age=1))
        assert quotes.known(SIMULATOR, ["BTCUSDT"])["BTCUSDT"].bid == 8

    def test_a_newer_price_does(self):
        share(a_quote("7", age=1))
        share(a_quote("8"))
        assert quotes.known(SIMULATOR, ["BTCUSDT"])["BTCUSDT"].bid == 8

    def test_an_answer_counts_from_its_question(self):
        asked = ago(1)
        share(a_quote("8", age=0.5))
        share(a_quote("7"), asked_at=asked)
        assert quotes.known(SIMULATOR, ["BTCUSDT"])["BTCUSDT"].bid == 8

    def test_each_symbol_is_judged_for_itself(self):
        share(a_quote("8"))
        share(a_quote("7", age=1), a_quote("3", age=1, symbol="ETHUSDT"))
        found = quotes.known(SIMULATOR, ["BTCUSDT", "ETHUSDT"])
        assert {symbol: quote.bid for symbol, quote in found.items()} == {
            "BTCUSDT": D(8),
            "ETHUSDT": D(3),
        }


class TestAges:
    def test_an_age_for_each_symbol_and_none_for_what_nobody_knows(self):
        share(a_quote("7", age=4))
        ages = quotes.ages(SIMULATOR, ["BTCUSDT", "ETHUSDT"])
        assert ages["BTCUSDT"] is not None
        assert timedelta(seconds=4) <= ages["BTCUSDT"] < timedelta(seconds=6)
        assert ages["ETHUSDT"] is None

    def test_without_redis_no_age_is_known(self, settings, monkeypatch):
        settings.REDIS_URL = "redis://127.0.0.1:1/0"
        assert quotes.ages(SIMULATOR, ["BTCUSDT"]) == {"BTCUSDT": None}


class TestWhileWaiting:
    def test_what_others_have_seen_meanwhile_counts(self):
        seen = quotes.Prices(a_quote("7", age=1), None)
        quotes.put(SIMULATOR, a_quote("8"))
        quote = quotes.newest(SIMULATOR, "BTCUSDT", seen, max_age=D(2)).quote
        assert quote is not None
        assert quote.bid == 8

    def test_what_was_seen_last_stays(self):
        quotes.put(SIMULATOR, a_quote("8", age=1))
        seen = quotes.Prices(a_quote("7"), None)
        quote = quotes.newest(SIMULATOR, "BTCUSDT", seen, max_age=D(2)).quote
        assert quote is not None
        assert quote.bid == 7

    def test_what_was_seen_long_ago_does_not(self):
        quotes.put(SIMULATOR, a_quote("8", age=3))
        seen = quotes.newest(SIMULATOR, "BTCUSDT", quotes.Prices(None, None), max_age=D(2))
        assert seen.quote is None
