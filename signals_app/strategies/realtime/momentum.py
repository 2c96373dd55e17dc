"""Trade momentum: do trades push one way, in price, in quantity and in who takes?

    score = (price_weight * P + quantity_weight * Q + maker_weight * M) / (sum of the weights)

in [-1, 1], buy-initiated positive. Everything fades with `half_life_seconds`:

    P = tanh(z)   z: last price against its time-weighted average, in standard deviations that
                  price has from such an average: s * sqrt(t / 2), with s the deviation of returns
                  over one second (of about the last minute) and t = half-life / ln 2
    Q = (bought - sold) / (bought + sold)        base units, by who took
    M = (buys - sells) / (buys + sells)          trades, by who took: a buyer that is the maker
                                                 makes it a sell

Weights that do not sum to 1 are divided by their sum; all zero is refused. Multiplying prices or
quantities by a number changes nothing.

Confidence is 0.5 + 0.5 * (|score| - threshold) / (1 - threshold): one half at the threshold, 1 when
all three parts are at their end. It says how one-sided the trades are, not how likely a profit.
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
from signals_app.strategies.realtime.frames import Trade, TradeFrame
from signals_app.strategies.realtime.moves import BUY, Clock, Latch, Levels, MinuteBars
from signals_app.strategies.spec import Family, Kind, Param, ParamInvalid, StrategySpec

ID = "trade_momentum"
NAME = "TRADE_MOMENTUM"
MOST_SAMPLES = 60  # seconds whose returns make the deviation
LEAST_SAMPLES = 10


def _weigh_something(params: Mapping[str, float]) -> None:
    if not params["price_weight"] + params["quantity_weight"] + params["maker_weight"]:
        raise ParamInvalid("price_weight", "one of the three weights must be above 0")


SPEC = StrategySpec(
    strategy_id=ID,
    title="Trade momentum",
    kind=Kind.REALTIME,
    family=Family.ORDER_FLOW,
    formula=(
        "The score is the weighted mean of price move, bought against sold quantity and buy- "
        "against sell-initiated trades, each in [-1, 1]. Buys when it rises to the buy threshold, "
        "sells when it falls to the sell threshold."
    ),
    reference=(
        "Lee, Ready: Inferring trade direction (1991); "
        "Chordia, Subrahmanyam: Order imbalance and individual stock returns (2004)"
    ),
    params=(
        Param(
            "price_weight",
            0.4,
            0,
            1,
            "part",
            "Weight of the price move.",
            env=f"{NAME}_PRICE_WEIGHT",
        ),
        Param(
            "quantity_weight",
            0.3,
            0,
            1,
            "part",
            "Weight of bought against sold quantity.",
            env=f"{NAME}_QUANTITY_WEIGHT",
        ),
        Param(
            "maker_weight",
            0.3,
            0,
            1,
            "part",
            "Weight of buy- against sell-initiated trades.",
            env=f"{NAME}_MAKER_WEIGHT",
        ),
        Param(
            "buy_threshold",
            0.7,
            0.01,
            0.99,
            "score",
            "Buy from this score on.",
            env=f"{NAME}_BUY_THRESHOLD",
        ),
        Param(
            "sell_threshold",
            -0.7,
            -0.99,
            -0.01,
            "score",
            "Sell from this score down.",
            env=f"{NAME}_SELL_THRESHOLD",
        ),
        Param(
            "half_life_seconds",
            1.5,
            0.1,
            3600,
            "s",
            "After so long a trade counts for half.",
            env=f"{NAME}_HALF_LIFE_SECONDS",
        ),
        Param(
            "min_trades",
            3,
            1,
            10_000,
            "trades",
            "Trades (faded ones count less) below which nothing is said.",
            env=f"{NAME}_MIN_TRADES",
        ),
        Param(
            "release",
            0.25,
            0,
            0.95,
            "part of the way",
            "The same side is said again after the score fell back to this part of its threshold.",
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
            60,
            0,
            3600,
            "s",
            "Says nothing for so long after a start or gap.",
            env=f"{NAME}_WARMUP_SECONDS",
        ),
        Param(
            "gap_seconds",
            60,
            1,
            3600,
            "s",
            "Silence after which everything starts anew.",
            env=f"{NAME}_GAP_SECONDS",
        ),
    ),
    presets={"slower": {"half_life_seconds": 5, "min_trades": 10}},
    first_mode="live",
    confidence="0.5 at the threshold, rising in a line to 1 when every part is at its end.",
    rule=_weigh_something,
)


class State(Struct):
    clock: Clock
    latch: Latch = field(default_factory=Latch)
    bars: MinuteBars = field(default_factory=MinuteBars)
    bought: float = 0.0
    sold: float = 0.0
    buys: float = 0.0
    sells: float = 0.0
    price: float = 0.0
    mean: float = 0.0
    second: int = 0
    second_price: float = 0.0
    variance: float = 0.0  # of returns over one second
    samples: int = 0
    parts: tuple[float, float, float] = (0.0, 0.0, 0.0)


_states = msgspec.msgpack.Decoder(State)


class TradeMomentum:
    """Trades in, what they say out; one state for each symbol."""

    spec = SPEC
    stream = Stream.TRADE

    def __init__(self, params: Mapping[str, float]) -> None:
        self._states: dict[str, State] = {}
        self.tune(params)

    def tune(self, params: Mapping[str, float]) -> None:
        """Take other parameters; what was seen so far stays."""
        weights = (params["price_weight"], params["quantity_weight"], params["maker_weight"])
        self._weights = tuple(weight / sum(weights) for weight in weights)
        self._half_life_ms = params["half_life_seconds"] * 1000
        self._least_trades = params["min_trades"]
        # of an exponential average of a random walk: var = s^2 * t / 2, t = half-life / ln 2
        self._seconds = params["half_life_seconds"] / math.log(2) / 2
        self._warmup_ms = params["warmup_seconds"] * 1000
        self._gap_ms = round(params["gap_seconds"] * 1000)
        self._levels = Levels.around(
            0.0,
            params["buy_threshold"],
            params["sell_threshold"],
            release=params["release"],
            cooldown_seconds=params["cooldown_seconds"],
        )

    @staticmethod
    def decode(raw: bytes) -> TradeFrame:
        return frames.trade(raw)

    def take(self, symbol: str, frame: TradeFrame, now_ms: int) -> Emission | None:
        """Return what this trade says; its own time moves the windows."""
        trade = frame.data
        state = self._states.get(symbol)
        if state is None:
            state = self._states[symbol] = State(Clock())
        clock = state.clock
        passed = trade.at_ms - clock.at_ms
        if not clock.admits(trade.at_ms, trade.trade_id, now_ms, self._gap_ms):
            return None
        if clock.since_ms == trade.at_ms and passed:
            _start(state, trade)
        elif passed:
            self._fade(state, passed)
        _add(state, trade)
        state.bars.add(trade.price, trade.at_ms)
        score = self._score(state)
        side = state.latch.turn(
            score,
            trade.at_ms,
            self._levels,
            may_fire=trade.at_ms - clock.since_ms >= self._warmup_ms
            and state.buys + state.sells >= self._least_trades
            and state.samples >= LEAST_SAMPLES,
        )
        return self._said(symbol, state, side, score) if side else None

    def _fade(self, state: State, passed_ms: int) -> None:
        kept = 0.5 ** (passed_ms / self._half_life_ms)
        state.bought *= kept
        state.sold *= kept
        state.buys *= kept
        state.sells *= kept
        state.mean = state.price + (state.mean - state.price) * kept

    def _score(self, state: State) -> float:
        deviation = math.sqrt(state.variance * self._seconds)
        moved = math.tanh((state.price / state.mean - 1) / deviation) if deviation else 0.0
        bought, sold, buys, sells = state.bought, state.sold, state.buys, state.sells
        parts = (moved, (bought - sold) / (bought + sold), (buys - sells) / (buys + sells))
        state.parts = parts
        weights = self._weights
        return parts[0] * weights[0] + parts[1] * weights[1] + parts[2] * weights[2]

    def _said(self, symbol: str, state: State, side: int, score: float) -> Emission:
        threshold = abs(self._levels.buy if side == BUY else self._levels.sell)
        moved, quantity, takers = state.parts
        return Emission(
            strategy_id=ID,
            symbol=symbol,
            action=Action.BUY if side == BUY else Action.SELL,
            confidence=min(1.0, 0.5 + 0.5 * (abs(score) - threshold) / (1 - threshold)),
            at_ms=state.clock.at_ms,
            price=state.price,
            rationale=(
                f"Trades push one way (score {score:+.3f}, threshold {threshold:g}): buyers took "
                f"{50 + 50 * quantity:.0f} % of the quantity in {50 + 50 * takers:.0f} % of the "
                f"trades, and the price part is {moved:+.2f}."
            ),
            indicators={
                "score": score,
                "price_part": moved,
                "quantity_part": quantity,
                "maker_part": takers,
                "trades": state.buys + state.sells,
                "deviation_percent": 100 * math.sqrt(state.variance),
            },
            atr=state.bars.atr(),
            account_levels=True,
        )

    def score(self, symbol: str) -> float | None:
        """Return the score as it stands, None for a symbol not seen."""
        state = self._states.get(symbol)
        if state is None or not state.price:
            return None
        return sum(w * p for w, p in zip(self._weights, state.parts, strict=True))

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


def _start(state: State, trade: Trade) -> None:
    state.bought = state.sold = state.buys = state.sells = 0.0
    state.price = state.mean = state.second_price = trade.price
    state.second, state.samples, state.variance = trade.at_ms // 1000, 0, 0.0


def _add(state: State, trade: Trade) -> None:
    if trade.is_buyer_maker:
        state.sold += trade.quantity
        state.sells += 1.0
    else:
        state.bought += trade.quantity
        state.buys += 1.0
    state.price = trade.price
    second = trade.at_ms // 1000
    passed = second - state.second
    if passed > 0:
        moved = trade.price / state.second_price - 1
        state.samples += 1
        state.variance += (moved * moved / passed - state.variance) / min(
            state.samples, MOST_SAMPLES
        )
        state.second, state.second_price = second, trade.price
