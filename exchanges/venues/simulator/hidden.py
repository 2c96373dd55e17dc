"""Orders that are there but that questions do not show yet: reads that lag behind writes."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

LISTED = ("/api/v3/openOrders", "/api/v3/allOrders", "/api/v3/myTrades")
ONE = {"/api/v3/order": "Order does not exist.", "/api/v3/orderList": "Order list does not exist."}


class HiddenOrders:
    """What one request placed, hidden together until a moment or until cleared."""

    def __init__(self) -> None:
        self._groups: list[tuple[float | None, frozenset[str], frozenset[int]]] = []

    def hide(self, params: Mapping[str, str], content: Any, seconds: float | None) -> None:
        """Hide what a request placed, by the names it gave and the numbers it was answered with."""
        names = frozenset(v for name, v in params.items() if name.endswith("lientOrderId"))
        numbers = {content.get("orderId")} if isinstance(content, dict) else set()
        if isinstance(content, dict):
            numbers |= {leg.get("orderId") for leg in content.get("orders", ())}
        until = None if seconds is None else time.monotonic() + seconds
        self._groups.append((until, names, frozenset(n for n in numbers if n is not None)))

    def clear(self) -> None:
        self._groups.clear()

    def refusal(self, method: str, path: str, params: Mapping[str, str]) -> str | None:
        """Return what a question about a hidden order or list is told, None when it is shown."""
        if not self._groups or method != "GET" or path not in ONE:
            return None
        name = params.get("origClientOrderId")
        number = int(params.get("orderId") or -1)
        hides = any(name in names or number in numbers for names, numbers in self._live())
        return ONE[path] if hides else None

    def without(self, method: str, path: str, content: Any) -> Any:
        """Return a list of orders or trades without the hidden ones."""
        if not self._groups or method != "GET" or path not in LISTED:
            return content
        hidden = {number for _, numbers in self._live() for number in numbers}
        return [row for row in content if row["orderId"] not in hidden]

    def _live(self) -> list[tuple[frozenset[str], frozenset[int]]]:
        now = time.monotonic()
        self._groups = [g for g in self._groups if g[0] is None or g[0] > now]
        return [(names, numbers) for _, names, numbers in self._groups]
