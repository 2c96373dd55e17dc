from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges.domain.orders import Side
from trading.domain import positions, tie_out
from trading.domain.positions import FLAT, PositionState
from trading.domain.tie_out import BookedFill, TakenOff

D = Decimal
ENTRIES = st.lists(
    st.tuples(
        st.sampled_from(["buy", "sell", "take off"]),
        st.integers(1, 10**6),  # price in cents
        st.integers(1, 10**5),  # quantity in 0.0001
        st.integers(0, 100),  # share of what is held, percent
    ),
    max_size=30,
)


def held(quantity: str, average: str) -> PositionState:
    return PositionState(quantity=D(quantity), average_entry_price=D(average))


def test_the_average_and_the_profit_stay():
    left = positions.take_off(held("1", "100"), D("0.4"))
    assert (left.quantity, left.average_entry_price, left.realised_pnl) == (D("0.6"), D(100), D(0))


def test_taking_all_of_it_leaves_nothing():
    assert positions.take_off(held("1", "100"), D(1)) == FLAT


@pytest.mark.parametrize("quantity", ["0", "-1", "1.0001"])
def test_what_is_not_there_cannot_be_taken(quantity):
    with pytest.raises(ValueError, match="off a position of 1"):
        positions.take_off(held("1", "100"), D(quantity))


@given(ENTRIES)
def test_what_is_held_and_what_was_taken_off_add_up_to_the_fills(entries):
    state = FLAT
    booked: list[BookedFill | TakenOff] = []
    traded = taken = D(0)
    for number, (what, cents, units, percent) in enumerate(entries):
        if what == "take off":
            part = state.quantity * percent / 100
            if part:
                taken += part
                state = positions.take_off(state, part)
                booked.append(TakenOff(part))
            continue
        side, price, quantity = Side(what.upper()), D(cents) / 100, D(units) / 10_000
        state = positions.apply_fill(state, side, price, quantity)
        traded += quantity if side is Side.BUY else -quantity
        booked.append(BookedFill(str(number), side, price, quantity, D(0), ""))

    assert state.quantity - state.excess_sold + taken == traded
    assert tie_out.books("p", state, booked) == []
    if taken:
        without = [one for one in booked if not isinstance(one, TakenOff)]
        assert tie_out.books("p", state, without)
