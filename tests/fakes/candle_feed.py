"""A history and a bus for candle runs: told what they hold, they remember what was asked."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from exchanges.domain.candles import Candle, Candles, length_ms
from exchanges.domain.venues import Venue
from signals_app.gateways.emitter import Said
from signals_app.gateways.nats import BusUnavailable


class FakeHistory:
    """Candles that rise steadily; the newest one jumps on four times the volume."""

    def __init__(self, newest_closes_at: datetime) -> None:
        self.newest_closes_at = newest_closes_at
        self.missing: set[int] = set()
        self.kept = 10_000
        self.loads: Counter[tuple[str, str]] = Counter()

    def lose(self, back: int) -> None:
        """Have a candle missing, `back` candles before the newest."""
        self.missing.add(back)

    def come_late(self) -> None:
        """Have the newest candle not there yet."""
        self.missing.add(0)

    def arrive(self) -> None:
        self.missing.clear()

    def keep_only(self, count: int) -> None:
        self.kept = count

    def load(self, *, venue: Venue, symbol: str, interval: str, end_ms: int, last: int) -> Candles:
        self.loads[symbol, interval] += 1
        length = length_ms(interval)
        closes_ms = int(self.newest_closes_at.timestamp() * 1000) // length * length
        there = [back for back in range(min(last + 10, self.kept)) if back not in self.missing]
        rows = [_candle(closes_ms - (back + 1) * length, back) for back in there]
        known = [row for row in rows if row.opened_ms < end_ms][:last]
        return Candles.of(symbol, interval, known[::-1])


def _candle(opened_ms: int, back: int) -> Candle:
    if back == 0:
        return Candle(opened_ms, 200.0, 204.1, 199.9, 204.0, 400.0, 8e4, 9, 200.0, 4e4)
    wave = 0.2 if back % 2 else -0.2
    return Candle(opened_ms, 200.0, 200.5, 199.5, 200.0 + wave, 100.0, 2e4, 9, 50.0, 1e4)


class FakeBus:
    """Keeps one message for each uid, as JetStream does."""

    def __init__(self) -> None:
        self.kept: dict[str, Said] = {}
        self.told = 0
        self.is_down = False
        self._lock = threading.Lock()

    def go_down(self) -> None:
        self.is_down = True

    def come_back(self) -> None:
        self.is_down = False

    def publish(self, every: Iterable[Said], *, name: str) -> None:
        if self.is_down:
            raise BusUnavailable("the bus is down")
        with self._lock:
            for said in every:
                self.told += 1
                self.kept.setdefault(said.emission.uid, said)


def quarter_past(hour: int = 10) -> datetime:
    """Return a moment at which a 15m candle, and no longer one, has just closed."""
    return datetime(2024, 3, 4, hour, 15, tzinfo=UTC) + timedelta(seconds=1)
