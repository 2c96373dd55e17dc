from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges.domain.orders import Side
from trading.domain import positions
from trading.domain.positions import FLAT

D = Decimal


def buy(state, price, quantity, **fee):
    return positions.apply_fill(state, Side.BUY, D(price), D(quantity), **fee)


def sell(state, price, quantity, **fee):
    return positions.apply_fill(state, Side.SELL, D(price), D(quantity), **fee)


class TestBuying:
    def test_two_buys_average_by_quantity(self):
        state = buy(buy(FLAT, "100", "1"), "200", "3")
        assert (state.quantity, state.average_entry_price) == (D(4), D(175))

    def test_a_commission_in_base_is_not_held(self):
        state = buy(FLAT, "100", "1", fee_in_base=D("0.001"))
        assert state.quantity == D("0.999")
        assert state.average_entry_price == D(100)
        assert state.fees_quote == D("0.1")
        assert state.realised_pnl == D("-0.1")

    def test_a_commission_in_another_asset_leaves_the_holding_whole(self):
        state = buy(FLAT, "100", "1", fee_in_quote_value=D("0.075"))
        assert (state.quantity, state.realised_pnl) == (D(1), D("-0.075"))


class TestSelling:
    def test_a_round_trip_earns_the_difference_less_both_fees(self):
        held = buy(FLAT, "100", "2", fee_in_quote_value=D("0.2"))
        state = sell(held, "110", "2", fee_in_quote_value=D("0.22"))
        assert state.realised_pnl == D("19.58")
        assert state.fees_quote == D("0.42")

    def test_a_part_sold_leaves_the_average_alone(self):
        state = sell(buy(FLAT, "100", "2"), "130", "0.5")
        assert (state.quantity, state.average_entry_price) == (D("1.5"), D(100))
        assert state.realised_pnl == D(15)

    def test_a_position_sold_out_forgets_its_average(self):
        state = sell(buy(FLAT, "100", "2"), "90", "2")
        assert not state.is_open
        assert state.average_entry_price == 0

    def test_a_commission_in_base_on_a_sale_leaves_the_holding_too(self):
        state = sell(buy(FLAT, "100", "2"), "100", "1", fee_in_base=D("0.1"))
        assert state.quantity == D("0.9")


class TestSellingMoreThanIsHeld:
    def test_the_excess_is_on_record_and_earns_nothing(self):
        state = sell(buy(FLAT, "100", "1"), "110", "3")
        assert (state.quantity, state.excess_sold, state.excess_price) == (D(0), D(2), D(110))
        assert state.realised_pnl == D(10)

    def test_a_sale_that_overtook_its_buy_comes_out_even(self):
        in_order = sell(buy(FLAT, "100", "1"), "110", "1")
        overtaken = buy(sell(FLAT, "110", "1"), "100", "1")
        assert overtaken == in_order

    def test_a_larger_buy_covers_the_excess_and_opens_the_rest(self):
        state = buy(sell(FLAT, "110", "1"), "100", "3")
        assert (state.quantity, state.average_entry_price) == (D(2), D(100))
        assert (state.excess_sold, state.realised_pnl) == (D(0), D(10))


class TestValuation:
    def test_unrealised_is_the_holding_at_the_mark_against_its_cost(self):
        assert positions.unrealised(buy(FLAT, "100", "2"), D(90)) == D(-20)

    def test_a_fee_in_a_third_asset_is_valued_in_quote(self):
        fee = positions.value_fee(
            D("0.001"), "BNB", base_asset="BTC", quote_asset="USDT", asset_price=D(600)
        )
        assert (fee.in_base, fee.in_quote_value) == (D(0), D("0.6"))

    def test_a_fee_nobody_can_value_says_so(self):
        fee = positions.value_fee(D("0.001"), "BNB", base_asset="BTC", quote_asset="USDT")
        assert not fee.is_valued

    @pytest.mark.parametrize(("asset", "expected"), [("BTC", (1, 0)), ("USDT", (0, 1))])
    def test_fees_in_the_pairs_own_assets_need_no_price(self, asset, expected):
        fee = positions.value_fee(D(1), asset, base_asset="BTC", quote_asset="USDT")
        assert (fee.in_base, fee.in_quote_value) == expected


@pytest.mark.parametrize(("price", "quantity"), [("0", "1"), ("1", "0"), ("-1", "1")])
def test_a_fill_no_trade_can_have_is_refused(price, quantity):
    with pytest.raises(ValueError, match="not a trade"):
        buy(FLAT, price, quantity)


FILLS = st.lists(
    st.tuples(
        st.sampled_from(list(Side)),
        st.integers(1, 10**6),  # price in cents
        st.integers(1, 10**5),  # quantity in 0.0001
        st.sampled_from(["base", "quote", "third"]),
        st.integers(0, 100),  # fee rate in 0.0001
    ),
    max_size=30,
)


class CashOracle:
    """Another way to the same truth: count coins in exact fractions and know no averages."""

    def __init__(self):
        self.cash = Fraction(0)
        self.coins = Fraction(0)
        self.fees = Fraction(0)

    def trade(self, side, price, quantity, fee_asset, fee):
        sign = 1 if side is Side.BUY else -1
        self.cash -= sign * price * quantity
        self.coins += sign * quantity
        if fee_asset == "base":
            self.coins -= fee
            self.fees += fee * price
        else:
            self.cash -= fee
            self.fees += fee

    def worth(self, mark):
        return self.cash + self.coins * mark


@given(FILLS, st.integers(1, 10**6))
def test_profit_always_equals_the_cash_and_coins_an_independent_ledger_counts(fills, mark_cents):
    state, oracle = FLAT, CashOracle()
    for side, cents, units, asset, rate in fills:
        price, quantity = D(cents) / 100, D(units) / 10_000
        value = quantity if asset == "base" else price * quantity
        fee = value * rate / 10_000
        split = {"fee_in_base": fee} if asset == "base" else {"fee_in_quote_value": fee}
        state = positions.apply_fill(state, side, price, quantity, **split)
        oracle.trade(side, Fraction(price), Fraction(quantity), asset, Fraction(fee))
    mark = D(mark_cents) / 100
    # What was sold in excess is owed back: its worth at the mark is neither earned nor lost yet.
    owed = state.excess_sold * (state.excess_price - mark)
    ours = state.realised_pnl + positions.unrealised(state, mark) + owed
    assert Fraction(state.quantity - state.excess_sold) == oracle.coins
    assert abs(Fraction(ours) - oracle.worth(Fraction(mark))) < Fraction(1, 10**9)
    assert abs(Fraction(state.fees_quote) - oracle.fees) < Fraction(1, 10**9)
    assert not (state.quantity and state.excess_sold)
