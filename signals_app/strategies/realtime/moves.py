"""What the realtime strategies share: one move is one signal, and how far prices move in a minute.

Times are epoch ms of the market (the venue's where it tells one), never a clock of ours.
"""

from __future__ import annotations

from dataclasses import dataclass

from msgspec import Struct

BUY, SELL = 1, -1
MINUTE_MS = 60_000
ATR_BARS = 14


@dataclass(frozen=True, slots=True)
class Levels:
    """Where a score fires and where it has fallen back far enough to fire again."""

    buy: float
    buy_release: float
    sell: float
    sell_release: float
    cooldown_ms: int

    @classmethod
    def around(
        cls, neutral: float, buy: float, sell: float, *, release: float, cooldown_seconds: float
    ) -> Levels:
        """`release` 0.5: halfway back from the threshold to `neutral`."""
        return cls(
            buy=buy,
            buy_release=neutral + (buy - neutral) * release,
            sell=sell,
            sell_release=neutral + (sell - neutral) * release,
            cooldown_ms=round(cooldown_seconds * 1000),
        )


class Latch(Struct):
    """Which side was said last and is not released yet, and when each side was said last."""

    side: int = 0
    buy_ms: int = 0
    sell_ms: int = 0

    def turn(self, score: float, at_ms: int, levels: Levels, *, may_fire: bool) -> int:
        """Return BUY or SELL when the score says something new, else 0.

        The same side is said again only after the score was back at its release level, and not
        within the cooldown; the other side waits for nothing, so that an exit is never late.
        """
        if (self.side == BUY and score <= levels.buy_release) or (
            self.side == SELL and score >= levels.sell_release
        ):
            self.side = 0
        if not may_fire:
            return 0
        if score >= levels.buy:
            if self.side != BUY and at_ms - self.buy_ms >= levels.cooldown_ms:
                self.side, self.buy_ms = BUY, at_ms
                return BUY
        elif (
            score <= levels.sell
            and self.side != SELL
            and at_ms - self.sell_ms >= levels.cooldown_ms
        ):
            self.side, self.sell_ms = SELL, at_ms
            return SELL
        return 0

    def adopt(self, side: int, at_ms: int) -> None:
        """Take over what was said in an earlier life, unless something newer is known."""
        if at_ms <= max(self.buy_ms, self.sell_ms):
            return
        self.side = side
        if side == BUY:
            self.buy_ms = at_ms
        else:
            self.sell_ms = at_ms


class MinuteBars(Struct):
    """True ranges of up to ATR_BARS minutes, the running one among them, in quote units."""

    minute: int = 0
    high: float = 0.0
    low: float = 0.0
    close: float = 0.0
    before: float = 0.0  # close of the minute before
    ranges: list[float] = []

    def add(self, price: float, at_ms: int) -> None:
        minute = at_ms // MINUTE_MS
        if minute == self.minute:
            if price > self.high:
                self.high = price
            elif price < self.low:
                self.low = price
            self.close = price
            return
        if self.minute:
            self.ranges.append(self._range())
            del self.ranges[: -(ATR_BARS - 1)]
            self.before = self.close
        self.minute = minute
        self.high = self.low = self.close = price

    def atr(self) -> float | None:
        """Return the mean true range of the minutes known, None before anything moved."""
        if not self.minute:
            return None
        known = [*self.ranges, self._range()]
        return sum(known) / len(known) or None

    def _range(self) -> float:
        if not self.before:
            return self.high - self.low
        return max(self.high, self.before) - min(self.low, self.before)


class Clock(Struct):
    """The course of one symbol's frames: what is late or told twice, and where a gap begins."""

    at_ms: int = 0  # of the last frame taken, by the market
    number: int = 0  # its trade or update id
    received_ms: int = 0  # when it came
    since_ms: int = 0  # market time the unbroken course began

    def admits(self, at_ms: int, number: int, received_ms: int, gap_ms: int) -> bool:
        """Tell whether to take a frame; note it if so.

        After `gap_ms` without one that was taken the course begins anew, whatever the numbers say:
        a venue that starts over is not waited for. So it does when the last one was received in
        what is now the future: our clock was set back, or somebody made it up.
        """
        apart_ms = abs(received_ms - self.received_ms)
        is_new_course = apart_ms > gap_ms or at_ms - self.at_ms > gap_ms
        if not is_new_course and (
            at_ms < self.at_ms or (at_ms == self.at_ms and number <= self.number)
        ):
            return False
        if is_new_course:
            self.since_ms = at_ms
        self.at_ms, self.number, self.received_ms = at_ms, number, received_ms
        return True
