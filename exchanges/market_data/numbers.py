"""Which frames are news: streams may tell late or twice, and two lines tell all of it twice."""

from __future__ import annotations

from collections.abc import Iterable

from exchanges.market_data.frames import Frame, Number


class Numbers:
    """The newest number of each stream."""

    def __init__(self) -> None:
        self._newest: dict[str, Number] = {}

    def is_news(self, frame: Frame) -> bool:
        """Note a frame; say whether the venue numbered it after all that are here."""
        newest = self._newest.get(frame.stream.name)
        number = frame.mark.number
        if newest is not None and number <= newest:  # type: ignore[operator]
            return False
        self._newest[frame.stream.name] = number
        return True

    def of(self, symbol: str, ending: str) -> int:
        """Return the newest number of a stream of plain numbers, 0 when there is none."""
        found = self._newest.get(f"{symbol.lower()}@{ending}", 0)
        return found if isinstance(found, int) else 0

    def restart(self, names: Iterable[str]) -> None:
        """Expect any number next: a new line may be to a venue that began anew."""
        for name in names:
            self._newest.pop(name, None)
