"""Our books beside the venue's: what is told as a difference, and what is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from exchanges.domain.orders import Side, VenueFill
from trading.domain import tie_out
from trading.domain.positions import FLAT, apply_fill
from trading.domain.tie_out import BookedFill

D = Decimal
TRADE = VenueFill(
    "7", D(50_000), D("0.1"), D("0.0001"), "BTC", False, datetime(2026, 11, 21, tzinfo=UTC), "31"
)
FILL = BookedFill("7", Side.BUY, D(50_000), D("0.1"), D("0.0001"), "BTC", fee_in_base=D("0.0001"))
OURS = frozenset({"31"})


def told(booked, at_venue):
    found, foreign = tie_out.trades("BTCUSDT", booked, at_venue, OURS)
    return [f"{d.about} {d.what}" for d in found], foreign


class TestTrades:
    def test_equal_ones_agree(self):
        assert told([FILL], [TRADE]) == ([], 0)

    def test_one_of_our_orders_that_is_not_booked(self):
        assert told([], [TRADE]) == (["BTCUSDT trade 7 is not booked here"], 0)

    def test_one_of_somebody_else_is_counted_only(self):
        assert told([], [replace(TRADE, venue_order_id="99")]) == ([], 1)

    def test_one_the_venue_does_not_have(self):
        assert told([FILL], []) == (["BTCUSDT trade 7 is not at the venue"], 0)

    def test_each_figure_that_is_another(self):
        other = replace(TRADE, price=D(50_001), quantity=D("0.2"), commission_asset="BNB")
        assert [line.rpartition(" another ")[2] for line in told([FILL], [other])[0]] == [
            "price",
            "quantity",
            "commission asset",
        ]


def booked(rows) -> list[BookedFill]:
    return [
        BookedFill(str(n), side, price, quantity, D(0), "BTC", fee_in_quote_value=fee)
        for n, (side, price, quantity, fee) in enumerate(rows)
    ]


money = st.decimals("0.01", 1000, places=2)
fills = st.lists(st.tuples(st.sampled_from(Side), money, money, money), max_size=12).map(booked)


class TestBooks:
    @given(fills)
    def test_books_reckoned_from_their_fills_agree(self, rows):
        state = FLAT
        for fill in rows:
            state = apply_fill(
                state, fill.side, fill.price, fill.quantity, D(0), fill.fee_in_quote_value
            )
        assert tie_out.books("p", state, rows) == []

    @given(fills.filter(bool))
    def test_a_fill_that_was_dropped_shows(self, rows):
        state = FLAT
        for fill in rows[:-1]:
            state = apply_fill(
                state, fill.side, fill.price, fill.quantity, D(0), fill.fee_in_quote_value
            )
        assert tie_out.books("p", state, rows)


class TestHoldings:
    def test_less_at_the_venue_is_a_difference(self):
        [found], _ = tie_out.holdings({"BTC": D(2)}, {"BTC": D(1)})
        assert (found.ours, found.theirs) == ("2", "1")

    def test_an_asset_the_venue_does_not_tell_of_is_nothing_there(self):
        assert tie_out.holdings({"BTC": D(2)}, {})[0][0].theirs == "0"

    def test_more_at_the_venue_is_not_ours(self):
        assert tie_out.holdings({"BTC": D(1)}, {"BTC": D(3), "ETH": D(9)}) == ([], {"BTC": D(2)})


class TestOpenOrders:
    def test_both_sides_are_told(self):
        found = tie_out.open_orders({"a": "OPEN", "b": "OPEN"}, {"b": "OPEN", "c": "OPEN"})
        assert [(d.about, d.what) for d in found] == [
            ("order a", "is open here, not at the venue"),
            ("order c", "is open at the venue, not here"),
        ]
