"""Prices of the simulator, without waiting for them: every strategy has settings that speak."""

from __future__ import annotations

from collections import Counter

import orjson
import pytest

from exchanges.market_data.bus import Kind, enveloped
from exchanges.simulator import instruments
from exchanges.simulator.prices.synthetic import SyntheticPrices
from signals_app.strategies import realtime

SYMBOLS = ("BTCUSDT", "ETHUSDT", "BNBUSDT")
STEP_MS = 250


class Market:
    """A clock, a course of prices, and the frames a market process would make of them."""

    def __init__(self, seed: int, preset: str) -> None:
        self.at_ms = self.start_ms = 1_763_000_000_000
        listings = {s: one for s, one in instruments.listings().items() if s in SYMBOLS}
        self.prices = SyntheticPrices(listings, self, seed=seed)
        made = [realtime.made(s, s.resolved(s.presets.get(preset, {}))) for s in realtime.SPECS]
        self.strategies = {one.stream: one for one in made}
        self.last: dict[str, str] = {}
        self.number = 0
        self.said = []

    def now_ms(self) -> int:
        return self.at_ms

    def book(self, symbol, bids, asks) -> None:
        sides = {"bids": bids, "asks": asks}
        rows = {side: [[str(p), str(q)] for p, q in levels] for side, levels in sides.items()}
        self.send(symbol, Kind.DEPTH, {"lastUpdateId": self.number, **rows})

    def trade(self, symbol, price, quantity, buyer_is_maker) -> None:
        self.last[symbol] = str(price)
        told = {"t": self.number, "T": self.at_ms, "p": str(price), "q": str(quantity)}
        self.send(symbol, Kind.TRADE, {**told, "m": buyer_is_maker})

    def send(self, symbol, kind, data) -> None:
        self.number += 1
        strategy = self.strategies[kind]
        raw = enveloped(f"{symbol.lower()}@{kind}", orjson.dumps(data), self.at_ms)
        frame = strategy.decode(raw)
        emission = strategy.take(symbol, frame, frame.received_ms)
        if emission is not None:
            self.said.append(emission)

    def run(self, minutes: int) -> None:
        for step in range(minutes * 60_000 // STEP_MS):
            self.at_ms = self.start_ms + step * STEP_MS
            self.prices.prime(self)
            if step % 4 == 0:
                for symbol, price in self.last.items():
                    self.send(symbol, Kind.TICKER, {"E": self.at_ms, "c": price})


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
