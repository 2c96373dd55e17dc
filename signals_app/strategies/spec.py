"""What a strategy is called, what it can be told, and what it says of itself."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    REALTIME = "realtime"  # on every message of the streams
    TECHNICAL = "technical"  # on closed candles


class Family(StrEnum):
    ORDER_FLOW = "order flow"
    TREND = "trend"
    MEAN_REVERSION = "mean reversion"
    BREAKOUT = "breakout"
    VOLUME = "volume"
    VOLATILITY = "volatility"
    PATTERN = "pattern"
    MULTI_TIMEFRAME = "multi-timeframe"


class ParamInvalid(ValueError):
    """A parameter that cannot be. `name` is the parameter's."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name
        self.message = message


@dataclass(frozen=True, slots=True)
class Param:
    """One number a strategy can be told. `env`: the variable of its first value, empty for none."""

    name: str
    default: float
    minimum: float
    maximum: float
    unit: str
    meaning: str
    is_whole: bool = False
    env: str = ""

    @property
    def sentence(self) -> str:
        return f"{self.meaning[:1].upper()}{self.meaning[1:].rstrip('.')}."

    def checked(self, value: Any) -> float:
        """Return the value; raise ParamInvalid when it is no number or out of bounds."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ParamInvalid(self.name, f"{value!r} is not a number")
        if not math.isfinite(value) or not self.minimum <= value <= self.maximum:
            raise ParamInvalid(
                self.name, f"{value:g} is not between {self.minimum:g} and {self.maximum:g}"
            )
        if self.is_whole and value != int(value):
            raise ParamInvalid(self.name, f"{value:g} must be a whole number")
        return float(value)


@dataclass(frozen=True, slots=True)
class StrategySpec:
    """A strategy's entry in the catalogue.

    `formula` says in one or two sentences when it fires; `confidence` what 0.5 and 1 mean;
    `reference` where the idea comes from; `presets` are named sets of parameters; `first_mode` is
    off, shadow or live. `rising` names pairs of parameters: the first must be below the second.
    `rule` raises ParamInvalid where values that are possible one by one are not so together.
    """

    strategy_id: str
    title: str
    kind: Kind
    family: Family
    formula: str
    params: tuple[Param, ...]
    reference: str = ""
    timeframes: tuple[str, ...] = ()
    presets: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    first_mode: str = "shadow"
    confidence: str = ""
    rising: tuple[tuple[str, str], ...] = ()
    rule: Callable[[Mapping[str, float]], None] | None = None

    def defaults(self) -> dict[str, float]:
        return {param.name: param.default for param in self.params}

    def resolved(self, overrides: Mapping[str, Any]) -> dict[str, float]:
        """Return every parameter's value. Raise ParamInvalid for an unknown or impossible one."""
        known = {param.name: param for param in self.params}
        for name in overrides:
            if name not in known:
                raise ParamInvalid(name, f"{self.strategy_id} has only {', '.join(known)}")
        given = {name: known[name].checked(value) for name, value in overrides.items()}
        values = self.defaults() | given
        for smaller, larger in self.rising:
            if values[smaller] >= values[larger]:
                raise ParamInvalid(
                    smaller, f"{values[smaller]:g} must be below {larger}, {values[larger]:g}"
                )
        if self.rule is not None:
            self.rule(values)
        return values
