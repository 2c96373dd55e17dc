"""A market of a few verbs for realtime strategies: every verb sends one frame as bytes."""

from __future__ import annotations

from typing import Any

import orjson

from exchanges.market_data.bus import Kind, enveloped
from signals_app.strategies import realtime
from signals_app.strategies.emission import Emission

START_MS = 1_723_161_240_000
BY_ID = {spec.strategy_id: spec for spec in realtime.SPECS}


def made(strategy_id: str, **params: float) -> Any:
    spec = BY_ID[strategy_id]
    return realtime.made(spec, spec.resolved(params))


class Market:
    """One strategy that listens to one symbol; `said` is what it said so far."""

    def __init__(self, strategy: Any, symbol: str = "BTCUSDT") -> None:
        self.strategy = strategy
        self.symbol = symbol
        self.now_ms = START_MS
        self.number = 0
        self.said: list[Emission] = []

    def wait(self, seconds: float) -> None:
        self.now_ms += round(seconds * 1000)

    def book(
        self, bid_volume: float, ask_volume: float, *, bid: float = 99.995, ask: float = 100.005
    ) -> Emission | None:
        self.number += 1
        data = {
            "lastUpdateId": self.number,
            "bids": [[repr(bid - k * 0.01), repr(bid_volume / 5)] for k in range(20)],
            "asks": [[repr(ask + k * 0.01), repr(ask_volume / 5)] for k in range(20)],
        }
        return self.send(Kind.DEPTH, data)

    def trade(self, price: float, quantity: float = 1.0, *, buyer_takes: bool = True) -> Any:
        self.number += 1
        data = {
            "t": self.number,
            "T": self.now_ms,
            "p": repr(float(price)),
            "q": repr(float(quantity)),
            "m": not buyer_takes,
        }
        return self.send(Kind.TRADE, data)

    def ticker(self, price: float) -> Emission | None:
        return self.send(
            Kind.TICKER, {"e": "24hrTicker", "E": self.now_ms, "c": repr(float(price))}
        )

    def send(self, kind: Kind, data: dict[str, Any]) -> Emission | None:
        raw = enveloped(f"{self.symbol.lower()}@{kind}", orjson.dumps(data), self.now_ms)
        frame = self.strategy.decode(raw)
        one: Emission | None = self.strategy.take(self.symbol, frame, frame.received_ms)
        if one is not None:
            self.said.append(one)
        return one

    @property
    def sides(self) -> list[str]:
        return [str(one.action) for one in self.said]
