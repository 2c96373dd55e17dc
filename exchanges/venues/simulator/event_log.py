"""The venue's own diary: what happened to every order, trade and balance, in order, to the ms.

It knows nothing of its clients. A referee reads it over `/control/events`; it lives in memory, as
long as the process does. Times are true time, whatever skew a drill has put on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from exchanges.matching.enums import TRIGGER_TYPES, ExecutionType, OrderStatus
from exchanges.matching.events import (
    BalanceAdjusted,
    BalancesChanged,
    Event,
    ListChanged,
    OrderChanged,
)
from exchanges.venues.simulator.faults import Fault
from exchanges.venues.simulator.params import SECURITY_NAMES

MOST_ROWS = 500_000
MOST_AT_ONCE = 20_000
WORDS = {
    ExecutionType.TRADE: "order.trade",
    ExecutionType.CANCELED: "order.cancelled",
    ExecutionType.REPLACED: "order.amended",
    ExecutionType.REJECTED: "order.rejected",
    ExecutionType.EXPIRED: "order.expired",
}


class EventLog:
    """Rows are numbered from 1 on; the oldest are forgotten when there are too many."""

    def __init__(self) -> None:
        self._rows: deque[dict[str, Any]] = deque(maxlen=MOST_ROWS)
        self._last = 0
        self._is_by_hand = False
        self._placed_by_hand: set[int] = set()

    def after(self, number: int, limit: int = MOST_AT_ONCE) -> list[dict[str, Any]]:
        """Return at most `limit` rows with a higher number, oldest first."""
        if not self._rows:
            return []
        start = max(0, number + 1 - self._rows[0]["n"])
        return [self._rows[i] for i in range(start, min(start + limit, len(self._rows)))]

    @contextmanager
    def by_hand(self) -> Iterator[None]:
        """Mark orders placed in this block: a person's, for as long as they live."""
        self._is_by_hand = True
        try:
            yield
        finally:
            self._is_by_hand = False

    def absorb(self, events: Sequence[Event]) -> None:
        """Write down the events of one engine call. The public tape is not kept."""
        for event in events:
            if isinstance(event, OrderChanged):
                self._add(event.at_ms, _word(event), **_of_order(event), **self._mark(event))
            elif isinstance(event, ListChanged):
                self._add(event.at_ms, "list", **_of_list(event))
            elif isinstance(event, BalancesChanged):
                for asset, free, locked in event.balances:
                    row = {"asset": asset, "free": str(free), "locked": str(locked)}
                    self._add(event.at_ms, "balance", account=event.account_id, **row)
            elif isinstance(event, BalanceAdjusted):
                row = {"asset": event.asset, "delta": str(event.delta)}
                self._add(event.at_ms, "moved", account=event.account_id, **row)

    def refused(
        self, at_ms: int, account: str, asked: tuple[str, str, Mapping[str, str]], why: Any
    ) -> None:
        """Write down an order or cancel that was refused. `asked`: method, path, parameters."""
        self._add(
            at_ms, "refused", account=account, **_asked(*asked), code=why.code, message=why.msg
        )

    def hit(
        self, at_ms: int, account: str, asked: tuple[str, str, Mapping[str, str]], fault: Fault
    ) -> None:
        """Write down that a fault met a request."""
        executed = bool(fault.effect.get("execute"))
        what = {"fault": fault.kind, "fault_id": fault.number, "executed": executed}
        self._add(at_ms, "fault", account=account, **_asked(*asked), **what)

    def priced(self, at_ms: int, symbol: str, price: str) -> None:
        """Write down that a person moved the price."""
        self._add(at_ms, "price", symbol=symbol, price=price)

    def wiped(self, at_ms: int) -> None:
        """Write down that orders, trades and balances were forgotten."""
        self._placed_by_hand.clear()
        self._add(at_ms, "wipe")

    def _mark(self, event: OrderChanged) -> dict[str, bool]:
        number = event.order.order_id
        if self._is_by_hand and event.execution_type is ExecutionType.NEW:
            self._placed_by_hand.add(number)
        return {"by_hand": True} if number in self._placed_by_hand else {}

    def _add(self, at_ms: int, kind: str, **row: Any) -> None:
        self._last += 1
        self._rows.append({"n": self._last, "at_ms": at_ms, "kind": kind, **row})


def _word(event: OrderChanged) -> str:
    if event.execution_type is not ExecutionType.NEW:
        return WORDS[event.execution_type]
    if event.order.status is OrderStatus.PENDING_NEW:
        return "order.pending"
    if event.order.type in TRIGGER_TYPES and event.order.is_working:
        return "order.triggered"
    return "order.working"


def _of_order(event: OrderChanged) -> dict[str, Any]:
    order = event.order
    row: dict[str, Any] = {
        "account": event.account_id,
        "symbol": order.symbol,
        "order_id": order.order_id,
        "list_id": order.list_id,
        # What the client called it, whatever a cancel renamed it to.
        "client_id": order.original_client_order_id or order.client_order_id,
        "side": order.side.value,
        "type": order.type.value,
        "status": order.status.value,
        "quantity": str(order.quantity),
        "executed": str(order.executed_quantity),
        "price": str(order.price),
        "stop_price": None if order.stop_price is None else str(order.stop_price),
    }
    if order.expiry_reason is not None:
        row["reason"] = order.expiry_reason.value
    if event.execution_type is ExecutionType.TRADE:
        row |= {
            "trade_id": event.trade_id,
            "last_quantity": str(event.last_quantity),
            "last_price": str(event.last_price),
            "commission": str(event.commission),
            "commission_asset": event.commission_asset,
        }
    return row


def _of_list(event: ListChanged) -> dict[str, Any]:
    entry = event.order_list
    return {
        "account": event.account_id,
        "symbol": entry.symbol,
        "list_id": entry.list_id,
        "client_id": entry.client_order_id,
        "status": entry.order_status.value,
        "orders": list(entry.order_ids),
    }


def _asked(method: str, path: str, params: Mapping[str, str]) -> dict[str, Any]:
    told = {name: value for name, value in params.items() if name not in SECURITY_NAMES}
    return {"symbol": params.get("symbol"), "method": method, "path": path, "params": told}
