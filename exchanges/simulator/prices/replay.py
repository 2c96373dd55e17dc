"""Replayed prices: a recording of combined-stream frames, at its own speed or a multiple of it.

Lines are `<local ns> <json>` (gzip or plain), or bare combined-stream JSON (JSONL). Understood
frames: depth snapshots, diff depth, partial depth, bookTicker, trade and aggTrade.
"""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from exchanges.simulator.clock import Clock
from exchanges.simulator.instruments import Listing
from exchanges.simulator.prices.base import FollowsMarket, PriceSink
from exchanges.simulator.prices.local_book import LocalBooks

PRIME_LINES = 2_000  # looked at for a first book before the server starts to answer
BREATH_LINES = 200  # between two turns of the event loop when the recording is behind


class ReplayPrices(FollowsMarket):
    """`speed` 1 is real time, 10 ten times as fast, 0 as fast as it can."""

    def __init__(
        self, path: str, listings: Mapping[str, Listing], clock: Clock, *, speed: float = 1
    ) -> None:
        self._path = Path(path)
        self._clock = clock
        self._speed = speed
        self._books = LocalBooks(listings)
        with self._open():
            pass  # a missing file is told at the start, not from a background task

    def _open(self) -> Any:
        if self._path.suffix == ".gz":
            return gzip.open(self._path, "rb")
        return self._path.open("rb")

    def _frames(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield (nanoseconds, frame); frames without a time of their own get zero."""
        with self._open() as lines:
            for line in lines:
                stamp, brace, rest = line.partition(b"{")
                if not brace:
                    continue
                frame = orjson.loads(brace + rest)
                yield int(stamp) if stamp.strip() else _event_ns(frame), frame

    async def run(self, sink: PriceSink) -> None:
        """Feed the recording once; afterwards the last book stands."""
        began, first = time.monotonic_ns(), 0
        for number, (stamp, frame) in enumerate(self._frames()):
            if stamp and not first:
                first = stamp
            if stamp and self._speed:
                ahead = (stamp - first) / self._speed - (time.monotonic_ns() - began)
                if ahead > 1e6:
                    await asyncio.sleep(ahead / 1e9)
            if number % BREATH_LINES == 0:
                await asyncio.sleep(0)
            self._books.take(frame, sink)

    def prime(self, sink: PriceSink) -> None:
        """Show the first book and trade of the recording at once."""
        books = LocalBooks(self._books.listings)
        for number, (_, frame) in enumerate(self._frames()):
            books.take(frame, sink)
            if number >= PRIME_LINES:
                return


def _event_ns(frame: dict[str, Any]) -> int:
    data = frame.get("data", frame)
    return int(data.get("E", 0)) * 1_000_000
