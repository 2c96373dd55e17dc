"""Commission: a share of what was received, or its discounted worth in BNB."""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal

from exchanges.matching.book import EIGHT_DECIMALS

BNB = "BNB"
BNB_SHARE = Decimal("0.75")  # burning BNB takes 25 % off the standard commission


def in_received(received: Decimal, rate: Decimal) -> Decimal:
    """Return the commission in the received asset, eight decimals, rounded down."""
    return (received * rate).quantize(EIGHT_DECIMALS, rounding=ROUND_DOWN)


def in_bnb(received: Decimal, rate: Decimal, bnb_per_unit: Decimal) -> Decimal:
    """Return the discounted commission in BNB. `bnb_per_unit` prices one received unit."""
    return (received * rate * BNB_SHARE * bnb_per_unit).quantize(
        EIGHT_DECIMALS, rounding=ROUND_DOWN
    )
