"""A realtime strategy over a recorded stream: real books and trades, message by message.

Orders reach the book as it stood when they arrive: the latency after the decision. Protection
follows an entry's fill by a way back and a way there, twice the latency. A resting target waits for
the size that was displayed at its price before it. Equity is looked at once a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import numpy as np
import orjson

from exchanges.domain.books import Book
from exchanges.domain.candles import Candle, Candles
from exchanges.domain.orders import Quote
from exchanges.market_data.bus import Kind
from signals_app.backtest import result
from signals_app.backtest.equity_curve import moment
from signals_app.backtest.result import Result
from signals_app.backtest.setup import Setup, SetupInvalid
from signals_app.backtest.simulated_trader import Desk
from signals_app.backtest.venue import Venue
from signals_app.strategies.emission import Emission
from trading.domain import equity
from trading.domain.equity import Course, Worth

LOOK_EVERY_MS = 1000
TELL_EVERY = 2000  # frames
BOOKS = (Kind.DEPTH, Kind.BEST)
UTC_ZONE = ZoneInfo("UTC")


class Frame(Protocol):
    """One frame of the bus: `raw` is the envelope, `at_ms` when it was received."""

    @property
    def symbol(self) -> str: ...
    @property
    def kind(self) -> Kind: ...
    @property
    def raw(self) -> bytes: ...
    @property
    def at_ms(self) -> int: ...


class Speaks(Protocol):
    """What is asked of a realtime strategy."""

    @property
    def stream(self) -> Kind: ...
    def decode(self, raw: bytes) -> Any: ...
    def take(self, symbol: str, frame: Any, now_ms: int) -> Emission | None: ...


def run(
    strategy: Speaks,
    frames: Iterable[Frame],
    setup: Setup,
    *,
    progress: Callable[[int], None] | None = None,
) -> tuple[Result, Candles]:
    """Run a strategy over frames; return the result and the market as candles of a second.

    `progress` is told how many frames were read, and may raise to stop. Raise SetupInvalid when
    the frames hold no book of the symbol.
    """
    walk = _Walk(strategy, setup)
    for read, frame in enumerate(frames, start=1):
        if progress is not None and read % TELL_EVERY == 0:
            progress(read)
        if frame.symbol == setup.symbol:
            walk.take(frame)
    return walk.result()


class _Walk:
    def __init__(self, strategy: Speaks, setup: Setup) -> None:
        self.strategy, self.setup = strategy, setup
        self.venue = Venue(setup, queue_at_touch=True)
        self.desk = Desk(setup, self.venue, protects_after_ms=2 * setup.costs.latency_ms)
        self.quote: Quote | None = None
        self.book: Book | None = None
        self.bars: dict[int, list[float]] = {}  # by second: open, high, low, close, volume
        self.course: Course | None = None
        self.looked: list[int] = []
        self.marks: list[float] = []
        self.equity: list[float] = []
        self.held: list[float] = []
        self._now = 0
        self._looks_at = 0

    def take(self, frame: Frame) -> None:
        """Have everything happen that was due before a frame, then the frame."""
        self._pass_time(frame.at_ms)
        self._now = max(self._now, frame.at_ms)
        if frame.kind in BOOKS:
            self._see_book(orjson.loads(frame.raw)["data"])
        elif frame.kind is Kind.TRADE:
            self._see_trade(orjson.loads(frame.raw)["data"])
        if self.quote is not None and self._now >= self._looks_at:
            self._look()
        if frame.kind is self.strategy.stream:
            said = self.strategy.take(frame.symbol, self.strategy.decode(frame.raw), frame.at_ms)
            if said is not None:
                self._hear(said)

    def result(self) -> tuple[Result, Candles]:
        if len(self.looked) < 2:
            raise SetupInvalid(
                "stream", f"it has no books of {self.setup.symbol} over two seconds or more"
            )
        self._look()
        found = result.of(
            self.desk,
            self.setup,
            looked_ms=np.array(self.looked, dtype=np.int64),
            marks=np.array(self.marks),
            equity=np.array(self.equity),
            held=np.array(self.held),
            first_price=self.marks[0],
            began_ms=self.looked[0] - 1,
        )
        rows = [_candle(at, bar) for at, bar in sorted(self.bars.items())]
        return found, Candles.of(self.setup.symbol, "1s", rows)

    # ---- the market --------------------------------------------------------------------------

    def _pass_time(self, until_ms: int) -> None:
        """Have orders and protection arrive that were on their way, in their order."""
        while True:
            due = [(w.arrives_ms, w) for w in self.desk.on_the_way if w.arrives_ms <= until_ms]
            protects = self.desk.protects_at
            first = min((at for at, _ in due), default=None)
            if self.quote is None:
                return
            if (
                protects is not None
                and protects <= until_ms
                and (first is None or protects < first)
            ):
                self._now = max(self._now, protects)
                self.desk.protect(self.quote, self._now)
            elif due:
                at, waiting = min(due, key=lambda one: one[0])
                self._now = max(self._now, at)
                self.desk.arrive(waiting, self.quote, self._now)
            else:
                return

    def _see_book(self, data: dict[str, Any]) -> None:
        if "bids" in data:
            bids, asks = _levels(data["bids"]), _levels(data["asks"])
        else:
            bids, asks = _levels([[data["b"], data["B"]]]), _levels([[data["a"], data["A"]]])
        if not bids or not asks or bids[0][0] >= asks[0][0]:
            return
        at = moment(self._now)
        self.book = Book(self.setup.symbol, bids, asks, at)
        self.quote = self.book.quote()
        fills = self.venue.show(bids, asks, self._now)
        if fills and self.quote is not None:
            self.desk.took(fills, self.quote, self._now)

    def _see_trade(self, data: dict[str, Any]) -> None:
        price, quantity = Decimal(data["p"]), Decimal(data["q"])
        if price <= 0 or quantity <= 0:
            return
        self._draw(int(data["T"]) // 1000, float(price), float(quantity))
        fills = self.venue.print(price, quantity, self._now, buyer_is_maker=bool(data["m"]))
        if fills and self.quote is not None:
            self.desk.took(fills, self.quote, self._now)

    def _draw(self, second: int, price: float, quantity: float) -> None:
        bar = self.bars.get(second)
        if bar is None:
            self.bars[second] = [price, price, price, price, quantity]
            return
        bar[1], bar[2] = max(bar[1], price), min(bar[2], price)
        bar[3] = price
        bar[4] += quantity

    # ---- our side ----------------------------------------------------------------------------

    def _hear(self, said: Emission) -> None:
        if self.quote is None or self.book is None:
            return
        worth, now = self._worth(), moment(self._now)
        course = equity.follow(self.course, worth, now=now, desk=UTC_ZONE)
        self.desk.hear(
            said,
            quote=self.quote,
            book=self.book,
            equity=worth.equity,
            falls=equity.falls(course, worth),
            now_ms=self._now,
        )

    def _worth(self) -> Worth:
        instrument = self.venue.instrument
        cash, base = (
            self.venue.holds(instrument.quote_asset),
            self.venue.holds(instrument.base_asset),
        )
        total = cash + base * self._mid()
        return Worth(total, total - self.setup.cash)

    def _mid(self) -> Decimal:
        assert self.quote is not None
        return self.quote.mid

    def _look(self) -> None:
        """Mark the account; a second look in the same millisecond replaces the first."""
        worth = self._worth()
        at: datetime = moment(self._now)
        self.course = equity.follow(self.course, worth, now=at, desk=UTC_ZONE)
        if self.looked and self.looked[-1] >= self._now:
            for column in (self.looked, self.marks, self.equity, self.held):
                column.pop()
        self.looked.append(self._now)
        self.marks.append(float(self._mid()))
        self.equity.append(float(worth.equity))
        self.held.append(float(self.venue.holds(self.venue.instrument.base_asset)))
        self._looks_at = self._now - self._now % LOOK_EVERY_MS + LOOK_EVERY_MS


def _candle(second: int, bar: list[float]) -> Candle:
    first, high, low, last, volume = bar
    return Candle(second * 1000, first, high, low, last, volume, 0.0, 0, 0.0, 0.0)


def _levels(rows: Iterable[Any]) -> tuple[tuple[Decimal, Decimal], ...]:
    return tuple((Decimal(price), Decimal(quantity)) for price, quantity in rows)
