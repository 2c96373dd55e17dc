"""What a technical strategy is: closed candles in, what it says of each of them out.

A strategy answers for the whole series at once, so that a year of minutes is a few array
operations. What it says of a candle may depend on that candle and earlier ones only: the calls of
a prefix are the first calls of the whole (tests hold every strategy to it).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from exchanges.domain.candles import Candles, Floats
from signals_app.payload.draft import Action
from signals_app.strategies.emission import Emission
from signals_app.strategies.spec import StrategySpec

Params = Mapping[str, float]
BUY, SELL = 1, -1


@dataclass(frozen=True, slots=True, eq=False)
class Calls:
    """One entry for each candle. `side`: 1 buy, -1 sell, 0 nothing. NaN: none.

    `indicators` are columns too: what the strategy looked at, for the signal and for charts.
    """

    side: NDArray[np.int8]
    confidence: Floats
    stop_loss: Floats
    take_profit: Floats
    atr: Floats
    indicators: Mapping[str, Floats]

    def __len__(self) -> int:
        return len(self.side)


class TechnicalStrategy(Protocol):
    """One technical strategy. Pure: no clock, no I/O, no state between calls."""

    @property
    def spec(self) -> StrategySpec: ...

    def lookback(self, params: Params) -> int:
        """Return how many candles before one its call may depend on (indicators that remember
        longer have faded by then)."""
        ...

    def calls(self, candles: Candles, params: Params) -> Calls:
        """Return what it says of each candle once that is closed; nothing during warm-up."""
        ...

    def rationale(self, candles: Candles, calls: Calls, index: int) -> str:
        """Return one sentence on why, with the figures."""
        ...


def emission(strategy: TechnicalStrategy, candles: Candles, calls: Calls, at: int) -> Emission:
    """Return what the call on candle `at` says; `calls.side[at]` must not be 0."""
    found = {name: float(column[at]) for name, column in calls.indicators.items()}
    return Emission(
        strategy_id=strategy.spec.strategy_id,
        symbol=candles.symbol,
        action=Action.BUY if calls.side[at] > 0 else Action.SELL,
        confidence=float(calls.confidence[at]),
        at_ms=int(candles.closed_at(at).timestamp() * 1000),
        price=float(candles.close[at]),
        rationale=strategy.rationale(candles, calls, at),
        indicators={name: value for name, value in found.items() if np.isfinite(value)},
        atr=_number(calls.atr, at),
        stop_loss=_number(calls.stop_loss, at),
        take_profit=_number(calls.take_profit, at),
        timeframe=candles.interval,
    )


def _number(column: Floats, at: int) -> float | None:
    value = float(column[at])
    return value if np.isfinite(value) and value > 0 else None
