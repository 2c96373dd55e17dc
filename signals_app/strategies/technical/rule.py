"""What all technical strategies share: one file of ours says when, this says the rest.

A strategy tells on which candles its condition holds; it speaks on the candle where the condition
becomes true and keeps silent while it stays so. Stops are multiples of the ATR. It says nothing
while warming up, with an unknown or zero ATR, or when both sides would hold.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from exchanges.domain.candles import Candles, Floats, Integers, length_ms
from signals_app.strategies.spec import Param, StrategySpec
from signals_app.strategies.technical.base import BUY, SELL, Calls, Params
from signals_app.strategies.technical.columns import (
    FADED_WILDER,
    Flags,
    became,
    before,
    number,
    unit_of,
)
from signals_app.strategies.technical.ta import ta

VOLUME_UNIT = 2.0**20


@dataclass(frozen=True, slots=True, eq=False)
class Market:
    """Closed candles in units that TA-Lib can count with: prices about 1, volumes about a million.

    `atr` is Wilder's average true range over the strategy's `atr_period`.
    """

    opened_ms: Integers
    length_ms: int
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    atr: Floats

    def channel(self, candles: float) -> tuple[Floats, Floats]:
        """Return the highest high and the lowest low of so many candles before each."""
        highest = ta.MAX(self.high, timeperiod=candles)
        return before(highest), before(ta.MIN(self.low, timeperiod=candles))


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """Where a condition holds. `prices` and `measures`: what was looked at, for the signal and for
    charts; prices are in the market's unit and are told in quote units."""

    buy: Flags
    sell: Flags
    confidence: Floats
    prices: Mapping[str, Floats] = field(default_factory=dict)
    measures: Mapping[str, Floats] = field(default_factory=dict)


def whole(name: str, default: int, low: int, high: int, meaning: str) -> Param:
    """Return a parameter that counts candles."""
    return Param(name, default, low, high, "candles", meaning, is_whole=True)


def exits(*, stop: float, target: float) -> tuple[Param, ...]:
    """Return the parameters of the stops every strategy proposes."""
    return (
        whole("atr_period", 14, 2, 100, "candles the average true range covers"),
        Param("stop_atr", stop, 0.2, 20, "ATR", "how far from the close the stop-loss is proposed"),
        Param("target_atr", target, 0.2, 50, "ATR", "how far away the take-profit is proposed"),
    )


class Rule(ABC):
    """A technical strategy in terms of conditions on columns.

    `because`: the sentence of a buy and of a sell; `{name}` stands for an indicator or `close`.
    """

    spec: ClassVar[StrategySpec]
    because: ClassVar[tuple[str, str]]

    @abstractmethod
    def memory(self, p: Params) -> int:
        """Return how many candles before one its condition may depend on."""

    @abstractmethod
    def look(self, market: Market, p: Params) -> Look:
        """Return where its conditions hold."""

    def lookback(self, params: Params) -> int:
        # One more: whether a condition became true is told by the candle before.
        return max(self.memory(params), FADED_WILDER * int(params["atr_period"])) + 1

    def calls(self, candles: Candles, params: Params) -> Calls:
        warm_up = self.lookback(params)
        if len(candles) <= warm_up:
            return _silent(len(candles))
        unit = unit_of(candles.close)
        market = _market(candles, unit, params)
        look = self.look(market, params)
        return _told(candles, look, market.atr * unit, unit, warm_up, params)

    def rationale(self, candles: Candles, calls: Calls, index: int) -> str:
        figures = {name: number(column[index]) for name, column in calls.indicators.items()}
        said = self.because[0 if calls.side[index] == BUY else 1]
        return said.format(close=number(candles.close[index]), **figures)


def _market(candles: Candles, unit: float, params: Params) -> Market:
    high, low, close = candles.high / unit, candles.low / unit, candles.close / unit
    return Market(
        opened_ms=candles.opened_ms,
        length_ms=length_ms(candles.interval),
        open=candles.open / unit,
        high=high,
        low=low,
        close=close,
        volume=candles.volume * (VOLUME_UNIT / unit_of(candles.volume)),
        atr=ta.ATR(high, low, close, timeperiod=params["atr_period"]),
    )


def _told(
    candles: Candles, look: Look, atr: Floats, unit: float, warm_up: int, params: Params
) -> Calls:
    side = became(look.buy).astype(np.int8) * BUY + became(look.sell).astype(np.int8) * SELL
    stop = candles.close - side * params["stop_atr"] * atr
    target = candles.close + side * params["target_atr"] * atr
    side[:warm_up] = 0
    side[~(atr > 0) | ~(stop > 0)] = 0  # no stop, no call
    speaks = side != 0
    return Calls(
        side=side.astype(np.int8),
        confidence=np.where(speaks, look.confidence, np.nan),
        stop_loss=np.where(speaks, stop, np.nan),
        take_profit=np.where(speaks & (target > 0), target, np.nan),
        atr=atr,
        indicators={name: column * unit for name, column in look.prices.items()}
        | dict(look.measures),
    )


def _silent(count: int) -> Calls:
    unknown = np.full(count, np.nan)
    return Calls(np.zeros(count, dtype=np.int8), unknown, unknown, unknown, unknown, {})
