"""What one simulator process is told when it starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from exchanges.venues.simulator.limits import Allowance

DEFAULT_KEY = "simulator-key"
DEFAULT_SECRET = "simulator-secret"  # noqa: S105 - play money; the product sets its own
DAY_SECONDS = 86_400.0


def starting_balances() -> dict[str, Decimal]:
    return {"USDT": Decimal(100_000), "BTC": Decimal(0), "BNB": Decimal(10)}


@dataclass(frozen=True, slots=True)
class AccountConfig:
    """One venue account and the key that opens it. Rates are fractions (0.001 is 10 bps)."""

    api_key: str = DEFAULT_KEY
    api_secret: str = DEFAULT_SECRET
    account_id: str = "1"
    balances: Mapping[str, Decimal] = field(default_factory=starting_balances)
    maker_rate: Decimal = Decimal("0.001")
    taker_rate: Decimal = Decimal("0.001")
    bnb_burn: bool = False
    can_trade: bool = True


@dataclass(frozen=True, slots=True)
class SimulatorConfig:
    """Everything configurable. Port 0 takes a free port; no state file means nothing is kept."""

    host: str = "127.0.0.1"
    port: int = 0
    prices: str = "synthetic"
    seed: int = 1
    state_file: Path | None = None
    faults: bool = False
    accounts: tuple[AccountConfig, ...] = (AccountConfig(),)
    allowance: Allowance = field(default_factory=Allowance)
    latency_ms: float = 0.0
    symbols: tuple[str, ...] = ()  # empty lists them all
    ping_seconds: float = 20.0
    stream_life_seconds: float = DAY_SECONDS
