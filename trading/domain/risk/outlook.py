"""What an order would cost and lose at worst, as far as that can be known before it is sent."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from exchanges.domain.orders import Side
from trading.domain import sizing
from trading.domain.risk.types import OrderPlan


@dataclass(frozen=True, slots=True)
class Outlook:
    """Quote units; None where a price, a stop or the fee rate is not known or there is none.

    `fee` is that of the order itself, `exit_fee` that of selling all of it at the stop, and
    `worst_loss` what the stop then costs with both.
    """

    fee: Decimal | None = None
    exit_fee: Decimal | None = None
    worst_loss: Decimal | None = None


def outlook(order: OrderPlan | None, fee_rate: Decimal | None) -> Outlook:
    """Reckon fees and loss at the stop. What a market jumps beyond a stop is not in them."""
    if order is None or fee_rate is None:
        return Outlook()
    entry, stop = order.entry_price, order.stop_loss
    if order.side is Side.SELL or entry is None or stop is None:
        return Outlook(fee=order.estimated_fee)
    return Outlook(
        fee=order.estimated_fee,
        exit_fee=order.quantity * stop * fee_rate,
        worst_loss=order.quantity * sizing.loss_at_stop(entry, stop, fee_rate),
    )
