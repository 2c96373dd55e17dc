"""Public market data besides the book: recent trades, candles, day statistics."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from typing import Any

from exchanges.domain import candles
from exchanges.matching.events import MarketTraded
from exchanges.venues.simulator import refusals
from exchanges.venues.simulator.clock import Clock
from exchanges.venues.simulator.prices.base import PriceSource
from exchanges.venues.simulator.prices.recording import Recording
from exchanges.venues.simulator.prices.sink import Candle
from exchanges.venues.simulator.prices.trade_candles import TradeCandles
from exchanges.venues.simulator.rendering import money

HOUR_MS, DAY_MS = candles.HOUR_MS, candles.DAY_MS
TRADES_KEPT = 1_000
FIXED_INTERVALS = candles.INTERVALS
DAY_STATS_FRESH_MS = 1_000


class Tape:
    """What traded, symbol by symbol."""

    def __init__(self, source: PriceSource, clock: Clock) -> None:
        self._source = source
        self._clock = clock
        self._trades: dict[str, deque[MarketTraded]] = {}
        self._gathered = TradeCandles()
        self._day_stats: dict[str, tuple[int, dict[str, Any]]] = {}

    def add(self, trade: MarketTraded) -> None:
        self._trades.setdefault(trade.symbol, deque(maxlen=TRADES_KEPT)).append(trade)
        self._gathered.add(
            trade.symbol, trade.price, trade.quantity, trade.buyer_is_maker, trade.at_ms
        )

    def trades(self, symbol: str, limit: int) -> list[MarketTraded]:
        """Return the newest trades, oldest first."""
        return list(self._trades.get(symbol, ()))[-limit:]

    def now_ms(self, symbol: str) -> int:
        """Return the time a symbol lives in: the recording's for one that is replayed."""
        recording = self._recording_of(symbol)
        return self._clock.now_ms() if recording is None else recording.now_ms

    def shown_ms(self, symbol: str) -> int:
        """Return what the venue says the time is when it speaks of a symbol."""
        recording = self._recording_of(symbol)
        return self._clock.shown_ms() if recording is None else recording.now_ms

    def _recording_of(self, symbol: str) -> Recording | None:
        recording = self._source.recording
        return recording if recording is not None and symbol in recording.symbols else None

    def candle(self, symbol: str, start_ms: int, end_ms: int) -> Candle | None:
        now_ms = self.now_ms(symbol)
        return self._source.candle(symbol, start_ms, end_ms, now_ms) or self._gathered.candle(
            symbol, start_ms, end_ms
        )

    def flat(self, symbol: str, start_ms: int, end_ms: int) -> Candle | None:
        """Return the candle of a time in which nothing traded after something had."""
        last = self.trades(symbol, 1)
        if not last or last[0].at_ms >= start_ms:
            return None
        price, zero = last[0].price, Decimal(0)
        return Candle(
            opened_ms=start_ms,
            closes_ms=end_ms - 1,
            open=price,
            high=price,
            low=price,
            close=price,
            volume=zero,
            quote_volume=zero,
            trades=0,
            taker_volume=zero,
            taker_quote_volume=zero,
        )

    def candles(
        self,
        symbol: str,
        interval: str,
        *,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 500,
    ) -> list[Candle]:
        """Return up to `limit` candles, oldest first; the newest may still be running.

        Raises Refusal -1120 for an unknown interval.
        """
        now_ms = self.now_ms(symbol)
        last_ms = min(now_ms, end_ms) if end_ms is not None else now_ms
        if start_ms is not None:
            spans = _forward(interval, self._first_known(symbol, interval, start_ms), last_ms)
        else:
            spans = iter(_backward(interval, last_ms, limit))
        found = (self.candle(symbol, start, end) for start, end in spans)
        return list(islice((candle for candle in found if candle is not None), limit))

    def _first_known(self, symbol: str, interval: str, start_ms: int) -> int:
        """Return where to look from: like the venue, pass over what came before the first trade."""
        start, end = span(interval, start_ms)
        if self._source.candle(symbol, start, end, self._clock.now_ms()) is not None:
            return start_ms
        known_ms = self._gathered.first_ms(symbol) or self._clock.now_ms()
        return max(start_ms, span(interval, known_ms)[0])

    def day_stats(self, symbol: str) -> dict[str, Any]:
        """Return the rolling 24 hour figures, at most a second old."""
        now_ms = self.now_ms(symbol)
        known = self._day_stats.get(symbol)
        if known and now_ms - known[0] < DAY_STATS_FRESH_MS and not self._recording_of(symbol):
            return known[1]
        stats = _statistics(list(self._last_day(symbol, now_ms)), now_ms)
        self._day_stats[symbol] = (now_ms, stats)
        return stats

    def _last_day(self, symbol: str, now_ms: int) -> Iterator[Candle]:
        this_hour = now_ms - now_ms % HOUR_MS
        for start in range(this_hour - 23 * HOUR_MS, this_hour + 1, HOUR_MS):
            candle = self.candle(symbol, start, start + HOUR_MS)
            if candle is not None:
                yield candle


def _statistics(candles: Sequence[Candle], now_ms: int) -> dict[str, Any]:
    zero = Decimal(0)
    opened = candles[0].open if candles else zero
    closed = candles[-1].close if candles else zero
    volume = sum((candle.volume for candle in candles), zero)
    quote_volume = sum((candle.quote_volume for candle in candles), zero)
    change = closed - opened
    return {
        "open": opened,
        "close": closed,
        "high": max((candle.high for candle in candles), default=zero),
        "low": min((candle.low for candle in candles), default=zero),
        "volume": volume,
        "quote_volume": quote_volume,
        "trades": sum(candle.trades for candle in candles),
        "change": change,
        "change_percent": change * 100 / opened if opened else zero,
        "average": quote_volume / volume if volume else closed,
        "opened_ms": now_ms - DAY_MS,
        "closed_ms": now_ms,
    }


def span(interval: str, at_ms: int) -> tuple[int, int]:
    """Return [start, end) of the candle that holds a moment. Raises Refusal -1120."""
    if interval == "1M":
        return _month(at_ms)
    length = FIXED_INTERVALS.get(interval)
    if length is None:
        raise refusals.bad_interval()
    offset = candles.FIRST_MONDAY_MS if interval == "1w" else 0
    start = at_ms - (at_ms - offset) % length
    return start, start + length


def _month(at_ms: int) -> tuple[int, int]:
    moment = datetime.fromtimestamp(at_ms / 1000, UTC)
    start = datetime(moment.year, moment.month, 1, tzinfo=UTC)
    year, month = (moment.year + 1, 1) if moment.month == 12 else (moment.year, moment.month + 1)
    end = datetime(year, month, 1, tzinfo=UTC)
    return int(start.timestamp() * 1000), int(end.timestamp() * 1000)


def _forward(interval: str, start_ms: int, last_ms: int) -> Iterator[tuple[int, int]]:
    start, end = span(interval, start_ms)
    if start < start_ms:
        start, end = span(interval, end)
    while start <= last_ms:
        yield start, end
        start, end = span(interval, end)


def _backward(interval: str, last_ms: int, limit: int) -> list[tuple[int, int]]:
    spans = [span(interval, last_ms)]
    while len(spans) < limit and spans[-1][0] > 0:
        spans.append(span(interval, spans[-1][0] - 1))
    return spans[::-1]


def kline_row(candle: Candle) -> list[Any]:
    """Return one row of `GET klines`."""
    return [
        candle.opened_ms,
        money(candle.open),
        money(candle.high),
        money(candle.low),
        money(candle.close),
        money(candle.volume),
        candle.closes_ms,
        money(candle.quote_volume),
        candle.trades,
        money(candle.taker_volume),
        money(candle.taker_quote_volume),
        "0",
    ]
