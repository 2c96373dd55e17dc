"""Candles gathered from trades as they pass, for sources that have no history of their own."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from decimal import Decimal

from exchanges.venues.simulator.prices.sink import Candle

SECOND_MS = 1_000
MINUTE_MS = 60_000
SECONDS_KEPT = 1_200
MINUTES_KEPT = 3_000
ZERO = Decimal(0)


@dataclass(slots=True)
class Bucket:
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal = ZERO
    quote_volume: Decimal = ZERO
    trades: int = 0
    taker_volume: Decimal = ZERO
    taker_quote_volume: Decimal = ZERO

    def add(self, price: Decimal, quantity: Decimal, buyer_is_maker: bool) -> None:
        self.high, self.low = max(self.high, price), min(self.low, price)
        self.close = price
        self.volume += quantity
        self.quote_volume += price * quantity
        self.trades += 1
        if not buyer_is_maker:
            self.taker_volume += quantity
            self.taker_quote_volume += price * quantity


class TradeCandles:
    """Second and minute buckets per symbol, merged on demand; the oldest are forgotten."""

    def __init__(self) -> None:
        self._seconds: dict[str, OrderedDict[int, Bucket]] = {}
        self._minutes: dict[str, OrderedDict[int, Bucket]] = {}

    def add(
        self, symbol: str, price: Decimal, quantity: Decimal, buyer_is_maker: bool, at_ms: int
    ) -> None:
        for store, length, kept in (
            (self._seconds, SECOND_MS, SECONDS_KEPT),
            (self._minutes, MINUTE_MS, MINUTES_KEPT),
        ):
            buckets = store.setdefault(symbol, OrderedDict())
            start = at_ms - at_ms % length
            bucket = buckets.get(start)
            if bucket is None:
                bucket = buckets[start] = Bucket(price, price, price, price)
                if len(buckets) > kept:
                    buckets.popitem(last=False)
            bucket.add(price, quantity, buyer_is_maker)

    def first_ms(self, symbol: str) -> int | None:
        """Return when the oldest bucket that is kept begins, None before the first trade."""
        buckets = self._minutes.get(symbol)
        return next(iter(buckets)) if buckets else None

    def candle(self, symbol: str, start_ms: int, end_ms: int) -> Candle | None:
        """Merge the buckets of [start, end); None when nothing traded."""
        length, store = (
            (MINUTE_MS, self._minutes)
            if (end_ms - start_ms) % MINUTE_MS == 0
            else (SECOND_MS, self._seconds)
        )
        buckets = store.get(symbol, OrderedDict())
        if (end_ms - start_ms) // length > len(buckets):
            parts = [b for at, b in buckets.items() if start_ms <= at < end_ms]
        else:
            times = range(start_ms, end_ms, length)
            parts = [buckets[at] for at in times if at in buckets]
        return _merge(parts, start_ms, end_ms) if parts else None


def _merge(parts: list[Bucket], start_ms: int, end_ms: int) -> Candle:
    return Candle(
        opened_ms=start_ms,
        closes_ms=end_ms - 1,
        open=parts[0].open,
        high=max(part.high for part in parts),
        low=min(part.low for part in parts),
        close=parts[-1].close,
        volume=sum((part.volume for part in parts), ZERO),
        quote_volume=sum((part.quote_volume for part in parts), ZERO),
        trades=sum(part.trades for part in parts),
        taker_volume=sum((part.taker_volume for part in parts), ZERO),
        taker_quote_volume=sum((part.taker_quote_volume for part in parts), ZERO),
    )
