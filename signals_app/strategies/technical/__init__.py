"""Strategies on closed candles, computed with TA-Lib: one file each."""

from __future__ import annotations

from signals_app.strategies.technical.base import TechnicalStrategy

STRATEGIES: tuple[TechnicalStrategy, ...] = ()
BY_ID = {strategy.spec.strategy_id: strategy for strategy in STRATEGIES}
