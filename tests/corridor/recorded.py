"""A recording of our own: two calm minutes of BTCUSDT, then everybody buys for ten seconds."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

START_MS = 1_723_161_600_000
CALM_SECONDS = 100
PUSH_SECONDS = 12
PUSHED = 100.0  # quote units in all: 0.17 %


def write(path: Path) -> Path:
    """Write a snapshot of the book, diffs ten times a second, best prices and trades."""
    course, lines = random.Random(7), []
    price, number, trade_id = 60_000.0, 1, 1
    book = {"lastUpdateId": number, "bids": _side(price, -1, 1.0), "asks": _side(price, 1, 1.0)}
    lines.append(f"{START_MS * 1_000_000} {json.dumps(book)}")
    for tick in range((CALM_SECONDS + PUSH_SECONDS + 3) * 10):
        at_ms = START_MS + tick * 100
        pushes = CALM_SECONDS <= tick / 10 < CALM_SECONDS + PUSH_SECONDS
        before = price
        price += PUSHED / PUSH_SECONDS / 10 if pushes else course.uniform(-0.4, 0.4)
        number += 1
        diff = {"e": "depthUpdate", "E": at_ms, "s": "BTCUSDT", "U": number, "u": number}
        gone = [[row[0], "0"] for row in _side(before, -1, 1) + _side(before, 1, 1)]
        diff["b"] = gone[:20] + _side(price, -1, 4.0 if pushes else 1.0)
        diff["a"] = gone[20:] + _side(price, 1, 1.0)
        lines.append(_line(at_ms, "btcusdt@depth@100ms", diff))
        bid, ask = _side(price, -1, 1.0)[0][0], _side(price, 1, 1.0)[0][0]
        best = {"u": number, "s": "BTCUSDT", "b": bid, "B": "1", "a": ask, "A": "1"}
        lines.append(_line(at_ms, "btcusdt@bookTicker", best))
        if tick % 2 == 0:
            sells = not pushes and course.random() < 0.5
            trade = {"e": "trade", "E": at_ms, "s": "BTCUSDT", "t": trade_id, "p": f"{price:.2f}"}
            trade |= {"q": "0.02000000", "T": at_ms, "m": sells, "M": True}
            lines.append(_line(at_ms, "btcusdt@trade", trade))
            trade_id += 1
    path.write_text("\n".join(lines) + "\n")
    return path


def _side(price: float, sign: int, quantity: float) -> list[list[str]]:
    first = round(price + sign * 0.01, 2)
    return [[f"{first + sign * k * 0.5:.2f}", f"{quantity:.5f}"] for k in range(20)]


def _line(at_ms: int, stream: str, data: dict[str, Any]) -> str:
    return f"{at_ms * 1_000_000} " + json.dumps({"stream": stream, "data": data})
