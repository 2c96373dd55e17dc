"""Replayed prices: recorded frames of a combined stream, at their own pace or a multiple of it.

Lines are `<local ns> <json>` (gzip or plain), or bare combined-stream JSON (JSONL). Understood
frames: depth snapshots, diff depth, partial depth, bookTicker, trade and aggTrade. Several files
are one recording, in the order given; a folder is all of its files by name.
"""

from __future__ import annotations

import asyncio
import gzip
import logging
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from exchanges.venues.simulator.clock import Clock
from exchanges.venues.simulator.instruments import Listing
from exchanges.venues.simulator.prices.base import FollowsMarket, RecordingUnreadable
from exchanges.venues.simulator.prices.local_book import LocalBooks
from exchanges.venues.simulator.prices.recording import Recording, stream_of
from exchanges.venues.simulator.prices.sink import PriceSink

PRIME_LINES = 2_000  # looked at for a first book before the server starts to answer
BREATH_LINES = 50  # between two turns of the event loop when the recording is behind
LOOK_SECONDS = 0.05
AFTER_SECONDS = 20.0
logger = logging.getLogger(__name__)


class ReplayPrices(FollowsMarket):
    """`speed` 1 is real time, 10 ten times as fast, 0 as fast as listeners read.

    It begins `after` seconds after somebody listens to a market stream, so that nobody who is
    started together with the venue misses its beginning.
    """

    def __init__(
        self,
        names: str,
        listings: Mapping[str, Listing],
        clock: Clock,
        *,
        speed: float = 1,
        after: float = AFTER_SECONDS,
    ) -> None:
        self._paths = list(_paths(names))
        self._clock = clock
        self._speed = speed
        self._after = after
        self._listings = listings
        self._has_begun = False
        for path in self._paths:  # told at the start, not from a background task
            check(path)
        self.recording: Recording = Recording(LocalBooks(listings))

    def _frames(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield (nanoseconds, frame); frames without a time of their own get zero."""
        for path in self._paths:
            with _open(path) as lines:
                for line in lines:
                    stamp, brace, rest = line.partition(b"{")
                    if not brace:
                        continue
                    frame = orjson.loads(brace + rest)
                    yield int(stamp) if stamp.strip() else _event_ns(frame), frame

    async def run(self, sink: PriceSink) -> None:
        """Feed the recording once; afterwards the last book stands."""
        while not sink.is_heard():
            await asyncio.sleep(LOOK_SECONDS)
        await asyncio.sleep(self._after)
        logger.warning("the recording begins: %s", ", ".join(map(str, self._paths)))
        self._has_begun = True
        self.recording.books = LocalBooks(self._listings)
        self.recording.now_ms = 0
        began, first = time.monotonic_ns(), 0
        for number, (stamp, frame) in enumerate(self._frames()):
            if stamp and not first:
                first = stamp
            if stamp and self._speed:
                ahead = (stamp - first) / self._speed - (time.monotonic_ns() - began)
                if ahead > 1e6:
                    await asyncio.sleep(ahead / 1e9)
            if number % BREATH_LINES == 0:
                await self._breathe(sink)
            self._tell(frame, stamp, sink)
        logger.warning("the recording is over")

    async def _breathe(self, sink: PriceSink) -> None:
        """Let others work; a recording waits for whoever listens to it, a market would not."""
        await asyncio.sleep(0)
        while sink.is_behind():
            await asyncio.sleep(0.001)

    def _tell(self, frame: dict[str, Any], stamp: int, sink: PriceSink) -> None:
        recording = self.recording
        symbol = recording.books.symbol_of(frame)
        if not symbol:
            return
        recording.note(symbol, frame)
        recording.advance(frame, stamp)
        sink.recorded_until(symbol, recording.now_ms)
        recording.books.take(frame, sink)
        if name := stream_of(frame):
            sink.recorded(symbol, name, frame["data"])

    def prime(self, sink: PriceSink) -> None:
        """Show the first book and trade of the recording at once; later, where it stands."""
        recording = self.recording
        if self._has_begun:
            recording.books.show(sink)
            return
        recording.books = LocalBooks(self._listings)
        for number, (stamp, frame) in enumerate(self._frames()):
            symbol = recording.books.symbol_of(frame)
            if symbol:
                recording.note(symbol, frame)
                if not recording.now_ms:
                    recording.advance(frame, stamp)
                recording.books.take(frame, sink)
            if number >= PRIME_LINES:
                return


def check(path: Path) -> None:
    """Raise RecordingUnreadable unless a file can be opened and begins with a frame."""
    try:
        with _open(path) as lines:
            first = next((line for line in lines if b"{" in line), b"")
    except (OSError, EOFError, zlib.error) as error:
        raise RecordingUnreadable(f"{path}: {error}") from error
    try:
        frame = orjson.loads(first[first.index(b"{") :])
    except ValueError as error:
        raise RecordingUnreadable(
            f"{path} is no recording: lines are `<local ns> <json frame>` or JSON frames, "
            f"gzip or plain ({error})"
        ) from error
    if not isinstance(frame, dict):
        raise RecordingUnreadable(f"{path} is no recording: its first line is no frame")


def _paths(names: str) -> Iterator[Path]:
    for name in names.split(","):
        path = Path(name)
        if path.is_dir():
            yield from _of_folder(path)
        else:
            yield path


def _of_folder(folder: Path) -> Sequence[Path]:
    found = sorted(path for path in folder.iterdir() if path.is_file())
    if not found:
        raise RecordingUnreadable(f"{folder} has no recordings")
    return found


def _open(path: Path) -> Any:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")


def _event_ns(frame: dict[str, Any]) -> int:
    data = frame.get("data", frame)
    return int(data.get("E", 0)) * 1_000_000
