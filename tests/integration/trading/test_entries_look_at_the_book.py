"""What an entry at market asks of the book and of the venue, from the signal to the decision."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from exchanges import quotes
from exchanges.domain.books import Book
from exchanges.domain.orders import Quote
from exchanges.venues.shared import latency
from tests.limits import set_limits
from tests.places import SIMULATOR
from trading.models import Decision

pytestmark = pytest.mark.django_db
D = Decimal


def code_of(outcome) -> str:
    assert outcome.decision is not None
    return outcome.decision.code


def stream(*asks: tuple[str, str], bid: str = "44999") -> None:
    """Share prices as the market process does."""
    now = timezone.now()
    levels = tuple((D(price), D(size)) for price, size in asks)
    book = Book("BTCUSDT", ((D(bid), D(1)),), levels, received_at=now)
    quote = book.quote()
    assert isinstance(quote, Quote)
    quotes.put(SIMULATOR, quote, book)


class TestTheBook:
    def test_a_size_that_walks_too_far_is_denied(self, venue, send):
        venue.show_asks("BTCUSDT", ("45000", "0.001"), ("45900", "1"))
        assert code_of(send()) == "SLIPPAGE_ABOVE_MAX"
        assert venue.placed == []

    def test_a_smaller_size_passes(self, venue, send):
        venue.show_asks("BTCUSDT", ("45000", "0.001"), ("45900", "1"))
        assert code_of(send(quantity=0.001)) == ""

    def test_a_book_that_shows_less_is_denied(self, venue, send):
        venue.show_asks("BTCUSDT", ("45000", "0.001"))
        assert code_of(send()) == "SLIPPAGE_BOOK_TOO_THIN"

    def test_a_limit_for_the_symbol_holds(self, venue, send):
        set_limits(scope="symbol", key="BTCUSDT", max_slippage_bps=500)
        venue.show_asks("BTCUSDT", ("45000", "0.001"), ("45900", "1"))
        assert code_of(send()) == ""

    def test_streamed_prices_send_no_question_to_the_venue(self, venue, send):
        send()
        before = venue.count("depth")
        stream(("45000", "1"), bid="45000")
        assert code_of(send()) == ""
        assert venue.count("depth") == before

    def test_the_record_shows_how_old_and_how_slow(self, send):
        send()
        market = Decision.objects.get().market
        assert 0 <= market["quote_age_ms"] < 500
        assert 0 <= market["book_age_ms"] < 500
        assert D(market["venue_latency_ms"]) >= 0

    def test_an_exit_asks_for_no_book(self, venue, send):
        send()
        before = venue.count("depth")
        venue.show_asks("BTCUSDT", ("45000", "0.001"))
        quotes.forget()
        assert code_of(send(action="sell", quantity=None)) == ""
        assert venue.count("depth") == before


class TestTheVenue:
    def test_while_it_is_slow_nothing_is_bought(self, send):
        for _ in range(latency.ANSWERS_KEPT):
            latency.note(SIMULATOR, 15_000)
        assert code_of(send()) == "VENUE_LATENCY_ABOVE_MAX"

    def test_while_it_is_slow_everything_is_sold(self, venue, send):
        send()
        for _ in range(latency.ANSWERS_KEPT):
            latency.note(SIMULATOR, 15_000)
        assert code_of(send(action="sell", quantity=None)) == ""

    def test_a_venue_nobody_has_heard_is_asked_first(self, venue, send):
        latency.forget()
        assert code_of(send()) == ""
        assert venue.count("ping") == 1

    def test_it_is_not_asked_again_for_every_entry(self, venue, send):
        for _ in range(3):
            send(quantity=0.001)
        assert venue.count("ping") == 1

    def test_a_venue_that_does_not_answer_is_not_known(self, venue, send):
        send()
        latency.forget()
        quotes._redis().delete(f"petrosa:latency:{SIMULATOR}")
        stream(("45000", "1"), bid="45000")
        venue.go_down()
        assert code_of(send()) == "VENUE_LATENCY_UNKNOWN"


class TestAge:
    def test_a_quiet_feed_is_made_up_for_over_rest(self, venue, send):
        send()
        quotes.forget()
        assert code_of(send()) == ""

    def test_a_price_that_cannot_be_made_fresh_is_no_entry(self, venue, send):
        set_limits(max_quote_age_ms=1)
        venue.book.now = lambda: timezone.now() - timedelta(seconds=5)
        assert code_of(send()) == "QUOTE_STALE"
