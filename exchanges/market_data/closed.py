"""Closed candles of the stream on their way to the database, without the stream waiting for it.

A thread writes what has gathered in one call. While the database is away candles wait; should more
gather than can be kept, the oldest are dropped, counted and told, and the repair of gaps fetches
them from the venue.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from exchanges.domain.candles import Candle
from exchanges.domain.venues import Venue
from exchanges.market_data.frames import Frame, Unreadable
from exchanges.venues.binance import kline_rows
from exchanges.venues.binance.kline_rows import UnreadableRow
from foundation import metrics

log = structlog.get_logger(__name__)
MOST_WAITING = 20_000  # an hour of two hundred symbols at one a minute, with room
AT_ONCE = 1_000
GATHER_SECONDS = 0.2  # intervals end together: their candles go in one call
FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 30.0
STOP_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class ClosedKline:
    """The last word on a candle, and where it traded."""

    venue: Venue
    symbol: str
    interval: str
    candle: Candle


Write = Callable[[list[ClosedKline]], None]
"""Stores candles; storing one twice must be harmless. Any exception means: try again."""


def read(frame: Frame, *, venue: Venue) -> ClosedKline:
    """Read a closed kline frame. Raise Unreadable."""
    try:
        candle = kline_rows.closed_candle(frame.data["k"])
    except (KeyError, TypeError, UnreadableRow) as error:
        raise Unreadable(f"{frame.stream.name}: {type(error).__name__} {error}") from error
    if candle is None:
        raise Unreadable(f"{frame.stream.name}: the candle still runs")
    return ClosedKline(venue, frame.stream.symbol, frame.stream.interval, candle)


class CandleWriter(threading.Thread):
    """Hands candles to `write` until `stop`, which waits for the last ones."""

    def __init__(
        self,
        write: Write,
        *,
        most_waiting: int = MOST_WAITING,
        first_wait_seconds: float = FIRST_WAIT_SECONDS,
        longest_wait_seconds: float = LONGEST_WAIT_SECONDS,
    ) -> None:
        super().__init__(name="candles", daemon=True)
        self._write = write
        self._most = most_waiting
        self._first, self._longest = first_wait_seconds, longest_wait_seconds
        self._waiting: deque[ClosedKline] = deque()
        self._news = threading.Condition()
        self._stopping = threading.Event()
        self.lost = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, closed: ClosedKline) -> None:
        """Take a candle; never waits."""
        with self._news:
            if len(self._waiting) >= self._most:
                dropped = self._waiting.popleft()
                self.lost += 1
                metrics.CANDLES_CLOSED.labels(*dropped.venue.labels, "lost").inc()
                if self.lost == 1 or self.lost % 1_000 == 0:
                    log.error("closed_candles_lost", count=self.lost)
            self._waiting.append(closed)
            self._news.notify()

    def run(self) -> None:
        wait = self._first
        while not (self._stopping.is_set() and not self._waiting):
            batch = self._gather()
            if not batch:
                continue
            try:
                self._write(batch)
            except Exception as error:  # noqa: BLE001 - whatever a database may raise
                self._put_back(batch)
                _count(batch, "retried")
                log.warning("closed_candles_not_stored", waiting=len(self), error=repr(error))
                if self._stopping.is_set():
                    return
                self._stopping.wait(wait)
                wait = min(self._longest, wait * 2)
            else:
                _count(batch, "stored")
                wait = self._first

    def stop(self) -> None:
        self._stopping.set()
        with self._news:
            self._news.notify()
        self.join(STOP_SECONDS)

    def _gather(self) -> list[ClosedKline]:
        with self._news:
            if not self._waiting:
                self._news.wait(1.0)
            if not self._waiting:
                return []
        self._stopping.wait(GATHER_SECONDS)
        with self._news:
            many = min(len(self._waiting), AT_ONCE)
            return [self._waiting.popleft() for _ in range(many)]

    def _put_back(self, batch: Sequence[ClosedKline]) -> None:
        with self._news:
            room = max(0, self._most - len(self._waiting))
            kept = batch[max(0, len(batch) - room) :] if room else []
            self.lost += len(batch) - len(kept)
            self._waiting.extendleft(reversed(kept))


def _count(batch: Sequence[ClosedKline], outcome: str) -> None:
    for closed in batch:
        metrics.CANDLES_CLOSED.labels(*closed.venue.labels, outcome).inc()
