"""Is this a market to enter. One class per rule."""

from __future__ import annotations

from decimal import Decimal

import pytest

from exchanges.domain.books import Book
from exchanges.domain.orders import OrderType
from tests.unit.trading.situations import (
    a_buy,
    a_quote,
    a_snapshot,
    ago,
    an_exit,
    base,
    limits,
    verdict_of,
)

D = Decimal


class TestSpread:
    def at(self, bid, ask, limit="10", intent=None):
        snapshot = a_snapshot(quote=a_quote(bid, ask), limits=limits(max_spread_bps=D(limit)))
        return verdict_of("spread", intent, snapshot)

    def test_a_wide_spread_is_no_entry(self):
        got = self.at("49900", "50100")
        assert got.message == "SPREAD_ABOVE_MAX: limit=10 actual=40"

    def test_exactly_the_limit_passes(self):
        assert self.at("49975", "50025").passed

    def test_a_hair_above_the_limit_is_above(self):
        assert self.at("49974.99", "50025").actual == "10.01"

    def test_no_limit_asks_nothing(self):
        assert self.at("40000", "50000", limit="0").passed

    def test_without_a_quote_it_is_not_known(self):
        snapshot = a_snapshot(quote=None, limits=limits(max_spread_bps=D(10)))
        assert verdict_of("spread", None, snapshot).code == "SPREAD_UNKNOWN"

    def test_an_exit_skips_it_on_record(self):
        got = self.at("40000", "50000", intent=an_exit())
        assert got.passed
        assert got.skipped


class TestSlippage:
    ASKS = (("50000", "1"), ("50025", "1"), ("50100", "2"))  # 0, 5 and 20 bps above the best

    def at(self, quantity, limit="5", *, asks=ASKS, age=0, intent=None):
        levels = tuple((D(price), D(size)) for price, size in asks)
        book = Book("BTCUSDT", ((D(49_999), D(1)),), levels, received_at=ago(age))
        plenty = {"max_position_notional": D(0), "max_slippage_bps": D(limit)}
        snapshot = a_snapshot(book=book, free_quote=D(10**9), limits=limits(**plenty))
        return verdict_of("slippage", intent or a_buy(sizing=base(quantity)), snapshot)

    def test_a_size_the_best_level_holds_costs_nothing_extra(self):
        got = self.at("1")
        assert (got.passed, got.actual) == (True, "0")

    def test_a_size_that_walks_too_far_is_denied(self):
        got = self.at("4")
        assert got.message == "SLIPPAGE_ABOVE_MAX: limit=5 actual=11.25"
        assert dict(got.inputs)["average"] == "50056"

    def test_exactly_the_limit_passes(self):
        assert self.at("2", limit="2.5").passed

    def test_a_hair_above_the_limit_is_above(self):
        assert self.at("2.0001", limit="2.5").code == "SLIPPAGE_ABOVE_MAX"

    def test_a_book_that_shows_less_than_the_size_is_too_thin(self):
        got = self.at("4.5")
        assert got.message == (
            "SLIPPAGE_BOOK_TOO_THIN: limit=4 actual=4.5 (within 5 bps, of what the book shows)"
        )

    def test_a_book_without_offers_tells_nothing(self):
        assert self.at("1", asks=()).code == "SLIPPAGE_UNKNOWN"

    def test_an_old_book_tells_nothing(self):
        got = self.at("1", age=1)
        assert (got.code, got.actual) == ("SLIPPAGE_UNKNOWN", "stale book")

    def test_without_a_book_nothing_is_known(self):
        snapshot = a_snapshot(limits=limits(max_slippage_bps=D(5)))
        assert verdict_of("slippage", a_buy(), snapshot).code == "SLIPPAGE_UNKNOWN"

    @pytest.mark.parametrize(("quantity", "age"), [("4", 0), ("4.5", 0), ("1", 60)])
    def test_no_limit_asks_nothing(self, quantity, age):
        assert self.at(quantity, limit="0", age=age).passed

    def test_a_limit_order_names_what_it_accepts(self):
        intent = a_buy(order_type=OrderType.LIMIT, price=D(49_000), sizing=base("4"))
        assert self.at("4", intent=intent).actual == "no order at market"

    def test_an_exit_skips_it_on_record(self):
        assert self.at("4", intent=an_exit(sizing=base("4"))).skipped


class TestVenueLatency:
    def at(self, known, limit=1000, intent=None):
        ms = None if known is None else D(known)
        snapshot = a_snapshot(venue_latency_ms=ms, limits=limits(max_venue_latency_ms=limit))
        return verdict_of("venue_latency", intent, snapshot)

    def test_a_slow_venue_is_no_entry(self):
        got = self.at("1000.1")
        assert got.message == "VENUE_LATENCY_ABOVE_MAX: limit=1000 actual=1000.1"

    def test_exactly_the_limit_passes(self):
        assert self.at("1000").passed

    def test_a_venue_that_never_answered_is_not_known(self):
        assert self.at(None).code == "VENUE_LATENCY_UNKNOWN"

    @pytest.mark.parametrize("known", [None, "9000"])
    def test_no_limit_asks_nothing(self, known):
        assert self.at(known, limit=0).passed

    def test_an_exit_skips_it_on_record(self):
        assert self.at("9000", intent=an_exit()).skipped


class TestSenderGap:
    def at(self, theirs, limit="100"):
        snapshot = a_snapshot(limits=limits(max_sender_gap_bps=D(limit)))
        return verdict_of("sender_gap", a_buy(sender_price=D(theirs)), snapshot)

    def test_a_sender_who_saw_another_market_is_denied(self):
        got = self.at("48000")
        assert got.code == "SENDER_GAP_ABOVE_MAX"
        assert dict(got.inputs)["mid"] == "49999.5"

    def test_a_sender_above_the_market_is_denied_too(self):
        assert not self.at("52000").passed

    def test_a_near_one_passes(self):
        assert self.at("49900").passed

    def test_a_price_of_nothing_is_nonsense(self):
        assert self.at("0").code == "SENDER_PRICE_INVALID"

    def test_a_signal_without_a_price_is_not_asked(self):
        got = verdict_of("sender_gap", a_buy(), a_snapshot())
        assert got.skipped

    def test_without_a_quote_it_is_not_known(self):
        snapshot = a_snapshot(quote=None, limits=limits(max_sender_gap_bps=D(100)))
        got = verdict_of("sender_gap", a_buy(sender_price=D(50_000)), snapshot)
        assert got.code == "SENDER_GAP_UNKNOWN"


class TestPriceCollar:
    def at(self, limit="500", **intent):
        snapshot = a_snapshot(limits=limits(max_price_deviation_bps=D(limit)))
        return verdict_of("price_collar", a_buy(**intent), snapshot)

    def test_a_slipped_digit_is_denied(self):
        got = self.at(order_type=OrderType.LIMIT, price=D(5000))
        assert got.message == "PRICE_OUTSIDE_COLLAR: limit=500 actual=9000 (price 5000)"

    def test_the_trigger_counts_as_well(self):
        got = self.at(order_type=OrderType.STOP_LIMIT, price=D(50_100), stop_price=D(60_000))
        assert got.code == "PRICE_OUTSIDE_COLLAR"
        assert "stop_price 60000" in got.message

    def test_a_price_near_the_book_passes(self):
        assert self.at(order_type=OrderType.LIMIT, price=D(49_000)).passed

    def test_a_market_order_has_no_price_to_slip(self):
        assert self.at(price=D(5000)).passed


class TestSelfTrade:
    def at(self, *offers, quote="as it is", intent=None, **fields):
        market = {} if quote else {"quote": None}
        snapshot = a_snapshot(own_offers=tuple(D(one) for one in offers), **market)
        return verdict_of("self_trade", intent or a_buy(**fields), snapshot)

    def test_a_market_buy_that_meets_our_own_offer_is_denied(self):
        got = self.at("50000", "52000")
        assert got.message == "SELF_TRADE: limit=50000 actual=50000"

    def test_an_offer_above_the_market_is_out_of_reach(self):
        assert self.at("50000.01").passed

    def test_a_limit_buys_as_high_as_its_price(self):
        above = {"order_type": OrderType.LIMIT, "price": D(51_000)}
        assert self.at("50500", **above).code == "SELF_TRADE"
        assert self.at("51000.01", **above).passed

    def test_a_stop_buys_where_it_is_triggered(self):
        assert self.at("50500", order_type=OrderType.STOP, stop_price=D(51_000)).code == (
            "SELF_TRADE"
        )

    def test_without_offers_of_ours_there_is_nobody_to_meet(self):
        assert self.at(quote=None).passed

    def test_without_a_price_nobody_knows(self):
        assert self.at("52000", quote=None).code == "SELF_TRADE_UNKNOWN"

    def test_an_exit_skips_it_on_record(self):
        assert self.at("50000", intent=an_exit()).skipped
