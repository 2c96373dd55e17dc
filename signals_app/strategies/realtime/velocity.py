"""Ticker velocity: how fast did the price move over the window?

    change   = 100 * (price now / price then - 1)          % over the window
    velocity = change / (time between them in minutes)     % per minute

"Then" is the newest ticker at least `time_window` seconds old. Buys when velocity rises to
`buy_threshold` while the change is at least `min_price_change`, sells the other way round.

Confidence is 1 - 0.5 * threshold / |velocity|: one half at the threshold, three quarters at twice
that speed, towards 1 beyond. It says how fast it is, not how likely a profit.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Struct, field

from exchanges.market_data.bus import Kind as Stream
from signals_app.payload.draft import Action
from signals_app.strategies.emission import Emission
from signals_app.strategies.realtime import frames
from signals_app.strategies.realtime.frames import TickerFrame
from signals_app.strategies.realtime.moves import BUY, MINUTE_MS, Clock, Latch, Levels, MinuteBars
from signals_app.strategies.spec import Family, Kind, Param, StrategySpec

ID = "ticker_velocity"
NAME = "TICKER_VELOCITY"
SAMPLES = 600  # tickers kept over a window, however often they come

SPEC = StrategySpec(
    strategy_id=ID,
    title="Ticker velocity",
    kind=Kind.REALTIME,
    family=Family.TREND,
    formula=(
        "Velocity is the price change over the window in percent per minute. Buys when it rises to "
        "the buy threshold, sells when it falls to the sell threshold, if the change over the "
        "window is at least the least change."
    ),
    reference="Jegadeesh, Titman: Returns to buying winners and selling losers (1993), at seconds",
    params=(
        Param(
            "time_window",
            60,
            1,
            3600,
            "s",
            "Time over which the price is compared.",
            env=f"{NAME}_TIME_WINDOW",
        ),
        Param(
            "buy_threshold",
            0.5,
            0.001,
            1000,
            "% per minute",
            "Buy from this velocity on.",
            env=f"{NAME}_BUY_THRESHOLD",
        ),
        Param(
            "sell_threshold",
            -0.5,
            -1000,
            -0.001,
            "% per minute",
            "Sell from this velocity down.",
            env=f"{NAME}_SELL_THRESHOLD",
        ),
        Param(
            "min_price_change",
            0.1,
            0,
            100,
            "% over the window",
            "Say nothing while the price changed less.",
            env=f"{NAME}_MIN_PRICE_CHANGE",
        ),
        Param(
            "release",
            0.25,
            0,
            0.95,
            "part of the way",
            "The same side is said again after the velocity fell back to this part of its "
            "threshold.",
            env=f"{NAME}_RELEASE",
        ),
        Param(
            "cooldown_seconds",
            300,
            0,
            86_400,
            "s",
            "The same side is not said again before.",
            env=f"{NAME}_COOLDOWN_SECONDS",
        ),
        Param(
            "gap_seconds",
            30,
            1,
            3600,
            "s",
            "Silence after which the window starts anew.",
            env=f"{NAME}_GAP_SECONDS",
        ),
    ),
    presets={
        "recommended": {
            "time_window": 30,
            "buy_threshold": 0.03,
            "sell_threshold": -0.03,
            "min_price_change": 0.01,
        },
    },
    first_mode="live",
    confidence="1 - 0.5 * threshold / velocity: 0.5 at the threshold, 0.75 at twice that speed.",
)


class State(Struct):
    clock: Clock
    latch: Latch = field(default_factory=Latch)
    bars: MinuteBars = field(default_factory=MinuteBars)
    seen: list[tuple[int, float]] = []
    velocity: float = 0.0


_states = msgspec.msgpack.Decoder(State)


class TickerVelocity:
    """Tickers in, what they say out; one state for each symbol."""

    spec = SPEC
    stream = Stream.TICKER

    def __init__(self, params: Mapping[str, float]) -> None:
        self._states: dict[str, State] = {}
        self.tune(params)

    def tune(self, params: Mapping[str, float]) -> None:
        """Take other parameters; a longer window fills before anything is said again."""
        self._window_ms = round(params["time_window"] * 1000)
        self._apart_ms = self._window_ms // SAMPLES
        self._least_change = params["min_price_change"]
        self._gap_ms = round(params["gap_seconds"] * 1000)
        self._levels = Levels.around(
            0.0,
            params["buy_threshold"],
            params["sell_threshold"],
            release=params["release"],
            cooldown_seconds=params["cooldown_seconds"],
        )

    @staticmethod
    def decode(raw: bytes) -> TickerFrame:
        return frames.ticker(raw)

    def take(self, symbol: str, frame: TickerFrame, now_ms: int) -> Emission | None:
        """Return what this ticker says; its own time moves the window."""
        at_ms, price = frame.data.at_ms, frame.data.last
        state = self._states.get(symbol)
        if state is None:
            state = self._states[symbol] = State(Clock())
        clock = state.clock
        if not clock.admits(at_ms, 0, now_ms, self._gap_ms):
            return None
        seen = state.seen
        if clock.since_ms == at_ms:
            seen.clear()
        oldest = at_ms - self._window_ms
        while len(seen) > 1 and seen[1][0] <= oldest:
            del seen[0]
        state.bars.add(price, at_ms)
        if not seen or at_ms - seen[-1][0] >= self._apart_ms:
            seen.append((at_ms, price))
        then_ms, then = seen[0]
        if then_ms > oldest:
            return None  # the window is not full yet
        change = 100 * (price / then - 1)
        velocity = state.velocity = change * MINUTE_MS / (at_ms - then_ms)
        side = state.latch.turn(
            velocity, at_ms, self._levels, may_fire=abs(change) >= self._least_change
        )
        return self._said(symbol, state, side, price, change) if side else None

    def _said(self, symbol: str, state: State, side: int, price: float, change: float) -> Emission:
        threshold = self._levels.buy if side == BUY else self._levels.sell
        velocity, seconds = state.velocity, (state.clock.at_ms - state.seen[0][0]) / 1000
        return Emission(
            strategy_id=ID,
            symbol=symbol,
            action=Action.BUY if side == BUY else Action.SELL,
            confidence=1 - 0.5 * threshold / velocity,
            at_ms=state.clock.at_ms,
            price=price,
            rationale=(
                f"The price moved {change:+.3f} % in {seconds:.0f} s, {velocity:+.3f} % per minute "
                f"(threshold {threshold:+g})."
            ),
            indicators={
                "velocity_percent_per_minute": velocity,
                "change_percent": change,
                "window_seconds": seconds,
            },
            atr=state.bars.atr(),
            account_levels=True,
        )

    def score(self, symbol: str) -> float | None:
        """Return the velocity as it stands, None for a symbol not seen."""
        state = self._states.get(symbol)
        return state.velocity if state and state.seen else None

    def adopt(self, symbol: str, side: int, at_ms: int) -> None:
        """Take over what was said of a symbol in an earlier life."""
        self._states.setdefault(symbol, State(Clock())).latch.adopt(side, at_ms)

    def snapshot(self, symbol: str) -> bytes | None:
        state = self._states.get(symbol)
        return None if state is None else msgspec.msgpack.encode(state)

    def restore(self, symbol: str, raw: bytes) -> None:
        """Go on from a snapshot. Raise FrameInvalid when it is none of ours."""
        self._states[symbol] = frames.restored(_states, raw)

    def forget(self, symbol: str) -> None:
        self._states.pop(symbol, None)
