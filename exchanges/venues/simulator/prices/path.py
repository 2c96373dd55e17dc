"""A price as a pure function of seed, symbol and time.

Smooth noise in nine octaves, each four times as long and twice as high as the one before, looks
like a random walk up close and never strays more than about one percent from its base. Being a
function of time it needs no state: candles of last week and the next tick come from the same
formula, before and after a restart.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

PERIODS_MS = tuple(2_000 * 4**k for k in range(9))  # 2 seconds ... 1.5 days
LARGEST_SWING = 0.005  # of the slowest octave; all together stay below twice this
SWINGS = tuple(LARGEST_SWING / 2 ** (8 - k) for k in range(9))
MASK = (1 << 64) - 1
CACHE_LIMIT = 200_000


def mix(number: int) -> int:
    """Scatter a 64-bit number (splitmix64's finaliser)."""
    number = (number + 0x9E3779B97F4A7C15) & MASK
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & MASK
    return number ^ (number >> 31)


def fraction(number: int) -> float:
    """Return a scattered value in [0, 1) that depends on `number` alone."""
    return mix(number) / 2**64


@dataclass(slots=True)
class Path:
    """The course of one symbol. `at` returns the deviation from the base as a fraction."""

    salt: int
    moves: bool = True
    _lattice: dict[int, float] = field(default_factory=dict)

    def at(self, time_ms: float, *, shortest_ms: int = 0) -> float:
        """Deviation at a time; octaves shorter than `shortest_ms` may be left out."""
        if not self.moves:
            return 0.0
        total = 0.0
        for octave, period in enumerate(PERIODS_MS):
            if period < shortest_ms:
                continue
            index, rest = divmod(time_ms, period)
            share = rest / period
            share = share * share * (3 - 2 * share)
            left = self._knot(octave, int(index))
            total += SWINGS[octave] * (left + (self._knot(octave, int(index) + 1) - left) * share)
        return total

    def _knot(self, octave: int, index: int) -> float:
        key = index * 16 + octave
        value = self._lattice.get(key)
        if value is None:
            if len(self._lattice) > CACHE_LIMIT:
                self._lattice.clear()
            value = self._lattice[key] = 2 * fraction(self.salt ^ mix(key)) - 1
        return value


def salt_of(seed: int, symbol: str) -> int:
    """Return a number that differs for every seed and symbol and is the same in every process."""
    return mix(seed * 0x1_0000_0000 + zlib.crc32(symbol.encode()))
