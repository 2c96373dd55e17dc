"""One trading account: money, rates, its orders and how many of them are unfilled."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from decimal import Decimal

from exchanges.matching.records import Balance, Order, OrderList, Trade

SPAN_MS = {"SECOND": 1_000, "MINUTE": 60_000, "DAY": 86_400_000}
DEFAULT_RATE = Decimal("0.001")


@dataclass(frozen=True, slots=True)
class OrderLimit:
    """One ORDERS row of exchangeInfo `rateLimits`."""

    interval: str
    interval_num: int
    limit: int

    @property
    def span_ms(self) -> int:
        return SPAN_MS[self.interval] * self.interval_num


DEFAULT_ORDER_LIMITS = (OrderLimit("SECOND", 10, 100), OrderLimit("DAY", 1, 200_000))


class Account:
    """Balances never go below zero: callers check before they move money."""

    def __init__(
        self,
        account_id: str,
        *,
        maker_rate: Decimal = DEFAULT_RATE,
        taker_rate: Decimal = DEFAULT_RATE,
        bnb_burn: bool = False,
        can_trade: bool = True,
        windows: int = 2,
    ) -> None:
        self.account_id = account_id
        self.maker_rate = maker_rate
        self.taker_rate = taker_rate
        self.bnb_burn = bnb_burn
        self.can_trade = can_trade
        self.updated_ms = 0
        self.balances: dict[str, Balance] = {}
        self.windows: list[list[int]] = [[0, 0] for _ in range(windows)]  # [window start, count]
        self.orders: dict[str, list[Order]] = {}  # by symbol, ids rising
        self.open: dict[str, dict[int, Order]] = {}  # by symbol, ids rising
        self.by_client_id: dict[tuple[str, str], Order] = {}  # latest holder of an id
        self.trades: dict[str, list[Trade]] = {}  # by symbol, ids rising
        self.order_trades: dict[int, list[Trade]] = {}  # the same trades, by order id
        self.lists: dict[int, OrderList] = {}  # ids rising
        self.open_lists: dict[int, OrderList] = {}

    def balance(self, asset: str) -> Balance:
        found = self.balances.get(asset)
        if found is None:
            found = self.balances[asset] = Balance()
        return found

    def free(self, asset: str) -> Decimal:
        return self.balance(asset).free

    def note_trade(self, trade: Trade) -> None:
        self.trades.setdefault(trade.symbol, []).append(trade)
        self.order_trades.setdefault(trade.order_id, []).append(trade)

    def lock(self, asset: str, amount: Decimal) -> None:
        balance = self.balance(asset)
        balance.free -= amount
        balance.locked += amount

    def unlock(self, asset: str, amount: Decimal) -> None:
        balance = self.balance(asset)
        balance.locked -= amount
        balance.free += amount

    def open_on(self, symbol: str) -> dict[int, Order]:
        found = self.open.get(symbol)
        if found is None:
            found = self.open[symbol] = {}
        return found

    def order(self, symbol: str, order_id: int) -> Order:
        """Find one of the account's orders by id; raise KeyError when there is none."""
        held = self.orders.get(symbol, [])
        index = bisect_left(held, order_id, key=_order_id)
        if index == len(held) or held[index].order_id != order_id:
            raise KeyError(order_id)
        return held[index]

    def open_with_client_id(self, symbol: str, client_order_id: str) -> Order | None:
        order = self.by_client_id.get((symbol, client_order_id))
        if order is None or not order.is_open or order.client_order_id != client_order_id:
            return None
        return order

    def count_in(self, index: int, span_ms: int, now_ms: int) -> int:
        """Return the unfilled count of the window that `now_ms` falls in."""
        start, count = self.windows[index]
        return count if start == now_ms - now_ms % span_ms else 0

    def add_to_counts(self, limits: tuple[OrderLimit, ...], change: int, now_ms: int) -> None:
        """Move every window's count by `change`, never below zero (no credit is given)."""
        for index, limit in enumerate(limits):
            window = self.windows[index]
            start = now_ms - now_ms % limit.span_ms
            if window[0] != start:
                window[0], window[1] = start, 0
            window[1] = max(0, window[1] + change)


def _order_id(order: Order) -> int:
    return order.order_id
