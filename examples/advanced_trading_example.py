"""Send the four documented signals over REST and print what became of each.

    PETROSA_TOKEN=... python examples/advanced_trading_example.py

Prices are the documented ones, not today's market: an order that today's prices make impossible
is denied with the numbers that say why, and that is part of what this shows.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from api_client import arguments, call


def examples() -> list[tuple[str, dict[str, Any]]]:
    """Return (title, signal) pairs: three orders of the guide and the momentum sample."""
    return [
        (
            "Basic market order",
            {
                "strategy_id": "simple_strategy",
                "symbol": "BTCUSDT",
                "action": "buy",
                "price": 45000.0,
                "confidence": 0.8,
                "meta": {"order_type": "market", "base_amount": 0.001},
            },
        ),
        (
            "Limit order with stop and target",
            {
                "strategy_id": "advanced_strategy",
                "symbol": "ETHUSDT",
                "action": "buy",
                "price": 3000.0,
                "confidence": 0.9,
                "meta": {
                    "order_type": "limit",
                    "base_amount": 0.1,
                    "stop_loss": 2850.0,
                    "take_profit": 3300.0,
                    "time_in_force": "GTC",
                },
            },
        ),
        (
            "Stop order: stop_loss is the trigger",
            {
                "strategy_id": "risk_management",
                "symbol": "BTCUSDT",
                "action": "sell",
                "price": 45000.0,
                "confidence": 0.95,
                "meta": {"order_type": "stop", "base_amount": 0.001, "stop_loss": 43000.0},
            },
        ),
        (
            "Momentum sample, simulated",
            {
                "strategy_id": "momentum_v1",
                "symbol": "BTCUSDT",
                "action": "buy",
                "price": 45000.0,
                "confidence": 0.85,
                "meta": {
                    "order_type": "limit",
                    "base_amount": 0.001,
                    "stop_loss": 43000.0,
                    "take_profit": 47000.0,
                    "time_in_force": "GTC",
                    "simulate": True,
                    "indicators": {"rsi": 65, "macd": "bullish"},
                    "rationale": "Strong momentum breakout",
                },
            },
        ),
    ]


def main() -> None:
    options = arguments(__doc__ or "")
    for title, signal in examples():
        signal["timestamp"] = datetime.now(UTC).isoformat()
        signal["signal_uid"] = uuid.uuid4().hex
        status, answer = call(options, "POST", "/trade", signal)
        print(f"\n{title}: {signal['action']} {signal['symbol']}  ->  HTTP {status}")
        show(answer)


def show(answer: dict[str, Any]) -> None:
    """Print the order of an accepted signal, or the reason of a refused one."""
    result = answer.get("result")
    if isinstance(result, dict):
        print(f"  {answer.get('message')}")
        for name in ("order_id", "status", "type", "amount", "fill_price", "fees", "simulated"):
            if name in result:
                print(f"  {name:<11}{result[name]}")
    else:
        print(
            f"  {answer.get('code', '')} {answer.get('detail') or answer.get('message')}".rstrip()
        )
    if uid := answer.get("signal_uid"):
        print(f"  {'story':<11}/api/v1/signals/{uid}/")


if __name__ == "__main__":
    main()
