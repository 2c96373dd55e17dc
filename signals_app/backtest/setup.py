"""What a backtest is run with: money, costs, limits and the symbol's rules at the venue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from exchanges.domain.instruments import Instrument, parse_spot
from trading.domain.risk.types import Limits

BPS = Decimal(10_000)
ZERO = Decimal(0)
MOST_CASH = Decimal(10**12)


class SetupInvalid(ValueError):
    """A backtest that cannot be run so; `name` is the option to change."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name
        self.message = message


@dataclass(frozen=True, slots=True)
class Costs:
    """What trading costs. Basis points of the price; `latency_ms` from decision to arrival.

    `spread_bps` is between bid and ask; `slippage_bps` is lost at every taking on top of it.
    `depth_per_bps` is what the book holds in each basis point beyond the best price, quote units;
    zero: any size fills at the best price.
    """

    fee_bps: Decimal = Decimal(10)
    spread_bps: Decimal = Decimal(1)
    slippage_bps: Decimal = ZERO
    depth_per_bps: Decimal = ZERO
    latency_ms: int = 100

    def __post_init__(self) -> None:
        for name, most in (("fee_bps", 1000), ("spread_bps", 5000), ("slippage_bps", 5000)):
            value = getattr(self, name)
            if not value.is_finite() or not 0 <= value <= most:
                raise SetupInvalid(name, f"{value} is not between 0 and {most} basis points")
        if not self.depth_per_bps.is_finite() or self.depth_per_bps < 0:
            raise SetupInvalid("depth_per_bps", f"{self.depth_per_bps} is below 0")
        if not 0 <= self.latency_ms <= 3_600_000:
            raise SetupInvalid("latency_ms", f"{self.latency_ms} is not between 0 and 3600000")

    @property
    def fee_rate(self) -> Decimal:
        return self.fee_bps / BPS

    @property
    def half_spread(self) -> Decimal:
        return self.spread_bps / BPS / 2

    @property
    def slip(self) -> Decimal:
        return self.slippage_bps / BPS


@dataclass(frozen=True, slots=True)
class Setup:
    """One backtest. `entry` is the symbol's raw exchangeInfo entry; `cash` is quote units.

    `params` are the strategy's, complete. `counted` names by limit on pace or losses whose entries
    or trades it counts; all of them are this strategy's in this symbol here.
    """

    strategy_id: str
    symbol: str
    entry: Mapping[str, Any]
    limits: Limits
    params: Mapping[str, float] = field(default_factory=dict)
    cash: Decimal = Decimal(10_000)
    costs: Costs = Costs()
    interval: str = ""

    def __post_init__(self) -> None:
        if not self.cash.is_finite() or not 0 < self.cash <= MOST_CASH:
            raise SetupInvalid("cash", f"{self.cash} is not above 0 and at most {MOST_CASH}")
        if self.entry.get("symbol") != self.symbol:
            raise SetupInvalid("symbol", f"the venue's rules are not those of {self.symbol}")

    @property
    def instrument(self) -> Instrument:
        return parse_spot(self.entry)
