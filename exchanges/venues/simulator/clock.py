"""The simulator's clock: real time that never runs backwards, and a skewed face for drills."""

from __future__ import annotations

import time


class Clock:
    def __init__(self) -> None:
        self.skew_ms = 0
        self._latest_ms = 0

    def now_ms(self) -> int:
        """Return true time in epoch milliseconds, never less than before."""
        self._latest_ms = max(self._latest_ms, time.time_ns() // 1_000_000)
        return self._latest_ms

    def shown_ms(self) -> int:
        """Return the time the venue claims it is: true time plus the skew of a drill."""
        return self.now_ms() + self.skew_ms
