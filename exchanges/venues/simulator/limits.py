"""Request weight per address, and bans. (Orders per account are counted by the engine.)

Windows are aligned to the clock. A limit of zero counts but never refuses.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from exchanges.venues.simulator import refusals

MINUTE_MS = 60_000
DAY_MS = 86_400_000
FIRST_BAN_MS = 2 * MINUTE_MS
LONGEST_BAN_MS = 3 * DAY_MS
BEYOND_NEED = 10_000_000
DEFIANCES_BEFORE_BAN = 10  # calls after a 429, inside its window, that the venue still forgives


@dataclass(frozen=True, slots=True)
class Allowance:
    """What the venue allows. Zero switches the refusal off, never the counting."""

    weight_per_minute: int = 6000
    orders_per_ten_seconds: int = 100
    orders_per_day: int = 200_000
    defiances_before_ban: int = DEFIANCES_BEFORE_BAN

    def announced(self) -> list[dict[str, object]]:
        """Return exchangeInfo `rateLimits`; who does not refuse announces more than anyone needs,
        or well-behaved clients would hold themselves back."""
        return [
            _limit("REQUEST_WEIGHT", "MINUTE", 1, self.weight_per_minute or BEYOND_NEED),
            _limit("ORDERS", "SECOND", 10, self.orders_per_ten_seconds or BEYOND_NEED),
            _limit("ORDERS", "DAY", 1, self.orders_per_day or BEYOND_NEED),
            _limit("RAW_REQUESTS", "MINUTE", 5, 300_000),
        ]


def _limit(kind: str, interval: str, number: int, limit: int) -> dict[str, object]:
    return {
        "rateLimitType": kind,
        "interval": interval,
        "intervalNum": number,
        "limit": limit,
    }


@dataclass(slots=True)
class Window:
    """A counter that starts anew at each multiple of its length."""

    length_ms: int
    started_ms: int = -1
    used: int = 0

    def count(self, now_ms: int) -> int:
        start = now_ms - now_ms % self.length_ms
        if start != self.started_ms:
            self.started_ms, self.used = start, 0
        return self.used

    def add(self, amount: int, now_ms: int) -> int:
        self.used = max(0, self.count(now_ms) + amount)
        return self.used

    def seconds_left(self, now_ms: int) -> int:
        return (self.length_ms - now_ms % self.length_ms) // 1000 + 1


@dataclass(slots=True)
class Caller:
    """One address: weight used this minute, and its record of ignoring refusals."""

    weight: Window = field(default_factory=lambda: Window(MINUTE_MS))
    defiances: int = 0
    bans: int = 0
    banned_until_ms: int = 0


class Limits:
    """What every address has used, and the refusals that follow from it."""

    def __init__(self, allowance: Allowance) -> None:
        self.allowance = allowance
        self._callers: dict[str, Caller] = {}

    def admit(self, address: str, weight: int, now_ms: int) -> None:
        """Raise Refusal 418 or 429 when `address` may not spend `weight` now; spends nothing."""
        caller = self._callers.setdefault(address, Caller())
        if caller.banned_until_ms > now_ms:
            raise self._ban_refusal(caller, now_ms)
        limit = self.allowance.weight_per_minute
        if not limit or caller.weight.count(now_ms) + weight <= limit:
            if caller.weight.used == 0:
                caller.defiances = 0
            return
        caller.defiances += 1
        if caller.defiances > self.allowance.defiances_before_ban:
            self._ban(caller, now_ms)
            raise self._ban_refusal(caller, now_ms)
        raise refusals.too_much_weight(limit, caller.weight.seconds_left(now_ms))

    def ban(self, address: str, seconds: float, now_ms: int) -> None:
        """Ban an address by order of the operator of the simulator."""
        caller = self._callers.setdefault(address, Caller())
        caller.banned_until_ms = now_ms + int(seconds * 1000)

    def forgive(self) -> None:
        """Forget every count and ban."""
        self._callers.clear()

    def _ban(self, caller: Caller, now_ms: int) -> None:
        length = min(LONGEST_BAN_MS, FIRST_BAN_MS * 2**caller.bans)
        caller.bans += 1
        caller.defiances = 0
        caller.banned_until_ms = now_ms + length

    def _ban_refusal(self, caller: Caller, now_ms: int) -> refusals.Refusal:
        left = (caller.banned_until_ms - now_ms) // 1000 + 1
        return refusals.banned(caller.banned_until_ms, left)

    def spend(self, address: str, weight: int, now_ms: int) -> int:
        """Book `weight` to an address. Returns what it has used this minute."""
        return self._callers.setdefault(address, Caller()).weight.add(weight, now_ms)
