"""What a strategy says: one emission becomes one signal, whoever says it and however often.

The signal's uid is made from what caused it (strategy, symbol, timeframe, the moment of the
market), so two processes that see the same market say the same signal, and a restart repeats
nothing: the bus and the database know the uid.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from signals_app.payload.draft import Action

LONGEST_UID = 64


@dataclass(frozen=True, slots=True)
class Emission:
    """Prices in quote units; `at_ms` is the venue's time of the cause (epoch ms); `confidence` in
    [0, 1], its meaning is the strategy's own.

    An `atr` makes the stop where the account has none of its own to say. One over seconds or
    minutes would put it inside the spread and the fees: with `account_levels` stop and target are
    the account's percents, whatever the `atr` says.
    """

    strategy_id: str
    symbol: str
    action: Action
    confidence: float
    at_ms: int
    price: float  # the market when it was said
    rationale: str
    indicators: Mapping[str, float] = field(default_factory=dict)
    atr: float | None = None
    stop_loss: float | None = None
    take_profit: float | None = None
    timeframe: str = ""
    account_levels: bool = False

    @property
    def uid(self) -> str:
        parts = (self.strategy_id, self.symbol, self.timeframe, str(self.action), str(self.at_ms))
        whole = ":".join(part for part in parts if part).replace(" ", "_")
        if len(whole) <= LONGEST_UID:
            return whole
        return f"{whole[:31]}:{hashlib.sha256(whole.encode()).hexdigest()[:32]}"

    def payload(
        self, *, params_version: int = 0, heard_ms: int | None = None, **context: Any
    ) -> bytes:
        """Return the signal's JSON as the door of the corridor reads it (the v2 generation).

        `heard_ms` is given where the market is a recording: the signal is as old as when it was
        heard, and tells in its context when it was recorded.
        """
        moment = datetime.fromtimestamp(self.at_ms / 1000, UTC)
        if heard_ms is not None:
            context["recorded_at"] = moment.isoformat()
            moment = datetime.fromtimestamp(heard_ms / 1000, UTC)
        said: dict[str, Any] = {
            "strategy_id": self.strategy_id,
            "signal_uid": self.uid,
            "symbol": self.symbol,
            "action": str(self.action),
            "confidence": round(self.confidence, 6),
            "current_price": self.price,
            "timestamp": moment.isoformat(),
            "timeframe": self.timeframe or None,
            "atr": self.atr,
            "stop_loss": self.stop_loss,
            "take_profit": self.take_profit,
            "use_default_stop_loss": True if self.account_levels else None,
            "use_default_take_profit": True if self.account_levels else None,
            "rationale": self.rationale,
            "indicators": {name: round(value, 8) for name, value in self.indicators.items()},
            "metadata": {"settings_version": params_version, **context},
        }
        return orjson.dumps({name: value for name, value in said.items() if value is not None})
