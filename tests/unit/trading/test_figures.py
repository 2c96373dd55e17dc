from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.domain import figures

POSITIVE = st.decimals("0.00000001", "1000000000", places=8)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("1E-7"), "0.0000001"),
        (Decimal("1E+5"), "100000"),
        (Decimal("3.20"), "3.2"),
        (Decimal("-0.0"), "0"),
        (Decimal("0.1234567890123456"), "0.123456789012"),
        (75, "75"),
        (None, "unknown"),
    ],
)
def test_a_figure_reads_without_exponent_or_trailing_zeros(value, text):
    assert figures.plain(value) == text


@given(POSITIVE, POSITIVE)
def test_division_never_gives_more_than_there_was(dividend, divisor):
    assert figures.divide_down(dividend, divisor) * divisor <= dividend
