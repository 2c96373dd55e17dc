"""Small hand-made markets: for each strategy one where it must speak and one where it must not.

A scene is told as a market that makes it buy; turned upside down it has to sell. Candles open
where the last one closed; `wick` is how far high and low reach beyond the body.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from exchanges.domain.candles import Candle, Candles, length_ms

START_MS = 1_704_067_200_000  # 2024-01-01
Row = tuple[float, float, float, float, float]  # open, high, low, close, volume
QUIET = 900  # candles every scene begins with


@dataclass(frozen=True)
class Scene:
    """`last`: within how many of its last candles it speaks; `near`: the same until almost."""

    fires: list[Row]
    near: list[Row]
    last: int


def candles(rows: Iterable[Row], interval: str = "15m") -> Candles:
    length = length_ms(interval)
    return Candles.of(
        "BTCUSDT",
        interval,
        [
            Candle(START_MS + i * length, *row, row[3] * row[4], 10, row[4] / 2, 0.0)
            for i, row in enumerate(rows)
        ],
    )


def mirrored(rows: Iterable[Row]) -> list[Row]:
    """Turn a market upside down: what rose falls."""
    return [(400 - o, 400 - low, 400 - high, 400 - c, volume) for o, high, low, c, volume in rows]


class Tape:
    """A market told candle by candle."""

    def __init__(self, price: float = 200.0, *, quiet: int = QUIET) -> None:
        self.rows: list[Row] = []
        self.price = price
        self.flat(quiet)

    def bar(
        self,
        open_: float,
        high: float,
        low: float,
        close: float,
        volume: float = 100.0,
    ) -> Tape:
        self.rows.append((open_, high, low, close, volume))
        self.price = close
        return self

    def to(self, close: float, *, wick: float = 0.2, volume: float = 100.0) -> Tape:
        """One candle from the last close to `close`."""
        high, low = max(self.price, close) + wick, min(self.price, close) - wick
        return self.bar(self.price, high, low, close, volume)

    def flat(self, count: int, *, wick: float = 0.2, zigzag: float = 0.1) -> Tape:
        base = self.price
        for i in range(count):
            self.to(base + (zigzag if i % 2 else -zigzag), wick=wick)
        return self.to(base, wick=wick)

    def move(self, count: int, step: float, *, volume: float = 100.0) -> Tape:
        """Candles that each close `step` further, a little up and down on the way."""
        for i in range(count):
            self.to(self.price + step * (1.3 if i % 2 else 0.7), volume=volume)
        return self


def golden_cross() -> Scene:
    falling = Tape().move(300, -0.1)
    near = Tape().move(300, -0.1).move(20, 0.3)
    return Scene(falling.move(150, 0.3).rows, near.rows, 150)


def macd_cross() -> Scene:
    return Scene(
        Tape().move(60, -0.4).move(12, 0.4).rows, Tape().move(60, -0.4).move(12, -0.5).rows, 12
    )


def adx_trend() -> Scene:
    def waves() -> Tape:
        tape = Tape()
        for _ in range(20):
            tape.move(4, 0.4).move(4, -0.4)
        return tape

    return Scene(waves().move(20, 0.5).rows, waves().move(4, 0.4).move(4, -0.4).rows, 20)


def supertrend() -> Scene:
    return Scene(
        Tape().move(80, -0.4).move(30, 0.5).rows, Tape().move(80, -0.4).move(3, 0.3).rows, 30
    )


def ichimoku_breakout() -> Scene:
    return Scene(
        Tape().move(80, -0.2).move(60, 0.5).rows, Tape().move(80, -0.2).move(10, 0.3).rows, 60
    )


def parabolic_sar() -> Scene:
    return Scene(
        Tape().move(60, -0.5).move(10, 0.6).rows, Tape().move(60, -0.5).move(2, 0.2).rows, 10
    )


def aroon_cross() -> Scene:
    return Scene(
        Tape().move(40, -0.4).move(30, 0.4).rows, Tape().move(40, -0.4).move(10, 0.1).rows, 30
    )


def rsi_reversal() -> Scene:
    return Scene(
        Tape().move(20, -0.8).move(10, 0.5).rows, Tape().move(20, -0.8).move(10, -0.2).rows, 10
    )


def stochastic_cross() -> Scene:
    return Scene(
        Tape().move(20, -0.8).move(2, 0.3).rows, Tape().flat(20, zigzag=0.3).move(2, 0.1).rows, 2
    )


def bollinger_reversion() -> Scene:
    start = Tape().flat(40, zigzag=0.3)
    near = Tape().flat(40, zigzag=0.3)
    return Scene(start.to(197).to(199.5).rows, near.to(197).to(196.5).rows, 1)


def zscore_reversion() -> Scene:
    return Scene(
        Tape().flat(100, zigzag=0.3).to(196).to(199.5).rows,
        Tape().flat(100, zigzag=0.3).to(196).to(195.5).rows,
        1,
    )


def donchian_breakout() -> Scene:
    return Scene(Tape().to(201).rows, Tape().to(200.25).rows, 1)


def keltner_breakout() -> Scene:
    return Scene(Tape().to(203).rows, Tape().to(200.4).rows, 1)


def inside_bar_breakout() -> Scene:
    def held() -> Tape:
        return Tape().bar(200, 202, 199, 201.5).bar(201.5, 201.8, 200.5, 201)

    return Scene(held().to(203).rows, held().to(201.9).rows, 1)


def volume_surge_breakout() -> Scene:
    return Scene(Tape().to(202, volume=400).rows, Tape().to(202, volume=150).rows, 1)


def obv_trend() -> Scene:
    return Scene(Tape().move(20, 0.3).rows, Tape().flat(20, zigzag=0.4).rows, 20)


def mfi_reversal() -> Scene:
    return Scene(
        Tape().move(20, -0.5).move(8, 0.4).rows, Tape().move(20, -0.5).move(8, -0.1).rows, 8
    )


def chaikin_oscillator() -> Scene:
    return Scene(Tape().move(15, 0.6).rows, Tape().flat(15, zigzag=0.1).rows, 15)


def vwap_reversion() -> Scene:
    return Scene(
        Tape().flat(100, zigzag=0.3).to(196).to(199.7).rows,
        Tape().flat(100, zigzag=0.3).to(196).to(195.5).rows,
        1,
    )


def squeeze_breakout() -> Scene:
    def squeezed() -> Tape:
        return Tape().flat(50, wick=1.0, zigzag=0.05)

    return Scene(squeezed().move(10, 1.5).rows, squeezed().flat(10, wick=1.0, zigzag=0.05).rows, 10)


def bandwidth_expansion() -> Scene:
    def narrowed() -> Tape:
        return Tape().flat(100, zigzag=0.8).flat(30, zigzag=0.1).flat(8, zigzag=0.05)

    return Scene(narrowed().to(201.5).rows, narrowed().to(200.1).rows, 1)


def atr_breakout() -> Scene:
    return Scene(Tape().to(203).rows, Tape().to(200.8).rows, 1)


def engulfing() -> Scene:
    def fallen() -> Tape:
        tape = Tape().move(20, -0.3)
        return tape.bar(tape.price, tape.price + 0.1, tape.price - 0.4, tape.price - 0.3)

    rises, misses = fallen(), fallen()
    return Scene(rises.to(rises.price + 1.0).rows, misses.to(misses.price + 0.2).rows, 1)


def hammer_star() -> Scene:
    def fallen() -> Tape:
        tape = Tape().move(20, -0.4)
        return tape.bar(tape.price, tape.price + 0.2, tape.price - 0.4, tape.price - 0.4)

    hammer, short = fallen(), fallen()
    p = hammer.price
    return Scene(
        hammer.bar(p, p + 0.12, p - 2.0, p + 0.1).rows,
        short.bar(p, p + 0.12, p - 0.3, p + 0.1).rows,
        1,
    )


def morning_evening_star() -> Scene:
    def paused() -> Tape:
        tape = Tape().move(20, -0.3)
        tape.to(tape.price - 1.5)
        return tape.to(tape.price - 0.05)

    back, short = paused(), paused()
    return Scene(back.to(back.price + 1.2).rows, short.to(short.price + 0.4).rows, 1)


def mtf_trend_pullback() -> Scene:
    def fallen_back() -> Tape:
        return Tape(100.0).move(400, 0.1).move(14, -0.4)

    return Scene(fallen_back().move(4, 0.6).rows, fallen_back().move(4, -0.2).rows, 4)


def mtf_macd() -> Scene:
    def fallen_back() -> Tape:
        return Tape(100.0).move(60, 0.3).move(8, -0.3)

    return Scene(fallen_back().move(6, 0.7).rows, fallen_back().move(6, -0.5).rows, 6)


def mtf_adx_breakout() -> Scene:
    def fallen_back() -> Tape:
        return Tape(100.0).move(240, 0.2).move(25, -0.1)

    return Scene(fallen_back().move(12, 0.6).rows, fallen_back().move(12, -0.1).rows, 12)


SCENES: dict[str, Callable[[], Scene]] = {
    scene.__name__: scene
    for scene in (
        golden_cross,
        macd_cross,
        adx_trend,
        supertrend,
        ichimoku_breakout,
        parabolic_sar,
        aroon_cross,
        rsi_reversal,
        stochastic_cross,
        bollinger_reversion,
        zscore_reversion,
        donchian_breakout,
        keltner_breakout,
        inside_bar_breakout,
        volume_surge_breakout,
        obv_trend,
        mfi_reversal,
        chaikin_oscillator,
        vwap_reversion,
        squeeze_breakout,
        bandwidth_expansion,
        atr_breakout,
        engulfing,
        hammer_star,
        morning_evening_star,
        mtf_trend_pullback,
        mtf_macd,
        mtf_adx_breakout,
    )
}


def walk(seed: int, count: int, *, interval: str = "15m", start: float = 100.0) -> Candles:
    """Return a seeded random walk with calm and wild stretches and a few dead candles."""
    rng = np.random.default_rng(seed)
    calm = np.repeat(rng.choice([0.0005, 0.002, 0.01], size=count // 50 + 1), 50)[:count]
    close = start * np.exp(np.cumsum(rng.normal(0, 1, count) * calm))
    opened = np.concatenate(([start], close[:-1]))
    high = np.maximum(opened, close) * (1 + np.abs(rng.normal(0, 1, count)) * calm)
    low = np.minimum(opened, close) * (1 - np.abs(rng.normal(0, 1, count)) * calm / 2)
    volume = rng.lognormal(3, 1, count) * (rng.random(count) > 0.03)
    rows = zip(*(c.tolist() for c in (opened, high, low, close, volume)), strict=True)
    return candles(rows, interval)
