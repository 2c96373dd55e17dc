"""What waits to be published: in order, bounded, and choosy about what is left behind.

Frames leave in the order they came, whatever their kind. When too much waits, the oldest of what
the next frame makes up for (tickers, best prices, books, candles that still run) is dropped and
counted. Trades and closed candles have a bound of their own, which is larger; one of those that is
dropped is an error.
"""

from __future__ import annotations

from collections import Counter, deque

from exchanges.market_data.frames import Frame

MOST_CHEAP = 20_000
MOST_DEAR = 200_000
EMPTY_PLACES = 1_000  # that dropped frames may leave before they are swept up


class Outbox:
    """A queue of frames for one reader."""

    def __init__(self, *, most_cheap: int = MOST_CHEAP, most_dear: int = MOST_DEAR) -> None:
        self._most = {False: most_cheap, True: most_dear}
        self._order: deque[list[Frame | None]] = deque()  # a dropped frame leaves its place empty
        self._lines: dict[bool, deque[list[Frame | None]]] = {False: deque(), True: deque()}
        self.dropped: Counter[str] = Counter()  # by kind
        self.lost = 0  # dear ones

    def __len__(self) -> int:
        return sum(len(line) for line in self._lines.values())

    @property
    def dear(self) -> int:
        return len(self._lines[True])

    def put(self, frame: Frame) -> None:
        is_dear = frame.is_dear
        line = self._lines[is_dear]
        if len(line) >= self._most[is_dear]:
            self._drop_oldest(line)
        place: list[Frame | None] = [frame]
        line.append(place)
        self._order.append(place)

    def _drop_oldest(self, line: deque[list[Frame | None]]) -> None:
        place = line.popleft()
        frame, place[0] = place[0], None
        if frame is not None:
            self.dropped[frame.stream.kind] += 1
            self.lost += frame.is_dear
        if len(self._order) > 2 * len(self) + EMPTY_PLACES:
            self._order = deque(place for place in self._order if place[0] is not None)

    def take(self, most: int) -> list[Frame]:
        """Take the oldest frames out, at most so many."""
        taken: list[Frame] = []
        while self._order and len(taken) < most:
            frame = self._order.popleft()[0]
            if frame is not None:
                self._lines[frame.is_dear].popleft()
                taken.append(frame)
        return taken

    def put_back(self, frames: list[Frame]) -> None:
        """Put frames that were taken out where they came from."""
        for frame in reversed(frames):
            place: list[Frame | None] = [frame]
            self._order.appendleft(place)
            self._lines[frame.is_dear].appendleft(place)
