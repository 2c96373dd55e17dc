"""How much worse than expected an order was filled. What it may cost before is a risk rule."""

from __future__ import annotations

from decimal import Decimal

from exchanges.domain.orders import Side

BPS = Decimal(10_000)
_SHOWN = Decimal("0.01")
_MOST = Decimal(10**9)  # a figure beyond it is nonsense, and must fit its column all the same


def realised_bps(side: Side, expected: Decimal | None, average: Decimal | None) -> Decimal | None:
    """Return basis points of the expected price, positive when the fill was worse.

    None when there was no fill or nothing was expected.
    """
    if average is None or expected is None or expected <= 0:
        return None
    worse = average - expected if side is Side.BUY else expected - average
    exact = max(-_MOST, min(worse / expected * BPS, _MOST))
    return exact.quantize(_SHOWN)


def is_beyond(slippage_bps: Decimal | None, limit_bps: Decimal | None) -> bool:
    """Say whether a fill was worse than its limit; without a figure or a limit it was not."""
    if slippage_bps is None or not limit_bps:
        return False
    return slippage_bps > limit_bps
