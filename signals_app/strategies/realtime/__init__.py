"""Strategies on every message of the streams."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from exchanges.market_data.bus import Kind as Stream
from signals_app.strategies.emission import Emission
from signals_app.strategies.realtime import momentum, skew, velocity
from signals_app.strategies.spec import StrategySpec


class RealtimeStrategy(Protocol):
    """One strategy over all its symbols. Pure: the market's time is all the time it knows."""

    @property
    def spec(self) -> StrategySpec: ...

    @property
    def stream(self) -> Stream:
        """The kind of frame it takes."""
        ...

    def decode(self, raw: bytes) -> Any:
        """Return a frame of its kind. Raise FrameInvalid."""
        ...

    def take(self, symbol: str, frame: Any, now_ms: int) -> Emission | None:
        """Return what a frame says; `now_ms` is when it was received (epoch ms)."""
        ...

    def tune(self, params: Mapping[str, float]) -> None: ...

    def score(self, symbol: str) -> float | None: ...

    def adopt(self, symbol: str, side: int, at_ms: int) -> None: ...

    def snapshot(self, symbol: str) -> bytes | None: ...

    def restore(self, symbol: str, raw: bytes) -> None: ...

    def forget(self, symbol: str) -> None: ...


SPECS: tuple[StrategySpec, ...] = (skew.SPEC, momentum.SPEC, velocity.SPEC)
_CLASSES: dict[str, type[RealtimeStrategy]] = {
    skew.ID: skew.OrderBookSkew,
    momentum.ID: momentum.TradeMomentum,
    velocity.ID: velocity.TickerVelocity,
}


def made(spec: StrategySpec, params: Mapping[str, float]) -> RealtimeStrategy:
    """Return a new strategy of that spec; `params` has every parameter."""
    return _CLASSES[spec.strategy_id](params)  # type: ignore[call-arg]
