"""Public market streams: who asked for which stream, and the frames made for them.

Nothing is rendered that nobody listens to. Trades and best prices go out as they happen; the
rest is sampled by one task every 100 ms. What a recording has is told as it is, and what it has
not is sampled by the recording's clock.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from typing import Any

import orjson

from exchanges.matching import Engine
from exchanges.matching.events import MarketTraded
from exchanges.matching.results import BookView
from exchanges.venues.simulator import market_frames
from exchanges.venues.simulator.clock import Clock
from exchanges.venues.simulator.faults import FaultBook
from exchanges.venues.simulator.peers import Peer
from exchanges.venues.simulator.prices.recording import Recording
from exchanges.venues.simulator.tape import FIXED_INTERVALS, Tape, span

TICK_MS = 100
PARTIAL_DEPTH = re.compile(r"depth(5|10|20)(?:@(100|1000)ms)?")
DIFF_DEPTH = re.compile(r"depth(?:@(100|1000)ms)?")
KLINE = re.compile(r"kline_(\w+)")
PLAIN = frozenset({"trade", "aggTrade", "bookTicker", "ticker", "miniTicker", "avgPrice"})
ALL_MINI = "!miniTicker@arr"
DIFF_LEVELS = 1_000
MOST_TICKS = 600  # sampled one by one where a recording pauses; a longer pause is passed over


class UnknownStream(ValueError):
    """No stream has this name."""


def check_name(name: str, symbols: Iterable[str]) -> None:
    """Raise UnknownStream unless a stream of this name could carry something."""
    if name == ALL_MINI:
        return
    symbol, _, kind = name.partition("@")
    interval = KLINE.fullmatch(kind)
    known = (
        kind in PLAIN
        or DIFF_DEPTH.fullmatch(kind)
        or PARTIAL_DEPTH.fullmatch(kind)
        or (interval and (interval[1] in FIXED_INTERVALS or interval[1] == "1M"))
    )
    if not known or symbol.upper() not in symbols:
        raise UnknownStream(name)


class MarketStreams:
    """Subscriptions by stream name, and the sampled state behind the timed ones."""

    def __init__(
        self,
        engine: Engine,
        tape: Tape,
        clock: Clock,
        faults: FaultBook,
        recording: Recording | None = None,
    ) -> None:
        self.engine = engine
        self._recording = recording
        self._ticks: dict[str, int] = {}  # of recorded symbols: sampled up to here, ms
        self._tape = tape
        self._clock = clock
        self._faults = faults
        self._listeners: dict[str, dict[Peer, bool]] = {}  # peer -> wrapped in {stream, data}?
        self._due_ms: dict[str, int] = {}
        self._sent_books: dict[str, BookView] = {}
        self._sent_best: dict[str, tuple[Any, ...]] = {}
        self._open_candles: dict[str, int] = {}

    def subscribe(self, peer: Peer, name: str, *, wrapped: bool) -> None:
        check_name(name, self.engine.symbols)
        self._listeners.setdefault(name, {})[peer] = wrapped

    def unsubscribe(self, peer: Peer, name: str) -> None:
        listeners = self._listeners.get(name, {})
        listeners.pop(peer, None)
        if not listeners:
            self._drop(name)

    def forget(self, peer: Peer) -> None:
        for name in self.names_of(peer):
            self.unsubscribe(peer, name)

    def names_of(self, peer: Peer) -> list[str]:
        return [name for name, listeners in self._listeners.items() if peer in listeners]

    def peers(self) -> list[Peer]:
        return list({peer for listeners in self._listeners.values() for peer in listeners})

    def announce_shutdown(self) -> None:
        notice = orjson.dumps({"e": "serverShutdown", "E": self._clock.shown_ms()})
        for peer in self.peers():
            peer.send(notice)

    def _drop(self, name: str) -> None:
        for store in (self._listeners, self._due_ms, self._sent_books, self._open_candles):
            store.pop(name, None)

    # --- as it happens --------------------------------------------------------------------------

    def trade(self, trade: MarketTraded) -> None:
        symbol = trade.symbol.lower()
        name = f"{symbol}@trade"
        if name in self._listeners:
            self._publish(
                name, trade.symbol, market_frames.trade(trade, self._tape.shown_ms(trade.symbol))
            )
        name = f"{symbol}@aggTrade"
        if name in self._listeners:
            self._publish(
                name,
                trade.symbol,
                market_frames.aggregate(trade, self._tape.shown_ms(trade.symbol)),
            )

    def book_changed(self, symbol: str) -> None:
        name = f"{symbol.lower()}@bookTicker"
        if name not in self._listeners or name in self._streams_of_recording:
            return
        best = self._book(symbol, 1)
        rows = (best.bids, best.asks)
        if not (best.bids and best.asks) or self._sent_best.get(symbol) == rows:
            return
        self._sent_best[symbol] = rows
        frame = {
            "u": best.update_id,
            **market_frames.best_prices(symbol, best, ("s", "b", "B", "a", "A")),
        }
        self._publish(name, symbol, frame)

    # --- sampled --------------------------------------------------------------------------------

    async def run(self) -> None:
        """Send what is due, every 100 ms, until cancelled."""
        while True:
            self.send_due()
            await asyncio.sleep(TICK_MS / 1000)

    def send_due(self) -> None:
        now_ms = self._clock.now_ms()
        for name in list(self._listeners):
            if not self._is_recorded(name.partition("@")[0].upper()):
                self._send_due(name, now_ms)

    def _send_due(self, name: str, now_ms: int) -> None:
        period = _period(name)
        if period is None:
            return
        if now_ms >= self._due_ms.get(name, 0) or self._has_closed(name, now_ms):
            self._due_ms[name] = now_ms + period - TICK_MS // 2
            self._sample(name)

    def _has_closed(self, name: str, now_ms: int) -> bool:
        """Return whether the candle told last is over: its last word does not wait."""
        opened = self._open_candles.get(name)
        if opened is None:
            return False
        return now_ms >= span(name.rpartition("kline_")[2], opened)[1]

    # --- recorded -------------------------------------------------------------------------------

    def _is_recorded(self, symbol: str) -> bool:
        return self._recording is not None and symbol in self._recording.symbols

    def sample_recorded(self, symbol: str, now_ms: int) -> None:
        """Send what was due by a recording's clock before the frame that comes next.

        One tick behind: a trade may be told a little after the moment it belongs to.
        """
        until = now_ms - now_ms % TICK_MS
        done = self._ticks.setdefault(symbol, until)
        if until <= done:
            return
        prefix = f"{symbol.lower()}@"
        names = sorted(name for name in self._listeners if name.startswith(prefix))
        ticks = range(max(done + TICK_MS, until - MOST_TICKS * TICK_MS), until + 1, TICK_MS)
        for tick in ticks:
            self._ticks[symbol] = tick
            for name in names:
                if name not in self._streams_of_recording:
                    self._send_due(name, tick - TICK_MS)

    def tell_recorded(self, symbol: str, stream: str, data: dict[str, Any]) -> None:
        """Send a recorded frame as it is to who listens to its stream."""
        if stream in self._listeners:
            self._publish(stream, symbol, data)

    def aggregate_recorded(self, trade: MarketTraded) -> None:
        """Tell a recorded trade as an aggregate where the recording has none."""
        name = f"{trade.symbol.lower()}@aggTrade"
        if name in self._listeners and name not in self._streams_of_recording:
            self._publish(
                name,
                trade.symbol,
                market_frames.aggregate(trade, self._tape.shown_ms(trade.symbol)),
            )

    @property
    def _streams_of_recording(self) -> set[str]:
        return self._recording.streams if self._recording is not None else set()

    def _book(self, symbol: str, levels: int) -> BookView:
        if self._recording is not None and symbol in self._recording.symbols:
            return self._recording.depth(symbol, levels)
        return self.engine.depth(symbol, levels)

    # --- samples --------------------------------------------------------------------------------

    def _sample(self, name: str) -> None:
        if name == ALL_MINI:
            self._publish(name, "", [self._mini(symbol) for symbol in self.engine.symbols])
            return
        lower, _, kind = name.partition("@")
        symbol = lower.upper()
        if kind.startswith("depth"):
            self._sample_depth(name, symbol, kind)
        elif kind.startswith("kline_"):
            self._sample_candle(name, symbol, kind.removeprefix("kline_"))
        elif self._is_recorded(symbol) and not self._tape.trades(symbol, 1):
            return  # nothing has traded yet: there is no price to tell
        elif kind == "ticker":
            self._publish(name, symbol, self._day(symbol))
        elif kind == "miniTicker":
            self._publish(name, symbol, self._mini(symbol))
        elif kind == "avgPrice":
            self._publish(name, symbol, self._average(symbol))

    def _sample_depth(self, name: str, symbol: str, kind: str) -> None:
        partial = PARTIAL_DEPTH.fullmatch(kind)
        book = self._book(symbol, int(partial[1]) if partial else DIFF_LEVELS)
        before = self._sent_books.get(name)
        if before is not None and before.update_id == book.update_id:
            return
        self._sent_books[name] = book
        if partial:
            self._publish(name, symbol, market_frames.depth_body(book))
        elif before is not None:
            frame = market_frames.diff(symbol, before, book, self._shown_ms(symbol))
            self._publish(name, symbol, frame)

    def _sample_candle(self, name: str, symbol: str, interval: str) -> None:
        start, end = span(interval, self._moment(symbol))
        before = self._open_candles.get(name)
        self._open_candles[name] = start
        if before is not None and before != start:
            self._publish_candle(name, symbol, interval, *span(interval, before))
        self._publish_candle(name, symbol, interval, start, end)

    def _publish_candle(
        self, name: str, symbol: str, interval: str, start_ms: int, end_ms: int
    ) -> None:
        candle = self._tape.candle(symbol, start_ms, end_ms) or self._tape.flat(
            symbol, start_ms, end_ms
        )
        if candle is None:
            return
        frame = market_frames.kline(
            symbol,
            interval,
            candle,
            is_closed=self._moment(symbol) >= end_ms,
            shown_ms=self._shown_ms(symbol),
        )
        self._publish(name, symbol, frame)

    def _shown_ms(self, symbol: str) -> int:
        """Return the event time of a sample."""
        if self._recording is None or symbol not in self._recording.symbols:
            return self._clock.shown_ms()
        return self._ticks.get(symbol, self._recording.now_ms)

    def _moment(self, symbol: str) -> int:
        """Return the time candles are told for: a recording's is a tick behind its frames."""
        if self._is_recorded(symbol):
            return self._ticks.get(symbol, 0) - TICK_MS
        return self._clock.now_ms()

    def _day(self, symbol: str) -> dict[str, Any]:
        stats, best = self._tape.day_stats(symbol), self._book(symbol, 1)
        last = self._tape.trades(symbol, 1)
        return market_frames.day(
            symbol, stats, best, last[0] if last else None, self._shown_ms(symbol)
        )

    def _mini(self, symbol: str) -> dict[str, Any]:
        last = None if self._is_recorded(symbol) else self.engine.last_price(symbol)
        return market_frames.mini(
            symbol, self._tape.day_stats(symbol), last, self._shown_ms(symbol)
        )

    def _average(self, symbol: str) -> dict[str, Any]:
        now_ms = self._clock.now_ms()
        average = self.engine.average_price(symbol, 5, now_ms)
        return market_frames.average(symbol, average, now_ms, self._clock.shown_ms())

    # --- sending --------------------------------------------------------------------------------

    def _publish(self, name: str, symbol: str, frame: Any) -> None:
        kind = frame.get("e", name.partition("@")[2]) if isinstance(frame, dict) else name
        fault = self._faults.for_event("market", kind, symbol, None)
        if fault is not None and fault.kind in ("stream_silence", "stream_drop"):
            return
        if fault is not None and fault.kind == "stream_delay":
            wait = fault.effect["delay_ms"] / 1000
            asyncio.get_running_loop().call_later(wait, self._send, name, frame)
            return
        self._send(name, frame)
        if fault is not None and fault.kind == "stream_duplicate":
            self._send(name, frame)

    def _send(self, name: str, frame: Any) -> None:
        raw = orjson.dumps(frame)
        wrapped = b'{"stream":' + orjson.dumps(name) + b',"data":' + raw + b"}"
        for peer, in_envelope in self._listeners.get(name, {}).items():
            peer.send(wrapped if in_envelope else raw)


def _period(name: str) -> int | None:
    """Return how often a stream is sampled, in ms; None for those sent as things happen."""
    kind = name.partition("@")[2]
    if kind.startswith("depth"):
        return 100 if kind.endswith("@100ms") else 1_000
    if kind.startswith("kline_"):
        return 1_000 if kind == "kline_1s" else 2_000
    if kind in ("trade", "aggTrade", "bookTicker"):
        return None
    return 1_000
