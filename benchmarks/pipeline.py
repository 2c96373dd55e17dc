"""Deciding alone: how long every rule takes on one intent, without database and venue."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from benchmarks.figures import summary
from benchmarks.fixed_venue import symbol_entry
from exchanges.domain.books import Book
from exchanges.domain.instruments import parse_spot
from exchanges.domain.orders import OrderType, Quote
from trading.domain.intents import IntentKind, SizeMode, SizingIntent, TradeIntent
from trading.domain.risk.assess import assess
from trading.domain.risk.rules import RULES
from trading.domain.risk.types import (
    Holding,
    Limits,
    Pace,
    RiskSnapshot,
    SizingModel,
    Together,
    TradingMode,
)

ROUNDS = 5000
WARM_UP = 500
D = Decimal
NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
PACED = ("max_orders_per_second", "max_orders_per_minute", "max_orders_per_day", "max_repeats")


def measure(database_url: str = "", rounds: int = ROUNDS) -> dict[str, Any]:
    """Return the time of `assess` with every limit set, on an intent that passes them all."""
    limit_order = _intent()
    at_market = replace(limit_order, order_type=OrderType.MARKET, price=None)
    return {
        "database": "none",
        "rules": len(RULES),
        "assess": summary(_times(limit_order, rounds)),
        "assess_at_market": summary(_times(at_market, rounds)),
    }


def _times(intent: TradeIntent, rounds: int) -> list[float]:
    snapshot = _snapshot()
    assessment = assess(intent, snapshot)
    if not assessment.approved:
        raise RuntimeError(f"it was to pass: {assessment.denial}")
    times = []
    for number in range(rounds + WARM_UP):
        started = time.perf_counter()
        assess(intent, snapshot)
        if number >= WARM_UP:
            times.append(time.perf_counter() - started)
    return times


def _book() -> Book:
    """A book whose 20 levels are all needed for the intent's size."""
    asks = tuple((D(50_000) + D(level) / 10, D("0.0005")) for level in range(20))
    return Book("BTCUSDT", ((D(49_999), D(1)),), asks, received_at=NOW)


def _intent() -> TradeIntent:
    return TradeIntent(
        intent_uid="bench",
        kind=IntentKind.OPEN_LONG,
        strategy_id="bench",
        symbol="BTCUSDT",
        confidence=D("0.8"),
        emitted_at=NOW - timedelta(seconds=1),
        order_type=OrderType.LIMIT,
        price=D("49990"),
        sizing=SizingIntent(SizeMode.BASE_QUANTITY, D("0.01")),
        stop_loss=D("48000"),
        take_profit=D("52000"),
        sender_price=D("50000"),
    )


def _snapshot() -> RiskSnapshot:
    limits = Limits(
        min_confidence=D("0.5"),
        max_age_seconds=60,
        quote_max_age_seconds=D(2),
        balance_max_age_seconds=D(120),
        max_open_positions=5,
        max_position_notional=D(10_000),
        sizing_model=SizingModel.PERCENT_OF_BALANCE,
        position_pct=D("0.02"),
        default_quote_amount=D(100),
        default_order_type=OrderType.MARKET,
        require_stop=True,
        stop_loss_pct=D(2),
        take_profit_pct=D(5),
        max_spread_bps=D(10),
        max_sender_gap_bps=D(100),
        max_price_deviation_bps=D(3000),
        max_slippage_bps=D(5),
        max_venue_latency_ms=1000,
        max_orders_per_second=10,
        max_orders_per_minute=100,
        max_orders_per_day=1000,
        max_repeats=10,
        one_symbol_per_account=True,
        max_entries_per_position=5,
        max_open_positions_total=10,
        max_symbol_exposure=D(50_000),
        max_gross_exposure=D(100_000),
        trading_window="09:30-16:00 America/New_York mon-fri",
    )
    return RiskSnapshot(
        now=NOW,
        environment="simulator",
        mode=TradingMode.ACTIVE,
        mode_reason="",
        instrument=parse_spot(symbol_entry("BTCUSDT", "BTC")),
        quote=Quote("BTCUSDT", D(49_999), D(1), D(50_000), D(1), received_at=NOW),
        limits=limits,
        holding=Holding(D(0), D(0)),
        open_position_count=1,
        free_quote=D(10_000),
        free_base=D(0),
        balances_at=NOW - timedelta(seconds=1),
        taker_rate=D("0.001"),
        paces={name: Pace(1, "account bench") for name in PACED},
        own_offers=(D(51_000),),
        stops_elsewhere=1,
        symbols_in_use=frozenset(),
        entries_in_position=1,
        together=Together(2, D(1_000), D(5_000)),
        book=_book(),
        venue_latency_ms=D(12),
    )
