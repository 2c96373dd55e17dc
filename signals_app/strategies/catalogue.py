"""Every strategy of our own, by its id."""

from __future__ import annotations

from signals_app.strategies import realtime, technical
from signals_app.strategies.spec import Kind, StrategySpec

SPECS: tuple[StrategySpec, ...] = (*realtime.SPECS, *(s.spec for s in technical.STRATEGIES))
BY_ID: dict[str, StrategySpec] = {spec.strategy_id: spec for spec in SPECS}


def of_kind(kind: Kind) -> list[StrategySpec]:
    return [spec for spec in SPECS if spec.kind is kind]
