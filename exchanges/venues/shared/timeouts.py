"""How long a request may take: little for what leaves or protects, more for what enters.

A short receive window bounds how late a request that got stuck on its way can still be executed,
and a short timeout says sooner that the outcome is unknown. But a short window must not make
orders fail for ever when our clock or the line is off by as much: after two refusals in a row for
the same purpose the normal window applies, and a minute later the short one is tried again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from exchanges.domain.orders import Purpose

REFUSALS_IN_A_ROW = 2
REST_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the venue may take to start on a request, and how long we wait for its answer."""

    recv_window_ms: int
    timeout_seconds: float


class Windows:
    """The patience each purpose gets; None stands for a cancel. One per gateway and thread."""

    def __init__(
        self,
        *,
        normal: Patience,
        urgent: Patience,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self.normal = normal
        self._urgent = Patience(
            min(urgent.recv_window_ms, normal.recv_window_ms),
            min(urgent.timeout_seconds, normal.timeout_seconds),
        )
        self._steady = steady
        self._refused: dict[Purpose | None, int] = {}
        self._rests_until: dict[Purpose | None, float] = {}

    def of(self, purpose: Purpose | None) -> Patience:
        if purpose is Purpose.ENTRY or self._rests(purpose):
            return self.normal
        return self._urgent

    def of_read(self, *, is_long: bool) -> Patience:
        """A read changes nothing, so its window may be wide; only a long list may take long."""
        if is_long:
            return self.normal
        return Patience(self.normal.recv_window_ms, self._urgent.timeout_seconds)

    def note_refused(self, purpose: Purpose | None) -> bool:
        """Count a refused timestamp; return whether the normal window applies from now on."""
        if purpose is Purpose.ENTRY or self._rests(purpose):
            return False
        self._refused[purpose] = self._refused.get(purpose, 0) + 1
        if self._refused[purpose] < REFUSALS_IN_A_ROW:
            return False
        self._rests_until[purpose] = self._steady() + REST_SECONDS
        return True

    def note_taken(self, purpose: Purpose | None) -> None:
        """The venue took a request for this purpose: its short window, if used, was long enough."""
        if not self._rests(purpose):
            self._refused.pop(purpose, None)

    def _rests(self, purpose: Purpose | None) -> bool:
        return self._steady() < self._rests_until.get(purpose, float("-inf"))
