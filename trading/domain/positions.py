"""Average-cost books of one spot position: what is held, what it cost, what it earned.

How a fee enters, whatever asset it was paid in: it is realised as a loss the moment it is paid and
never hidden in the cost, so `average_entry_price` stays the price of the trades themselves.
* paid in base (a BUY on Binance): the holding grows only by what arrived, `quantity - fee`; the
  fee's value is `fee x price`.
* paid in quote (a SELL on Binance): its amount is its value.
* paid in a third asset (BNB): its value in quote at the time of the trade, given by the caller.
So realised + unrealised at a mark always equals cash received - cash paid + holding x mark -
third-asset fees.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from exchanges.domain.instruments import Instrument
from exchanges.domain.orders import Side

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class PositionState:
    """Books of one account and symbol. Quantities base units, the rest quote units.

    `excess_sold` is what was sold beyond the holding, at `excess_price` on average: fills that
    came out of order, or a sale behind our back. It is never dropped: its proceeds are not
    counted as profit until a later buy covers it, and the caller must alarm while it is not zero.
    """

    quantity: Decimal = ZERO
    average_entry_price: Decimal = ZERO
    realised_pnl: Decimal = ZERO  # net of every fee paid so far
    fees_quote: Decimal = ZERO
    excess_sold: Decimal = ZERO
    excess_price: Decimal = ZERO

    @property
    def is_open(self) -> bool:
        return self.quantity > 0

    @property
    def cost(self) -> Decimal:
        return self.quantity * self.average_entry_price


FLAT = PositionState()


@dataclass(frozen=True, slots=True)
class Fee:
    """One commission, split the way `apply_fill` wants it. `is_valued` False: no price for it."""

    in_base: Decimal = ZERO
    in_quote_value: Decimal = ZERO
    is_valued: bool = True


def value_fee(
    commission: Decimal,
    commission_asset: str,
    *,
    base_asset: str,
    quote_asset: str,
    asset_price: Decimal | None = None,
) -> Fee:
    """Split a commission by its asset.

    `asset_price` is the price of a third asset in quote units (BNB in USDT). Without it the fee
    counts as zero and `is_valued` is False, for the caller to alarm and value later.
    """
    if not commission:
        return Fee()
    if commission_asset == base_asset:
        return Fee(in_base=commission)
    if commission_asset == quote_asset:
        return Fee(in_quote_value=commission)
    if asset_price is None:
        return Fee(is_valued=False)
    return Fee(in_quote_value=commission * asset_price)


def apply_fill(
    state: PositionState,
    side: Side,
    price: Decimal,
    quantity: Decimal,
    fee_in_base: Decimal = ZERO,
    fee_in_quote_value: Decimal = ZERO,
) -> PositionState:
    """Book one venue trade and return the new books.

    `quantity` is what was traded, before any fee. `fee_in_base` is the commission paid in the base
    asset (base units), `fee_in_quote_value` the value of a commission paid in any other asset.
    Raises ValueError on figures no trade can have.
    """
    if quantity <= 0 or price <= 0:
        raise ValueError(f"not a trade: price={price} quantity={quantity}")
    fee = fee_in_base * price + fee_in_quote_value
    charged = replace(
        state, realised_pnl=state.realised_pnl - fee, fees_quote=state.fees_quote + fee
    )
    arrived = (quantity if side is Side.BUY else -quantity) - fee_in_base
    if arrived >= 0:
        return _receive(charged, price, arrived)
    return _deliver(charged, price, -arrived)


def take_off(state: PositionState, quantity: Decimal) -> PositionState:
    """Take coins that have gone without a trade off the books, at what they cost.

    Nothing is earned or lost by it: the average entry price and the realised profit stay. Raises
    ValueError when there is not so much to take off.
    """
    if not 0 < quantity <= state.quantity:
        raise ValueError(f"cannot take {quantity:f} off a position of {state.quantity:f}")
    left = state.quantity - quantity
    average = state.average_entry_price if left else ZERO
    return replace(state, quantity=left, average_entry_price=average)


def is_dust(quantity: Decimal, price: Decimal, instrument: Instrument) -> bool:
    """Say whether the venue would take no order for so little."""
    sellable = instrument.floor_quantity(quantity)
    return sellable < instrument.lot.minimum or sellable * price < instrument.min_notional


def unrealised(state: PositionState, mark: Decimal) -> Decimal:
    """Value the holding at `mark` against its average entry, before the fee of selling it."""
    return state.quantity * (mark - state.average_entry_price)


def _receive(state: PositionState, price: Decimal, quantity: Decimal) -> PositionState:
    covered = min(quantity, state.excess_sold)
    if covered:
        left = state.excess_sold - covered
        state = replace(
            state,
            realised_pnl=state.realised_pnl + covered * (state.excess_price - price),
            excess_sold=left,
            excess_price=state.excess_price if left else ZERO,
        )
    added = quantity - covered
    if not added:
        return state
    total = state.quantity + added
    average = (state.cost + added * price) / total
    return replace(state, quantity=total, average_entry_price=average)


def _deliver(state: PositionState, price: Decimal, quantity: Decimal) -> PositionState:
    sold = min(quantity, state.quantity)
    left = state.quantity - sold
    state = replace(
        state,
        quantity=left,
        average_entry_price=state.average_entry_price if left else ZERO,
        realised_pnl=state.realised_pnl + sold * (price - state.average_entry_price),
    )
    excess = quantity - sold
    if not excess:
        return state
    total = state.excess_sold + excess
    average = (state.excess_sold * state.excess_price + excess * price) / total
    return replace(state, excess_sold=total, excess_price=average)
