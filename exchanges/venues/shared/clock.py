"""The venue's clock, as seen from here. python-binance's sync client never asks for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

MAX_AGE_SECONDS = 600.0


class Clock:
    """Offset between our clock and the venue's, shared by the threads of one process."""

    def __init__(
        self,
        *,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall = wall
        self._steady = steady
        self._lock = threading.Lock()
        self._offset_ms = 0
        self._took_ms = 0
        self._synced_at: float | None = None

    @property
    def offset_ms(self) -> int:
        """Return venue time minus our time in ms; 0 until the first sync."""
        return self._offset_ms

    @property
    def took_ms(self) -> int:
        """Return how long the last question took: half of it is how far the offset may be off."""
        return self._took_ms

    @property
    def is_synced(self) -> bool:
        return self._synced_at is not None

    @property
    def is_stale(self) -> bool:
        return self._synced_at is None or self._steady() - self._synced_at > MAX_AGE_SECONDS

    def doubt(self) -> None:
        """The venue refused our time: take the offset for stale."""
        self._synced_at = None

    def now_ms(self) -> int:
        """Return the venue's time in ms, as best we know."""
        return int(self._wall() * 1000) + self._offset_ms

    def sync(self, ask: Callable[[], int]) -> None:
        """Ask the venue (`ask` returns its ms) and take the offset at half the round trip."""
        started, sent = self._steady(), self._wall()
        venue_ms = ask()
        took = self._steady() - started
        with self._lock:
            self._offset_ms = round(venue_ms - (sent + took / 2) * 1000)
            self._took_ms = round(took * 1000)
            self._synced_at = self._steady()
