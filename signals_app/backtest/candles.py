"""A technical strategy over closed candles.

Time is walked from one candle where something can happen to the next: a call, an order that
arrives, a resting stop or target within the candle's range. All others are only marked, as one
array operation. Within a candle, in this order:

1. at its open, resting orders that the open has already passed;
2. orders on their way arrive: at the open or, with latency, at a price that has moved against us
   from the open by three times the share of the candle that has gone by, at most to its extreme;
3. the low, then the high: a stop comes before a target when both lie in one candle;
4. at its close, what the strategy says of it is decided on, at the close's price.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal

import numpy as np

from exchanges.domain.books import Book
from exchanges.domain.candles import Candles, length_ms
from exchanges.domain.orders import Quote
from signals_app.backtest import result
from signals_app.backtest.equity_curve import Curve, moment
from signals_app.backtest.result import Result
from signals_app.backtest.setup import Setup, SetupInvalid
from signals_app.backtest.simulated_trader import Desk
from signals_app.backtest.venue import Venue
from signals_app.strategies.technical.base import Calls, TechnicalStrategy, emission
from trading.domain.intents import IntentKind

Progress = Callable[[float], None]
ADVERSE = 3  # of a candle's thirds, the first goes from the open to the extreme against us
TELL_EVERY = 512  # candles that were looked at
FIRST_CHUNK, LARGEST_CHUNK = 128, 32_768
Piece = tuple[int, int, float, float, float]  # opened_ms, length, open, high, low


def run(
    strategy: TechnicalStrategy,
    candles: Candles,
    setup: Setup,
    *,
    finer: Candles | None = None,
    progress: Progress | None = None,
    calls: Calls | None = None,
) -> Result:
    """Run a strategy over candles. `finer` candles of the same symbol, where there are any, tell
    whether a stop or a target came first. `progress` is told shares done, and may raise to stop.

    Raise SetupInvalid when there is nothing to run on.
    """
    _check(candles, setup)
    said = calls if calls is not None else strategy.calls(candles, setup.params)
    if len(said) != len(candles):
        raise SetupInvalid("strategy", f"it answered {len(said)} of {len(candles)} candles")
    walk = _Walk(strategy, candles, said, setup, finer)
    walk.go(progress)
    return walk.result()


def _check(candles: Candles, setup: Setup) -> None:
    if len(candles) < 2:
        raise SetupInvalid("candles", f"{len(candles)} candles are too few: load at least 2")
    if candles.symbol != setup.symbol:
        raise SetupInvalid("symbol", f"the candles are of {candles.symbol}, not {setup.symbol}")
    if (np.diff(candles.opened_ms) <= 0).any():
        raise SetupInvalid("candles", "they are not in order, or one comes twice")
    columns = np.stack((candles.open, candles.high, candles.low, candles.close))
    bad = ~np.isfinite(columns).all(axis=0) | (columns <= 0).any(axis=0)
    bad |= (candles.low > columns.min(axis=0)) | (candles.high < columns.max(axis=0))
    if bad.any():
        where = moment(int(candles.opened_ms[int(np.argmax(bad))]))
        raise SetupInvalid("candles", f"the candle of {where:%Y-%m-%d %H:%M:%S} is not one")


class _Walk:
    def __init__(
        self,
        strategy: TechnicalStrategy,
        candles: Candles,
        calls: Calls,
        setup: Setup,
        finer: Candles | None,
    ) -> None:
        self.strategy, self.candles, self.calls, self.setup = strategy, candles, calls, setup
        self.venue = Venue(setup)
        self.desk = Desk(setup, self.venue)
        self.length = length_ms(candles.interval)
        self.closed_ms = candles.opened_ms + self.length
        self.curve = Curve(self.closed_ms, candles.close, setup.cash)
        self.count = len(candles)
        self.finer = finer if finer is not None and len(finer) else None
        self._clock = 0
        self._touch = self.count
        self._watched: tuple[Decimal | None, Decimal | None] = (None, None)
        self._arrivals: dict[str, int] = {}

    def go(self, progress: Progress | None) -> None:
        called = np.flatnonzero(self.calls.side).tolist()
        next_call, looked = 0, 0
        while True:
            call = called[next_call] if next_call < len(called) else self.count
            at = min(call, self._touch, *self._arrivals.values(), self.count)
            if at >= self.count:
                break
            self._candle(at)
            if at == call:
                self._hear(at)
                next_call += 1
            self._watch(at)
            looked += 1
            if progress is not None and looked % TELL_EVERY == 0:
                progress(at / self.count)
        self.curve.fill_to(self.count)
        if progress is not None:
            progress(1.0)

    def result(self) -> Result:
        candles = self.candles
        return result.of(
            self.desk,
            self.setup,
            looked_ms=self.closed_ms,
            marks=candles.close,
            equity=self.curve.equity,
            held=self.curve.held,
            first_price=float(candles.open[0]),
            began_ms=int(candles.opened_ms[0]),
        )

    # ---- one candle --------------------------------------------------------------------------

    def _candle(self, at: int) -> None:
        """Have everything happen that this candle makes happen."""
        desk, before = self.desk, self.desk.version
        opened = int(self.candles.opened_ms[at])
        if at == self._touch:
            self._pass(float(self.candles.open[at]), opened, at_open=True)
        entered_ms = self._arrive(at)
        if desk.levels != (None, None):
            for piece in self._pieces(at, entered_ms):
                self._walk_through(piece)
        if desk.version != before:
            quote, base = desk.instrument.quote_asset, desk.instrument.base_asset
            self.curve.change(at, self.venue.holds(quote), self.venue.holds(base))

    def _arrive(self, at: int) -> int:
        """Have the orders arrive that are due in this candle; return when the last one did."""
        last = 0
        for waiting in list(self.desk.on_the_way):
            if self._arrivals[waiting.uid] != at:
                continue
            del self._arrivals[waiting.uid]
            opened = int(self.candles.opened_ms[at])
            now = max(waiting.arrives_ms, opened)
            price = self._met(at, (now - opened) / self.length, waiting.kind)
            now = self._at(now)
            self._take_notice(price, now)
            self.desk.arrive(waiting, self._quote(price, now), now)
            last = now
        return last

    def _met(self, at: int, gone: float, kind: IntentKind) -> Decimal:
        """Return the price an order meets when a share of its candle has gone by."""
        candles = self.candles
        first = float(candles.open[at])
        worst = float((candles.high if kind is IntentKind.OPEN_LONG else candles.low)[at])
        if not gone:
            return _money(first)
        return _money(round(first + (worst - first) * min(1.0, ADVERSE * gone), 8))

    def _pieces(self, at: int, entered_ms: int) -> Iterator[Piece]:
        """Yield the candle, or the finer ones it is made of, from the last arrival on."""
        candles, finer = self.candles, self.finer
        opened = int(candles.opened_ms[at])
        if finer is not None:
            length = length_ms(finer.interval)
            start = int(np.searchsorted(finer.opened_ms, max(opened, entered_ms - length + 1)))
            stop = int(np.searchsorted(finer.opened_ms, opened + self.length))
            if stop > start:
                for i in range(start, stop):
                    yield (
                        int(finer.opened_ms[i]),
                        length,
                        float(finer.open[i]),
                        float(finer.high[i]),
                        float(finer.low[i]),
                    )
                return
        first, high, low = (float(c[at]) for c in (candles.open, candles.high, candles.low))
        yield opened, self.length, first, high, low

    def _walk_through(self, piece: Piece) -> None:
        opened, length, first, high, low = piece
        self._pass(first, opened, at_open=True)
        self._pass(low, opened + length // 3, at_open=False)
        self._pass(high, opened + 2 * length // 3, at_open=False)

    def _pass(self, price: float, now_ms: int, *, at_open: bool) -> None:
        """Move the market to a price: what rests on the way acts at its own level, and what an
        open jumps over acts at the open."""
        for _ in range(4):
            low, high = self.desk.levels
            if low is not None and price <= float(low):
                level = low
            elif high is not None and price >= float(high):
                level = high
            else:
                return
            before = self.desk.version
            now = self._at(now_ms)
            met = _money(price) if at_open else level
            self._take_notice(met, now)
            if self.desk.version == before:
                return

    def _take_notice(self, price: Decimal, now_ms: int) -> None:
        fills = self.venue.move_to(price, now_ms)
        self.desk.took(fills, self._quote(price, now_ms), now_ms)

    # ---- calls -------------------------------------------------------------------------------

    def _hear(self, at: int) -> None:
        closed = int(self.closed_ms[at])
        if self.calls.side[at] < 0 and self.desk.hear_idle_sale(closed):
            return
        said = emission(self.strategy, self.candles, self.calls, at)
        price = _money(float(self.candles.close[at]))
        equity, falls = self.curve.falls(at)
        bids, asks = self.venue.made_book(price, slipped=False)
        now = moment(closed)
        waiting = self.desk.hear(
            said,
            quote=self._quote(price, closed),
            book=Book(self.setup.symbol, bids[:1], asks, now),
            equity=equity,
            falls=falls,
        )
        if waiting is not None:
            self._arrivals[waiting.uid] = self._arrives_in(waiting.arrives_ms, at)

    def _arrives_in(self, arrives_ms: int, at: int) -> int:
        """Return the candle an order meets: the next one at the earliest, past any gap."""
        found = int(np.searchsorted(self.candles.opened_ms, arrives_ms, side="right")) - 1
        if arrives_ms >= int(self.closed_ms[found]):
            found += 1
        return max(found, at + 1)

    # ---- what rests --------------------------------------------------------------------------

    def _watch(self, at: int) -> None:
        """Find the next candle in which something that rests can act."""
        levels = self.desk.levels
        if levels == self._watched and self._touch > at:
            return
        self._watched = levels
        self._touch = self._first_touch(at + 1, *levels)

    def _first_touch(self, start: int, low: Decimal | None, high: Decimal | None) -> int:
        if low is None and high is None:
            return self.count
        below = -np.inf if low is None else float(low)
        above = np.inf if high is None else float(high)
        chunk = FIRST_CHUNK
        while start < self.count:
            stop = min(start + chunk, self.count)
            touched = (self.candles.low[start:stop] <= below) | (
                self.candles.high[start:stop] >= above
            )
            first = int(np.argmax(touched))
            if touched[first]:
                return start + first
            start, chunk = stop, min(chunk * 4, LARGEST_CHUNK)
        return self.count

    def _quote(self, price: Decimal, now_ms: int) -> Quote:
        bids, asks = self.venue.made_book(price, slipped=False)
        (bid, bid_size), (ask, ask_size) = bids[0], asks[0]
        return Quote(self.setup.symbol, bid, bid_size, ask, ask_size, moment(now_ms))

    def _at(self, now_ms: int) -> int:
        """Return a moment for the venue, whose clock never runs backwards."""
        self._clock = max(self._clock, now_ms)
        return self._clock


def _money(value: float) -> Decimal:
    return Decimal(repr(value))
