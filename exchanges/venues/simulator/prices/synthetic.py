"""Synthetic prices: a seeded course, a live-looking book and trades. Needs no network."""

from __future__ import annotations

import asyncio
import random
from bisect import bisect_right
from collections.abc import Mapping
from decimal import Decimal

from exchanges.venues.simulator.clock import Clock
from exchanges.venues.simulator.instruments import Listing
from exchanges.venues.simulator.prices.path import Path, fraction, mix, salt_of
from exchanges.venues.simulator.prices.sink import Candle, Level, PriceSink

LEVELS = 20
LEVEL_GAP = 0.00002  # between book levels, as a fraction of the price
DAY_MS = 86_400_000
BOOK_SECONDS = 5.0  # the best level offers about what trades in this time
BUCKET_MS = 2_000  # a level keeps its quantity this long
SAMPLES = 16  # points of the course looked at per candle
SHORTEST_SAMPLE_MS = 1_000
TRADE_SIZES = (0.05, 0.1, 0.2, 0.4, 0.8)
CANDLE_CACHE = 50_000


class Market:
    """One synthetic symbol: its course in ticks and the shape of its book."""

    def __init__(self, listing: Listing, seed: int, *, moves: bool) -> None:
        self.listing = listing
        self.salt = salt_of(seed, listing.symbol)
        self.path = Path(self.salt, moves)
        self.moves = moves
        self.base_ticks = float(listing.start / listing.tick)
        self._jumps: list[tuple[int, float]] = []  # (from ms, factor on the base)
        self.per_second = float(listing.daily_volume) / 86_400
        self.gap_ticks = max(1, round(self.base_ticks * LEVEL_GAP))

    def ticks(self, at_ms: float, *, shortest_ms: int = 0) -> float:
        """Return the fair price in ticks at a time."""
        fair = self.base_ticks * (1 + self.path.at(at_ms, shortest_ms=shortest_ms))
        return fair * self._factor(at_ms) if self._jumps else fair

    def _factor(self, at_ms: float) -> float:
        place = bisect_right(self._jumps, at_ms, key=lambda jump: jump[0])
        return self._jumps[place - 1][1] if place else 1.0

    def jump(self, price: Decimal, at_ms: int) -> None:
        undisturbed = self.base_ticks * (1 + self.path.at(at_ms))
        self._jumps.append((at_ms, float(price / self.listing.tick) / undisturbed))

    def calm(self) -> None:
        self._jumps.clear()

    def best(self, at_ms: int) -> tuple[int, int]:
        """Return best bid and best ask in ticks, one or two apart."""
        spread = 1 + (mix(self.salt ^ (at_ms // BUCKET_MS)) & 1 if self.moves else 0)
        bid = max(1, round(self.ticks(at_ms) - spread / 2))
        return bid, bid + spread

    def side(self, best: int, step: int, at_ms: int) -> list[Level]:
        """Return the levels of one side, best first; `step` is -1 for bids, +1 for asks."""
        gap, tick = self.gap_ticks, self.listing.tick
        levels = [(tick * best, self._quantity(best, 0, at_ms))]
        level = best // gap * gap if step < 0 else -(-best // gap) * gap
        while len(levels) < LEVELS:
            if level != best:
                if level <= 0:
                    break
                levels.append((tick * level, self._quantity(level, len(levels), at_ms)))
            level += step * gap
        return levels

    def _quantity(self, level: int, depth: int, at_ms: int) -> Decimal:
        bucket = at_ms // BUCKET_MS if self.moves else 0
        jitter = 0.4 + 1.2 * fraction(self.salt ^ mix(level * 1_000_003 + bucket))
        amount = self.per_second * BOOK_SECONDS * jitter * (1 + 0.15 * depth)
        step = self.listing.step
        return step * max(1, int(amount / float(step)))


class SyntheticPrices:
    """Price source of that name; `moves=False` is the source called `still`."""

    recording = None

    def __init__(
        self,
        listings: Mapping[str, Listing],
        clock: Clock,
        *,
        seed: int = 1,
        interval_ms: int = 250,
        moves: bool = True,
    ) -> None:
        self._clock = clock
        self._interval_ms = max(10, interval_ms)
        self._dice = random.Random(seed)
        self._markets = {
            symbol: Market(listing, seed, moves=moves) for symbol, listing in listings.items()
        }
        self._candles: dict[tuple[str, int, int], Candle] = {}

    async def run(self, sink: PriceSink) -> None:
        """Feed every symbol once per interval, spread over it so that no burst blocks a reply."""
        pause = self._interval_ms / 1000 / len(self._markets)
        while True:
            for market in self._markets.values():
                self._step(market, sink)
                await asyncio.sleep(pause)

    def prime(self, sink: PriceSink) -> None:
        for market in self._markets.values():
            self._step(market, sink)

    def jump(self, symbol: str, price: Decimal, sink: PriceSink) -> None:
        """Move a symbol's price now; later prices and candles keep the new level."""
        market = self._markets[symbol]
        now_ms = self._clock.now_ms()
        market.jump(price, now_ms)
        self._candles.clear()
        bid, ask = market.best(now_ms)
        sink.book(symbol, market.side(bid, -1, now_ms), market.side(ask, 1, now_ms))
        sink.trade(symbol, price, market.listing.step, False)

    def calm(self) -> None:
        """Take back every jump; the next step is on the undisturbed course again."""
        for market in self._markets.values():
            market.calm()
        self._candles.clear()

    def _step(self, market: Market, sink: PriceSink) -> None:
        now_ms = self._clock.now_ms()
        bid, ask = market.best(now_ms)
        symbol = market.listing.symbol
        bids, asks = market.side(bid, -1, now_ms), market.side(ask, 1, now_ms)
        sink.book(symbol, bids, asks)
        for _ in range(self._dice.choice((0, 1, 1, 2)) if market.moves else 1):
            buyer_is_maker = self._dice.random() < 0.5
            price, offered = (bids if buyer_is_maker else asks)[0]
            share = self._dice.choice(TRADE_SIZES)
            step = market.listing.step
            quantity = max(step, step * int(float(offered) * share / float(step)))
            sink.trade(symbol, price, quantity, buyer_is_maker)

    def candle(self, symbol: str, start_ms: int, end_ms: int, now_ms: int) -> Candle | None:
        """Compute a candle from the course; finished ones are remembered."""
        if symbol not in self._markets or start_ms > now_ms:
            return None
        key = (symbol, start_ms, end_ms)
        known = self._candles.get(key)
        if known is None:
            known = _candle(self._markets[symbol], start_ms, end_ms, min(end_ms, now_ms + 1))
            if now_ms >= end_ms:
                if len(self._candles) >= CANDLE_CACHE:
                    self._candles.clear()
                self._candles[key] = known
        return known


def _candle(market: Market, start_ms: int, end_ms: int, until_ms: int) -> Candle:
    spacing = max(SHORTEST_SAMPLE_MS, (end_ms - start_ms) // SAMPLES)
    times = [*range(start_ms, until_ms, spacing), until_ms]
    course = [round(market.ticks(t, shortest_ms=spacing // 2)) for t in times]
    # First and last point see every octave, so one candle's close is the next one's open.
    course[0] = round(market.ticks(start_ms))
    course[-1] = round(market.ticks(until_ms))
    tick, step = market.listing.tick, market.listing.step
    share = (until_ms - start_ms) / DAY_MS
    jitter = 0.5 + fraction(market.salt ^ mix(start_ms))
    volume = step * max(1, int(float(market.listing.daily_volume) * share * jitter / float(step)))
    taker = (volume * Decimal(str(round(0.4 + 0.2 * jitter / 1.5, 3)))) // step * step
    mean = (tick * (course[0] + course[-1]) / 2).quantize(tick)
    return Candle(
        opened_ms=start_ms,
        closes_ms=end_ms - 1,
        open=tick * course[0],
        high=tick * max(course),
        low=tick * min(course),
        close=tick * course[-1],
        volume=volume,
        quote_volume=volume * mean,
        trades=max(1, int(share * 1_000_000 * jitter)),
        taker_volume=taker,
        taker_quote_volume=taker * mean,
    )
