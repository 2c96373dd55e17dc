"""How old what we hear is: the time from event to receipt, and since the last frame of a stream.

This is the first of three separate clocks (feed, strategy, signal to acknowledgement). Frames are
counted in plain numbers and brought to the metrics every two seconds: a metric of its own for each
frame would cost more than the frame.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass

from exchanges.domain.venues import Venue
from exchanges.market_data.bus import Kind
from exchanges.market_data.frames import Frame
from foundation import metrics


@dataclass(slots=True)
class Lag:
    """Of one kind: of the newest frame, and the worst since it was last told. ms."""

    newest: float
    worst: float


class Ages:
    """What one feed has heard."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._counted: Counter[str] = Counter()
        self._heard: dict[tuple[str, str], float] = {}  # monotonic seconds by symbol and kind
        self._lags: dict[Kind, Lag] = {}

    def note(self, frame: Frame) -> None:
        stream = frame.stream
        kind = f"{stream.kind}_{stream.interval}" if stream.interval else str(stream.kind)
        self._counted[kind] += 1
        self._heard[stream.symbol, kind] = time.monotonic()
        lag = frame.lag_ms
        if lag is None:
            return
        known = self._lags.get(stream.kind)
        if known is None:
            self._lags[stream.kind] = Lag(lag, lag)
        else:
            known.newest = lag
            known.worst = max(known.worst, lag)

    def note_other(self, what: str) -> None:
        """Count a frame that is passed on to nobody: `late`, `foreign`."""
        self._counted[what] += 1

    def forget(self, symbols: frozenset[str]) -> None:
        """Drop what is no longer fed: a stream nobody wants is not stale."""
        for symbol, kind in [key for key in self._heard if key[0] not in symbols]:
            del self._heard[symbol, kind]
            metrics.MARKET_STALENESS.labels(*self._venue.labels, symbol, kind).set(0)

    def worst_ms(self) -> float | None:
        """Return the worst lag since it was last told, over all kinds."""
        return max((lag.worst for lag in self._lags.values()), default=None)

    def tell(self) -> None:
        """Bring it to the metrics."""
        counted, self._counted = self._counted, Counter()
        for kind, count in counted.items():
            metrics.MARKET_MESSAGES.labels(*self._venue.labels, kind).inc(count)
        now = time.monotonic()
        for (symbol, kind), heard_at in self._heard.items():
            metrics.MARKET_STALENESS.labels(*self._venue.labels, symbol, kind).set(now - heard_at)
        for kind, lag in self._lags.items():
            metrics.MARKET_LAG.labels(*self._venue.labels, kind).set(lag.newest)
            metrics.MARKET_LAG_WORST.labels(*self._venue.labels, kind).set(lag.worst)
            lag.worst = lag.newest
