"""Every rule has one worked example on the page, and the rule says just that."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exchanges.domain.books import Book
from exchanges.domain.orders import OrderType
from tests.unit.trading.situations import (
    NOW,
    a_buy,
    a_quote,
    a_snapshot,
    ago,
    an_instrument,
    base,
    limits,
    quote_amount,
    verdict_of,
)
from trading.domain.equity import Falls
from trading.domain.risk.rules import RULES
from trading.domain.risk.types import Cooldown, Holding, Pace, Together, TradingMode

PAGE = Path(__file__).resolve().parents[3] / "docs" / "risk.md"
D = Decimal


@dataclass(frozen=True, slots=True)
class Example:
    """Ordinary but for what is named; `says` is the rule's message."""

    says: str
    intent: dict[str, Any] = field(default_factory=dict)
    limits: dict[str, Any] = field(default_factory=dict)
    seen: dict[str, Any] = field(default_factory=dict)
    parameters: tuple[str, ...] = ()


def book(*asks: tuple[str, str]) -> Book:
    levels = tuple((D(price), D(size)) for price, size in asks)
    return Book("BTCUSDT", ((D(49_999), D(1)),), levels, received_at=ago(0))


def paces(name: str, entries: int) -> dict[str, Any]:
    return {"paces": {name: Pace(entries, "account spot-1")}}


def together(**changes: Any) -> dict[str, Any]:
    held: dict[str, Any] = {
        "positions": 0,
        "symbol_exposure": D(0),
        "gross_exposure": D(0),
        "net_exposure": D(0),
    }
    return {"together": Together(**(held | changes))}


LOSS = {"warn": "2", "reduce": "3"}
LIMIT = {"order_type": OrderType.LIMIT, "sizing": base("0.01")}

EXAMPLES: dict[str, Example] = {
    "environment": Example(
        "ENVIRONMENT_NOT_SIMULATED: limit=simulator actual=testnet",
        intent={"simulate": True},
        seen={"environment": "testnet"},
    ),
    "account_can_trade": Example(
        "ACCOUNT_CANNOT_TRADE: limit=can trade actual=cannot trade", seen={"can_trade": False}
    ),
    "limits_readable": Example(
        "LIMIT_UNREADABLE: limit=readable actual=max_spread_bps (set it anew)",
        limits={"unreadable": ("max_spread_bps",)},
    ),
    "trading_state": Example(
        "TRADING_HALTED: limit=ACTIVE actual=HALTED (global: odd prices (eve))",
        seen={"mode": TradingMode.HALTED, "mode_reason": "global: odd prices (eve)"},
    ),
    "cooldown": Example(
        "COOLDOWN_AFTER_LOSSES: limit=3 actual=3 (account spot-1 cools down for another 120 s)",
        limits={"cooldown_after_losses": 3},
        seen={"cooldown": Cooldown(3, NOW + timedelta(seconds=120), "account spot-1")},
        parameters=("cooldown_after_losses", "cooldown_seconds"),
    ),
    "trading_window": Example(
        "TRADING_WINDOW_CLOSED: limit=22:00-04:00 UTC fri actual=sat 12:00:00",
        limits={"trading_window": "22:00-04:00 UTC fri"},
    ),
    "orders_per_second": Example(
        "ORDER_RATE_SECOND_AT_MAX: limit=10 actual=10",
        limits={"max_orders_per_second": 10},
        seen=paces("max_orders_per_second", 10),
        parameters=("max_orders_per_second",),
    ),
    "orders_per_minute": Example(
        "ORDER_RATE_MINUTE_AT_MAX: limit=120 actual=120",
        limits={"max_orders_per_minute": 120},
        seen=paces("max_orders_per_minute", 120),
        parameters=("max_orders_per_minute",),
    ),
    "orders_per_day": Example(
        "ORDER_RATE_DAY_AT_MAX: limit=2000 actual=2000",
        limits={"max_orders_per_day": 2000},
        seen=paces("max_orders_per_day", 2000),
        parameters=("max_orders_per_day",),
    ),
    "repeats": Example(
        "REPEATED_ENTRY_AT_MAX: limit=10 actual=10",
        limits={"max_repeats": 10},
        seen=paces("max_repeats", 10),
        parameters=("max_repeats", "repeat_window_seconds"),
    ),
    "signal_age": Example("SIGNAL_STALE: limit=60 actual=61", intent={"emitted_at": ago(61)}),
    "confidence": Example(
        "CONFIDENCE_BELOW_MIN: limit=0.5 actual=0.49",
        intent={"confidence": D("0.49")},
        parameters=("min_confidence",),
    ),
    "symbol_supported": Example(
        "SYMBOL_NOT_ALLOWED: limit=ETHUSDT actual=BTCUSDT",
        limits={"allowed_symbols": frozenset({"ETHUSDT"})},
    ),
    "quote_age": Example(
        "QUOTE_STALE: limit=500 actual=700",
        seen={"quote": a_quote(age=0.7)},
        parameters=("max_quote_age_ms",),
    ),
    "venue_latency": Example(
        "VENUE_LATENCY_ABOVE_MAX: limit=1000 actual=1250",
        limits={"max_venue_latency_ms": 1000},
        seen={"venue_latency_ms": D(1250)},
        parameters=("max_venue_latency_ms",),
    ),
    "spread": Example(
        "SPREAD_ABOVE_MAX: limit=10 actual=12.01",
        limits={"max_spread_bps": D(10)},
        seen={"quote": a_quote("49940", "50000")},
        parameters=("max_spread_bps",),
    ),
    "sender_gap": Example(
        "SENDER_GAP_ABOVE_MAX: limit=100 actual=204.09",
        intent={"sender_price": D(49_000)},
        limits={"max_sender_gap_bps": D(100)},
        seen={"quote": a_quote("49999.9", "50000.1")},
        parameters=("max_sender_gap_bps",),
    ),
    "order_shape": Example(
        "ORDER_PRICE_MISSING: limit=given actual=missing", intent={"order_type": OrderType.LIMIT}
    ),
    "price_collar": Example(
        "PRICE_OUTSIDE_COLLAR: limit=3000 actual=9000 (price 5000)",
        intent={**LIMIT, "price": D(5_000)},
        limits={"max_price_deviation_bps": D(3000)},
        parameters=("max_price_deviation_bps",),
    ),
    "price_filters": Example(
        "PRICE_OUT_OF_RANGE: limit=0.01 to 1000000 actual=2000000",
        intent={**LIMIT, "price": D(2_000_000)},
    ),
    "trigger_side": Example(
        "TRIGGER_WRONG_SIDE: limit=above 50000 actual=49000",
        intent={"order_type": OrderType.STOP, "stop_price": D(49_000)},
    ),
    "self_trade": Example(
        "SELF_TRADE: limit=49990 actual=50000", seen={"own_offers": (D(49_990), D(51_000))}
    ),
    "stop_and_target": Example(
        "STOP_WRONG_SIDE: limit=below 49999 actual=51000 (from the signal)",
        intent={"stop_loss": D(51_000)},
    ),
    "size": Example(
        "BALANCE_INSUFFICIENT: limit=0 actual=0 (nothing free to use)",
        seen={"free_quote": D(0)},
        parameters=(
            "position_pct",
            "default_quote_amount",
            "default_base_quantity",
            "risk_per_trade",
            "kelly_fraction",
            "kelly_cap",
            "kelly_min_trades",
        ),
    ),
    "quantity": Example(
        "QUANTITY_BELOW_MIN: limit=0.00001 actual=0",
        intent={"sizing": quote_amount("0.4")},
    ),
    "notional": Example(
        "NOTIONAL_BELOW_MIN: limit=5 actual=4.5", intent={"sizing": quote_amount("4.6")}
    ),
    "slippage": Example(
        "SLIPPAGE_ABOVE_MAX: limit=5 actual=11.25",
        intent={"sizing": base("4")},
        limits={"max_slippage_bps": D(5), "max_position_notional": D(0)},
        seen={"book": book(("50000", "1"), ("50025", "1"), ("50100", "2"))},
        parameters=("max_slippage_bps",),
    ),
    "exit_feasible": Example(
        "EXIT_BELOW_MIN_NOTIONAL: limit=5 actual=4.41",
        intent={"sizing": quote_amount("5")},
    ),
    "stop_room": Example("STOPS_AT_MAX: limit=5 actual=5", seen={"stops_elsewhere": 5}),
    "position_protected": Example(
        "POSITION_UNPROTECTED: limit=3 actual=7.5 (seconds without a live stop for 0.5 held: wait "
        "until it is protected, or close it)",
        seen={"holding": Holding(D("0.5"), D(48_000), naked_since=ago(7.5))},
    ),
    "balance": Example(
        "BALANCE_INSUFFICIENT: limit=400 actual=500.5",
        intent={"sizing": base("0.01")},
        seen={"free_quote": D(400)},
    ),
    "daily_loss": Example(
        "DAILY_LOSS_AT_MAX: limit=3 actual=3.2",
        limits={"daily_loss_reduce_pct": D(3)},
        seen={"falls": Falls(D("3.2"), D(0), D(0)), "equity": D(9680)},
        parameters=("daily_loss_warn_pct", "daily_loss_reduce_pct", "daily_loss_flatten_pct"),
    ),
    "weekly_loss": Example(
        "WEEKLY_LOSS_AT_MAX: limit=6 actual=6.01",
        limits={"weekly_loss_reduce_pct": D(6)},
        seen={"falls": Falls(D(0), D("6.002"), D(0))},
        parameters=("weekly_loss_warn_pct", "weekly_loss_reduce_pct", "weekly_loss_flatten_pct"),
    ),
    "drawdown": Example(
        "DRAWDOWN_AT_MAX: limit=15 actual=15",
        limits={"drawdown_reduce_pct": D(15)},
        seen={"falls": Falls(D(0), D(0), D(15))},
        parameters=("drawdown_warn_pct", "drawdown_reduce_pct", "drawdown_flatten_pct"),
    ),
    "one_symbol": Example(
        "ONE_SYMBOL_TAKEN: limit=ETHUSDT actual=BTCUSDT",
        limits={"one_symbol_per_account": True},
        seen={"symbols_in_use": frozenset({"ETHUSDT"})},
        parameters=("one_symbol_per_account",),
    ),
    "open_positions": Example(
        "OPEN_POSITIONS_AT_MAX: limit=5 actual=5",
        seen={"open_position_count": 5},
        parameters=("max_open_positions",),
    ),
    "entries_per_position": Example(
        "ENTRIES_PER_POSITION_AT_MAX: limit=3 actual=3",
        limits={"max_entries_per_position": 3},
        seen={"entries_in_position": 3},
        parameters=("max_entries_per_position",),
    ),
    "position_notional": Example(
        "POSITION_NOTIONAL_ABOVE_MAX: limit=10000 actual=12500",
        intent={"sizing": base("0.01")},
        seen={"held": "0.24"},
        parameters=("max_position_notional",),
    ),
    "open_positions_total": Example(
        "OPEN_POSITIONS_TOTAL_AT_MAX: limit=5 actual=5",
        limits={"max_open_positions_total": 5},
        seen=together(positions=5),
        parameters=("max_open_positions_total",),
    ),
    "symbol_exposure": Example(
        "SYMBOL_EXPOSURE_ABOVE_MAX: limit=1000 actual=1250",
        intent={"sizing": base("0.01")},
        limits={"max_symbol_exposure": D(1000)},
        seen=together(symbol_exposure=D(750)),
        parameters=("max_symbol_exposure",),
    ),
    "gross_exposure": Example(
        "GROSS_EXPOSURE_ABOVE_MAX: limit=1000 actual=1300",
        intent={"sizing": base("0.01")},
        limits={"max_gross_exposure": D(1000)},
        seen=together(gross_exposure=D(800)),
        parameters=("max_gross_exposure",),
    ),
    "net_exposure": Example(
        "NET_EXPOSURE_ABOVE_MAX: limit=1000 actual=1100",
        intent={"sizing": base("0.01")},
        limits={"max_net_exposure": D(1000)},
        seen=together(net_exposure=D(600)),
        parameters=("max_net_exposure",),
    ),
}


@pytest.mark.parametrize("rule", [rule.__name__ for rule in RULES])
def test_the_rule_says_what_the_page_says(rule):
    example = EXAMPLES[rule]
    snapshot = a_snapshot(limits=limits(**example.limits), **example.seen)
    assert verdict_of(rule, a_buy(**example.intent), snapshot).message == example.says

    [row] = [line for line in lines() if line.startswith(f"| `{rule}` |") and example.says in line]
    for name in example.parameters:
        assert f"`{name}`" in row, f"{rule}: its row does not name {name}"


def lines() -> list[str]:
    return PAGE.read_text(encoding="utf-8").splitlines()


def test_the_ordinary_instrument_is_what_the_examples_reckon_with():
    instrument = an_instrument()
    assert (instrument.min_notional, instrument.lot.minimum) == (D(5), D("0.00001"))
