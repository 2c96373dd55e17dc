"""What can be done for a position's protection, and the plan that says what is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from trading.domain.figures import ZERO


@dataclass(frozen=True, slots=True)
class KeepAll:
    reason: str


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask the venue what became of a placing whose answer was lost."""

    client_order_id: str


@dataclass(frozen=True, slots=True)
class CallOff:
    """End a placing of ours that was never sent: a fresh one fits better."""

    client_order_id: str


@dataclass(frozen=True, slots=True)
class CancelList:
    list_id: str


@dataclass(frozen=True, slots=True)
class CancelOrder:
    client_order_id: str


@dataclass(frozen=True, slots=True)
class PlaceOco:
    quantity: Decimal
    target: Decimal
    stop: Decimal


@dataclass(frozen=True, slots=True)
class PlaceStop:
    quantity: Decimal
    stop: Decimal


@dataclass(frozen=True, slots=True)
class PlaceTarget:
    """Only where the account allows positions without a stop."""

    quantity: Decimal
    target: Decimal


@dataclass(frozen=True, slots=True)
class ExitAtMarket:
    quantity: Decimal
    reason: str


@dataclass(frozen=True, slots=True)
class Guard:
    """Have our guard process hold the stop of `quantity`: the venue has no room for it now."""

    quantity: Decimal
    reason: str


@dataclass(frozen=True, slots=True)
class Dust:
    """No order is possible. `is_all`: for the whole position, not for what an exit leaves of it."""

    quantity: Decimal
    reason: str
    is_all: bool = True


@dataclass(frozen=True, slots=True)
class Alarm:
    reason: str


Placement = PlaceOco | PlaceStop | PlaceTarget | ExitAtMarket
Cancel = CancelList | CancelOrder
Action = KeepAll | Ask | CallOff | Cancel | Placement | Guard | Dust | Alarm


@dataclass(frozen=True, slots=True)
class ProtectionPlan:
    """Actions in the order to take them; figures and reason are for the record.

    Take them one by one and stop at the first that fails or whose outcome is unknown, then look
    again: a cancel may find that the leg has just filled. `guarded` is the quantity whose stop our
    guard must hold, `shortfall` what the books hold and the venue does not. `is_safe` says that
    nothing is missing; `look_again` when this plan may change without any news.
    """

    actions: tuple[Action, ...]
    sellable: Decimal
    covered: Decimal
    reason: str
    guarded: Decimal = ZERO
    shortfall: Decimal = ZERO
    is_safe: bool = True
    look_again: timedelta | None = None

    @property
    def changes_nothing(self) -> bool:
        return all(isinstance(action, KeepAll | Guard | Dust | Alarm) for action in self.actions)
