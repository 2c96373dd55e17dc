"""Prices of the simulator, without waiting for them: every strategy has settings that speak."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import orjson
import pytest

from exchanges.market_data.bus import Kind, enveloped
from exchanges.venues.simulator import instruments
from exchanges.venues.simulator.clock import Clock
from exchanges.venues.simulator.prices.sink import Level
from exchanges.venues.simulator.prices.synthetic import SyntheticPrices
from signals_app.strategies import realtime
from signals_app.strategies.emission import Emission

SYMBOLS = ("BTCUSDT", "ETHUSDT", "BNBUSDT")
STEP_MS = 250
START_MS = 1_763_000_000_000


class HandClock(Clock):
    at_ms = START_MS

    def now_ms(self) -> int:
        return self.at_ms


class Market:
    """A course of prices, and the frames a market process would make of them."""

    def __init__(self, seed: int, preset: str) -> None:
        self.clock = HandClock()
        listings = {s: one for s, one in instruments.listings().items() if s in SYMBOLS}
        self.prices = SyntheticPrices(listings, self.clock, seed=seed)
        made = [realtime.made(s, s.resolved(s.presets.get(preset, {}))) for s in realtime.SPECS]
        self.strategies = {one.stream: one for one in made}
        self.last: dict[str, str] = {}
        self.number = 0
        self.said: list[Emission] = []

    def is_heard(self) -> bool:
        return True

    def is_behind(self) -> bool:
        return False

    def recorded(self, symbol: str, stream: str, data: dict[str, Any], /) -> None:
        raise NotImplementedError("synthetic prices are no recording")

    def recorded_until(self, symbol: str, now_ms: int, /) -> None:
        raise NotImplementedError("synthetic prices are no recording")

    def book(self, symbol: str, bids: Sequence[Level], asks: Sequence[Level]) -> None:
        sides = {"bids": bids, "asks": asks}
        rows = {side: [[str(p), str(q)] for p, q in levels] for side, levels in sides.items()}
        self.send(symbol, Kind.DEPTH, {"lastUpdateId": self.number, **rows})

    def trade(self, symbol: str, price: Decimal, quantity: Decimal, buyer_is_maker: bool) -> None:
        self.last[symbol] = str(price)
        told = {"t": self.number, "T": self.clock.at_ms, "p": str(price), "q": str(quantity)}
        self.send(symbol, Kind.TRADE, {**told, "m": buyer_is_maker})

    def send(self, symbol: str, kind: Kind, data: dict[str, Any]) -> None:
        self.number += 1
        strategy = self.strategies[kind]
        raw = enveloped(f"{symbol.lower()}@{kind}", orjson.dumps(data), self.clock.at_ms)
        frame = strategy.decode(raw)
        emission = strategy.take(symbol, frame, frame.received_ms)
        if emission is not None:
            self.said.append(emission)

    def run(self, minutes: int) -> None:
        for step in range(minutes * 60_000 // STEP_MS):
            self.clock.at_ms = START_MS + step * STEP_MS
            self.prices.prime(self)
            if step % 4 == 0:
                for symbol, price in self.last.items():
                    self.send(symbol, Kind.TICKER, {"E": self.clock.at_ms, "c": price})


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_by_the_first_settings_something_is_bought_within_minutes(seed):
    market = Market(seed, "")
    market.run(8)
    assert any(one.action == "buy" for one in market.said)
    assert {one.strategy_id for one in market.said} == {"trade_momentum"}


def test_by_the_recommended_ones_all_three_speak_a_few_times():
    market = Market(1, "recommended")
    market.run(15)
    counts = Counter(one.strategy_id for one in market.said)
    assert set(counts) == {s.strategy_id for s in realtime.SPECS}
    assert all(count <= 6 * len(SYMBOLS) for count in counts.values())  # two sides, five minutes
