"""How much worse a fill was than expected."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges.domain.orders import Side
from trading.domain.slippage import realised_bps

D = Decimal
prices = st.decimals("0.00000001", "1000000", places=8)


@pytest.mark.parametrize(
    ("side", "expected", "average", "bps"),
    [
        (Side.BUY, "50000", "50025", "5"),
        (Side.BUY, "50000", "49975", "-5"),
        (Side.SELL, "50000", "49975", "5"),
        (Side.SELL, "50000", "50025", "-5"),
        (Side.BUY, "3", "3", "0"),
    ],
)
def test_paying_more_or_getting_less_is_worse(side, expected, average, bps):
    assert realised_bps(side, D(expected), D(average)) == D(bps)


@pytest.mark.parametrize(("expected", "average"), [(None, D(1)), (D(1), None), (D(0), D(1))])
def test_what_is_not_known_is_none(expected, average):
    assert realised_bps(Side.BUY, expected, average) is None


@given(prices, prices)
def test_one_sides_loss_is_the_others_gain_and_fits_its_column(expected, average):
    bought, sold = (realised_bps(side, expected, average) for side in Side)
    assert bought is not None
    assert sold is not None
    assert bought == -sold
    assert abs(bought) <= 10**9
