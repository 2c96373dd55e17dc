from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.trading.situations import base, limits, quote_amount
from trading.domain import sizing
from trading.domain.figures import Refusal
from trading.domain.intents import SizeMode, SizingIntent
from trading.domain.risk.types import SizingModel

D = Decimal
DEFAULT = SizingIntent()


def sized(
    wish=DEFAULT, *, confidence="1", price="100", free="1000", most="0", committed="0", **lim
):
    return sizing.size_entry(
        wish,
        confidence=D(confidence),
        price=D(price),
        limits=limits(**lim),
        means=sizing.Means(available_quote=None if free is None else D(free)),
        max_quantity=D(most),
        committed_quantity=D(committed),
    )


class TestDefaultSize:
    def test_it_is_two_percent_of_the_balance_by_confidence(self):
        assert sized(confidence="0.8").quantity == D("0.16")

    def test_the_arithmetic_reads_like_the_formula(self):
        lines = dict(sized(confidence="0.8").arithmetic)
        assert lines["percent of balance"] == "1000 free x 0.02 of balance x 0.8 confidence / 100"
        assert lines["amount"] == "16"

    def test_it_needs_a_known_balance(self):
        assert sized(free=None).code == "BALANCE_UNKNOWN"

    def test_it_needs_something_free(self):
        assert sized(free="0").code == "BALANCE_INSUFFICIENT"

    def test_a_small_balance_is_not_lifted_to_anything(self):
        assert sized(free="1", price="50000").quantity == D("0.0000004")

    def test_a_fixed_amount_asks_no_balance_and_no_confidence(self):
        got = sized(
            free=None,
            confidence="0.1",
            sizing_model=SizingModel.FIXED_QUOTE,
            default_quote_amount=D(50),
        )
        assert got.quantity == D("0.5")


class TestExplicitSize:
    def test_a_base_quantity_is_taken_as_it_is(self):
        assert sized(base("0.7"), confidence="0.5").quantity == D("0.7")

    def test_a_quote_amount_is_divided_by_the_price(self):
        assert sized(quote_amount("250")).quantity == D("2.5")

    @pytest.mark.parametrize("amount", ["0", "-1"])
    def test_nothing_or_less_is_refused_and_not_read_as_missing(self, amount):
        assert sized(base(amount)).code == "SIZE_INVALID"

    def test_a_mode_without_an_amount_is_refused(self):
        assert sized(SizingIntent(SizeMode.QUOTE_AMOUNT)).code == "SIZE_INVALID"


class TestCaps:
    def test_the_largest_order_of_the_venue_caps_and_says_so(self):
        got = sized(base("50"), most="20")
        assert (got.quantity, got.asked) == (D(20), D(50))
        assert ("cap: largest order of the venue", "50 -> 20") in got.arithmetic

    def test_the_room_left_under_the_position_limit_caps(self):
        got = sized(base("50"), committed="90")
        assert got.quantity == D(10)

    def test_a_full_position_is_left_for_its_rule_to_deny(self):
        assert sized(base("50"), committed="100").quantity == D(50)

    def test_a_limit_of_zero_does_not_cap(self):
        assert sized(base("5000"), max_position_notional=D(0)).quantity == D(5000)


class TestExitSize:
    def exit(self, wish=DEFAULT, *, all_of_it=False, sellable="2", price="100", most="0"):
        return sizing.size_exit(
            wish,
            sells_all=all_of_it,
            sellable=D(sellable),
            price=None if price is None else D(price),
            max_quantity=D(most),
        )

    def test_a_close_sells_all_whatever_size_it_names(self):
        assert self.exit(base("0.1"), all_of_it=True).quantity == D(2)

    def test_a_reduce_without_size_sells_all(self):
        assert self.exit().quantity == D(2)

    def test_a_reduce_never_sells_more_than_is_held(self):
        got = self.exit(base("9"))
        assert got.quantity == D(2)
        assert ("cap: held and free to sell", "9 -> 2") in got.arithmetic

    def test_a_quote_amount_is_valued_at_the_price(self):
        assert self.exit(quote_amount("50")).quantity == D("0.5")

    def test_a_quote_amount_without_a_price_is_refused(self):
        assert self.exit(quote_amount("50"), price=None).code == "QUOTE_UNKNOWN"

    def test_closing_needs_no_price(self):
        assert self.exit(all_of_it=True, price=None).quantity == D(2)


AMOUNTS = st.decimals("0.00000001", "100000000", places=8)


@given(
    mode=st.sampled_from(list(SizeMode)),
    amount=AMOUNTS,
    price=AMOUNTS,
    free=AMOUNTS,
    confidence=st.decimals("0", "1", places=4),
    most=st.one_of(st.just(D(0)), AMOUNTS),
    cap=st.one_of(st.just(D(0)), AMOUNTS),
    committed=st.decimals("0", "1000", places=8),
)
def test_a_size_is_never_above_what_was_asked_nor_above_any_cap(
    mode, amount, price, free, confidence, most, cap, committed
):
    got = sizing.size_entry(
        SizingIntent(mode, None if mode is SizeMode.DEFAULT else amount),
        confidence=confidence,
        price=price,
        limits=limits(max_position_notional=cap),
        means=sizing.Means(available_quote=free),
        max_quantity=most,
        committed_quantity=committed,
    )
    assert not isinstance(got, Refusal)
    assert got.quantity <= got.asked
    assert not most or got.quantity <= most
    if mode is SizeMode.BASE_QUANTITY:
        assert got.asked == amount
    elif mode is SizeMode.QUOTE_AMOUNT:
        assert got.asked * price <= amount
    else:
        assert got.asked * price <= free * D("0.02") * confidence
    room = cap - committed * price
    if cap and room > 0:
        assert got.quantity * price <= room
