"""REST signal to fill, against the raw python-binance order round trip, one after the other."""

from __future__ import annotations

import http.client
import json
import time
from datetime import UTC, datetime
from typing import Any

from benchmarks.figures import summary
from benchmarks.stage import Stage, stage, wait_for_port

ROUNDS = 400
WARM_UP = 60


def measure(database_url: str = "", rounds: int = ROUNDS) -> dict[str, Any]:
    """Return both latencies and their ratio; each round takes one of either, so drift hits both."""
    with stage(database_url) as where, where.process("manage.py", "serve"):
        wait_for_port(where.web_port)
        raw = _raw_client(where)
        connection = http.client.HTTPConnection("127.0.0.1", where.web_port, timeout=30)
        raw_times, trade_times = [], []
        for number in range(rounds + WARM_UP):
            started = time.perf_counter()
            raw.create_order(symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.001")
            between = time.perf_counter()
            _trade(connection, where.token)
            ended = time.perf_counter()
            if number >= WARM_UP:
                raw_times.append(between - started)
                trade_times.append(ended - between)
    raw_figures, trade_figures = summary(raw_times), summary(trade_times)
    return {
        "database": "postgresql" if database_url else "sqlite",
        "raw_round_trip": raw_figures,
        "signal_to_fill": trade_figures,
        "ratio_p50": round(trade_figures["p50_ms"] / raw_figures["p50_ms"], 2),
    }


def _raw_client(where: Stage) -> Any:
    from binance.client import Client

    client = Client("simulator-key", "simulator-secret", ping=False)
    client.API_URL = f"http://127.0.0.1:{where.venue_port}/api"
    return client


def _trade(connection: http.client.HTTPConnection, token: str) -> None:
    body = json.dumps(
        {
            "strategy_id": "bench",
            "symbol": "BTCUSDT",
            "action": "buy",
            "confidence": 0.8,
            "quantity": 0.001,
            "timestamp": datetime.now(UTC).isoformat(),
        }
    )
    headers = {"Authorization": f"Token {token}", "Content-Type": "application/json"}
    connection.request("POST", "/trade", body, headers)
    answer = json.loads(connection.getresponse().read())
    if answer.get("result", {}).get("status") != "filled":
        raise RuntimeError(f"not filled: {answer}")
