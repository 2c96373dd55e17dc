"""Strategies on every message of the streams."""

from __future__ import annotations

from signals_app.strategies.spec import StrategySpec

SPECS: tuple[StrategySpec, ...] = ()
