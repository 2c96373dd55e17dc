"""A circuit breaker around publishing: after failures in a row nothing is tried for a while."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class State(StrEnum):
    CLOSED = "closed"  # all is well
    OPEN = "open"  # nothing is tried
    HALF_OPEN = "half-open"  # one is tried


@dataclass(slots=True)
class Breaker:
    """Times are seconds of a clock that never jumps. `opened` counts how often it opened."""

    failures_to_open: int = 3
    rest_seconds: float = 2.0
    most_rest_seconds: float = 30.0
    state: State = State.CLOSED
    opened: int = 0
    _failures: int = 0
    _rest: float = field(default=0.0)
    _until: float = 0.0

    def allows(self, now: float) -> bool:
        """Tell whether to try now; after the rest one try is let through."""
        if self.state is State.OPEN and now >= self._until:
            self.state = State.HALF_OPEN
        return self.state is not State.OPEN

    def worked(self) -> None:
        self.state, self._failures, self._rest = State.CLOSED, 0, 0.0

    def failed(self, now: float) -> None:
        """Note a failure; each rest after a failed try is twice as long as the one before."""
        self._failures += 1
        if self.state is not State.HALF_OPEN and self._failures < self.failures_to_open:
            return
        if self.state is State.CLOSED:
            self.opened += 1
        self.state = State.OPEN
        self._rest = min(self._rest * 2 or self.rest_seconds, self.most_rest_seconds)
        self._until = now + self._rest
