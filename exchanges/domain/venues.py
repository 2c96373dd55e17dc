"""Where orders go and prices come from: a market of an exchange, in one of its environments."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TypeVar

E = TypeVar("E", bound=StrEnum)


class Exchange(StrEnum):
    BINANCE = "binance"


class Market(StrEnum):
    SPOT = "spot"
    USDM = "usdm"


class Environment(StrEnum):
    """Which copy of an exchange: only one of them trades real money."""

    SIMULATOR = "simulator"
    TESTNET = "testnet"
    DEMO = "demo"
    MAINNET = "mainnet"


@dataclass(frozen=True, slots=True, order=True)
class Venue:
    """One market of one exchange in one environment, such as `binance.spot.mainnet`."""

    exchange: Exchange
    market: Market
    environment: Environment

    def __str__(self) -> str:
        return f"{self.exchange}.{self.market}.{self.environment}"

    @property
    def is_real_money(self) -> bool:
        return self.environment is Environment.MAINNET

    def columns(self, prefix: str = "") -> dict[str, str]:
        """Return its three words by the names of the columns that hold them."""
        return {
            f"{prefix}exchange": self.exchange.value,
            f"{prefix}market": self.market.value,
            f"{prefix}environment": self.environment.value,
        }

    @property
    def labels(self) -> tuple[str, str, str]:
        """Return exchange, market and environment, as metrics name them."""
        return self.exchange.value, self.market.value, self.environment.value


@lru_cache(maxsize=64)
def venue(environment: str, market: str = Market.SPOT, exchange: str = Exchange.BINANCE) -> Venue:
    """Make a venue of its three words. ValueError names the one that is unknown."""
    return Venue(
        _known(Exchange, "exchange", exchange),
        _known(Market, "market", market),
        _known(Environment, "environment", environment),
    )


def read_venue(text: str) -> Venue:
    """Read a venue as people write it: `binance.spot.mainnet`, `spot.mainnet` or `mainnet`.

    ValueError says what is wrong with it.
    """
    parts = text.strip().lower().split(".")
    if len(parts) > 3:
        raise ValueError(f"{text!r} is no venue: write it like binance.spot.mainnet")
    return venue(*reversed(parts))


def _known(kind: type[E], name: str, text: str) -> E:
    try:
        return kind(text)
    except ValueError:
        known = ", ".join(kind)
        raise ValueError(f"{text!r} is no {name}; there are: {known}") from None
