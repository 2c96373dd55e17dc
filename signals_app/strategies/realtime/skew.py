"""Order book skew: is more wanted than offered at the top of the book?

    skew = bid volume / ask volume        over the first `top_levels` levels of each side

Volumes are base units; each side's volume is averaged over `smoothing_seconds` first (exponential,
half-life), since a single book of a liquid pair flickers ten times a second. Above `buy_threshold`
buyers press, below `sell_threshold` sellers do. The spread, 100 * (best ask - best bid) / mid in
percent, must be at least `min_spread_percent` at that moment.

Confidence is 1 - 0.5 * ln(threshold) / ln(skew): one half at the threshold, three quarters at the
threshold squared, towards 1 beyond. It says how one-sided the book is, not how likely a profit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import msgspec
from msgspec import Struct, field

from exchanges.market_data.bus import Kind as Stream
from signals_app.payload.draft import Action
from signals_app.strategies.emission import Emission
from signals_app.strategies.realtime import frames
from signals_app.strategies.realtime.frames import DepthFrame
from signals_app.strategies.realtime.moves import BUY, Clock, Latch, Levels, MinuteBars
from signals_app.strategies.spec import Family, Kind, Param, StrategySpec

ID = "orderbook_skew"
NAME = "ORDERBOOK_SKEW"
NEUTRAL = 1.0

SPEC = StrategySpec(
    strategy_id=ID,
    title="Order book skew",
    kind=Kind.REALTIME,
    family=Family.ORDER_FLOW,
    formula=(
        "Skew is bid volume divided by ask volume over the top levels. Buys when it rises to the "
        "buy threshold, sells when it falls to the sell threshold, while the spread is at least "
        "the least spread."
    ),
    reference=(
        "Cont, Kukanov, Stoikov: The price impact of order book events (2014); "
        "Gould, Bonart: Queue imbalance as a one-tick-ahead price predictor (2016)"
    ),
    params=(
        Param(
            "top_levels",
            5,
            1,
            20,
            "levels",
            "Levels of each side that are added up.",
            is_whole=True,
            env=f"{NAME}_TOP_LEVELS",
        ),
        Param(
            "buy_threshold",
            1.2,
            1.01,
            100,
            "ratio",
            "Buy from this skew on.",
            env=f"{NAME}_BUY_THRESHOLD",
        ),
        Param(
            "sell_threshold",
            0.8,
            0.01,
            0.99,
            "ratio",
            "Sell from this skew down.",
            env=f"{NAME}_SELL_THRESHOLD",
        ),
        Param(
            "min_spread_percent",
            0.1,
            0,
            10,
            "% of the mid price",
            "Say nothing while the spread is narrower.",
            env=f"{NAME}_MIN_SPREAD_PERCENT",
        ),
        Param(
            "smoothing_seconds",
            3,
            0,
            600,
            "s",
            "Half-life of the average of each side's volume; 0: every book by itself.",
            env=f"{NAME}_SMOOTHING_SECONDS",
        ),
        Param(
            "release",
            0.25,
            0,
            0.95,
            "part of the way",
            "The same side is said again after the skew fell back to this part of the way from 1 "
            "to its threshold.",
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
            "warmup_seconds",
            30,
            0,
            3600,
            "s",
            "Says nothing for so long after a start or gap.",
            env=f"{NAME}_WARMUP_SECONDS",
        ),
        Param(
            "gap_seconds",
            10,
            1,
            3600,
            "s",
            "Silence after which the average starts anew.",
            env=f"{NAME}_GAP_SECONDS",
        ),
    ),
    presets={"recommended": {"min_spread_percent": 0}},
    first_mode="live",
    confidence=(
        "1 - 0.5 * ln(threshold) / ln(skew): 0.5 at the threshold, 0.75 at its square, towards 1 "
        "beyond."
    ),
)


class State(Struct):
    clock: Clock
    latch: Latch = field(default_factory=Latch)
    bars: MinuteBars = field(default_factory=MinuteBars)
    bid_volume: float = 0.0
    ask_volume: float = 0.0


_states = msgspec.msgpack.Decoder(State)


class OrderBookSkew:
    """Partial books in, what they say out; one state for each symbol."""

    spec = SPEC
    stream = Stream.DEPTH

    def __init__(self, params: Mapping[str, float]) -> None:
        self._states: dict[str, State] = {}
        self.tune(params)

    def tune(self, params: Mapping[str, float]) -> None:
        """Take other parameters; what was seen so far stays."""
        self._top = int(params["top_levels"])
        self._least_spread = params["min_spread_percent"]
        self._half_life_ms = params["smoothing_seconds"] * 1000
        self._warmup_ms = params["warmup_seconds"] * 1000
        self._gap_ms = round(params["gap_seconds"] * 1000)
        self._levels = Levels.around(
            NEUTRAL,
            params["buy_threshold"],
            params["sell_threshold"],
            release=params["release"],
            cooldown_seconds=params["cooldown_seconds"],
        )

    @staticmethod
    def decode(raw: bytes) -> DepthFrame:
        return frames.depth(raw)

    def take(self, symbol: str, frame: DepthFrame, now_ms: int) -> Emission | None:
        """Return what this book says. Raise FrameInvalid for a side that cannot be read.

        A spot book has no time of its own: `now_ms`, when it was received, is its time; that of a
        recording has the recording's.
        """
        data = frame.data
        bid, bid_volume = frames.side(data.bids, self._top)
        ask, ask_volume = frames.side(data.asks, self._top)
        state = self._states.get(symbol)
        if state is None:
            state = self._states[symbol] = State(Clock())
        clock = state.clock
        at_ms = frame.event_ms or now_ms
        passed = at_ms - clock.at_ms
        if data.update_id <= clock.number and passed <= self._gap_ms:
            return None  # told again, or an older book by another road
        if not clock.admits(at_ms, data.update_id, now_ms, self._gap_ms):
            return None
        self._average(state, bid_volume, ask_volume, passed)
        mid = (bid + ask) / 2
        state.bars.add(mid, at_ms)
        skew = state.bid_volume / state.ask_volume
        spread = 100 * (ask - bid) / mid
        side = state.latch.turn(
            skew,
            at_ms,
            self._levels,
            may_fire=spread >= self._least_spread and at_ms - clock.since_ms >= self._warmup_ms,
        )
        return self._said(symbol, state, side, skew, spread, mid) if side else None

    def _average(self, state: State, bids: float, asks: float, passed_ms: int) -> None:
        if state.clock.since_ms == state.clock.at_ms or not self._half_life_ms:
            state.bid_volume, state.ask_volume = bids, asks
            return
        kept = 0.5 ** (passed_ms / self._half_life_ms)
        state.bid_volume = bids + (state.bid_volume - bids) * kept
        state.ask_volume = asks + (state.ask_volume - asks) * kept

    def _said(
        self, symbol: str, state: State, side: int, skew: float, spread: float, mid: float
    ) -> Emission:
        threshold = self._levels.buy if side == BUY else self._levels.sell
        more, than = ("Bids", "asks") if side == BUY else ("Asks", "bids")
        times = skew if side == BUY else 1 / skew
        return Emission(
            strategy_id=ID,
            symbol=symbol,
            action=Action.BUY if side == BUY else Action.SELL,
            confidence=1 - 0.5 * math.log(threshold) / math.log(skew),
            at_ms=state.clock.at_ms,
            price=mid,
            rationale=(
                f"{more} outweigh {than} {times:.2f} to 1 over the top {self._top} levels "
                f"(skew {skew:.3f}, threshold {threshold:g}) at a spread of {spread:.4f} %."
            ),
            indicators={
                "skew": skew,
                "bid_volume": state.bid_volume,
                "ask_volume": state.ask_volume,
                "spread_percent": spread,
            },
            atr=state.bars.atr(),
            account_levels=True,
        )

    def score(self, symbol: str) -> float | None:
        """Return the skew as it stands, None for a symbol not seen."""
        state = self._states.get(symbol)
        return state.bid_volume / state.ask_volume if state and state.ask_volume else None

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
