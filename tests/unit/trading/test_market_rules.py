"""Is this a market to enter. One class per rule."""

from __future__ import annotations

from decimal import Decimal

from exchanges.domain.orders import OrderType
from tests.unit.trading.situations import a_buy, a_quote, a_snapshot, an_exit, limits, verdict_of

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
