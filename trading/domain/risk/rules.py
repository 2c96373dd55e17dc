"""The rules, read top to bottom. A new rule is a function `(ctx) -> Verdict` and a line here."""

from __future__ import annotations

from trading.domain.risk import (
    account_rules,
    exposure_rules,
    gate_rules,
    loss_rules,
    market_rules,
    order_rules,
    throttle_rules,
)
from trading.domain.risk.context import Rule

RULES: tuple[Rule, ...] = (
    gate_rules.environment,
    gate_rules.account_can_trade,
    gate_rules.limits_readable,
    gate_rules.trading_state,
    loss_rules.cooldown,
    throttle_rules.trading_window,
    throttle_rules.orders_per_second,
    throttle_rules.orders_per_minute,
    throttle_rules.orders_per_day,
    throttle_rules.repeats,
    gate_rules.signal_age,
    gate_rules.confidence,
    gate_rules.symbol_supported,
    gate_rules.quote_age,
    market_rules.venue_latency,
    market_rules.spread,
    market_rules.sender_gap,
    order_rules.order_shape,
    market_rules.price_collar,
    order_rules.price_filters,
    order_rules.trigger_side,
    market_rules.self_trade,
    order_rules.stop_and_target,  # before the size: an account may be sized by its stop
    order_rules.size,
    order_rules.quantity,
    order_rules.notional,
    market_rules.slippage,
    order_rules.exit_feasible,
    order_rules.stop_room,
    order_rules.position_protected,
    account_rules.balance,
    loss_rules.daily_loss,
    loss_rules.weekly_loss,
    loss_rules.drawdown,
    throttle_rules.one_symbol,
    account_rules.open_positions,
    throttle_rules.entries_per_position,
    account_rules.position_notional,
    exposure_rules.open_positions_total,
    exposure_rules.symbol_exposure,
    exposure_rules.gross_exposure,
    exposure_rules.net_exposure,
)

# Rules whose figure grows towards its limit: they warn from a share of it on (`warn_at_pct`).
RISING: frozenset[str] = frozenset(
    rule.__name__
    for rule in (
        throttle_rules.orders_per_second,
        throttle_rules.orders_per_minute,
        throttle_rules.orders_per_day,
        throttle_rules.repeats,
        gate_rules.signal_age,
        gate_rules.quote_age,
        market_rules.venue_latency,
        market_rules.spread,
        market_rules.sender_gap,
        market_rules.price_collar,
        market_rules.slippage,
        account_rules.balance,
        account_rules.open_positions,
        throttle_rules.entries_per_position,
        account_rules.position_notional,
        exposure_rules.open_positions_total,
        exposure_rules.symbol_exposure,
        exposure_rules.gross_exposure,
        exposure_rules.net_exposure,
    )
)
# And those whose figure falls towards it.
FALLING: frozenset[str] = frozenset({gate_rules.confidence.__name__})
