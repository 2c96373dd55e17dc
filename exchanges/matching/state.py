"""Everything the venue remembers, and the log of one call's consequences."""

from __future__ import annotations

from collections import deque

from exchanges.matching import refusals
from exchanges.matching.account import DEFAULT_ORDER_LIMITS, Account, OrderLimit
from exchanges.matching.enums import ExecutionType
from exchanges.matching.events import (
    BalancesChanged,
    Event,
    ListChanged,
    MarketTraded,
    OrderChanged,
)
from exchanges.matching.filters import UNLIMITED
from exchanges.matching.market import Market
from exchanges.matching.records import Order, OrderList, Trade
from exchanges.matching.rules import ExchangeRules


class State:
    """Markets, accounts and the counters every new id comes from."""

    def __init__(
        self,
        order_limits: tuple[OrderLimit, ...] = DEFAULT_ORDER_LIMITS,
        *,
        queue_at_touch: bool = False,
    ) -> None:
        self.order_limits = order_limits
        self.queue_at_touch = queue_at_touch
        self.exchange_rules: ExchangeRules = UNLIMITED
        self.markets: dict[str, Market] = {}
        self.accounts: dict[str, Account] = {}
        self.last_order_id = 0
        self.last_list_id = 0
        self.last_execution_id = 0
        self.last_name = 0
        self.revision = 0

    def market(self, symbol: str) -> Market:
        market = self.markets.get(symbol)
        if market is None:
            raise refusals.unknown_symbol()
        return market

    def account(self, account_id: str) -> Account:
        return self.accounts[account_id]

    def next_order_id(self) -> int:
        self.last_order_id += 1
        return self.last_order_id

    def next_list_id(self) -> int:
        self.last_list_id += 1
        return self.last_list_id

    def next_name(self) -> str:
        """Make a client id for an order, list or cancel that was sent without one."""
        self.last_name += 1
        return f"venue{self.last_name:017d}"


class Step:
    """One call's events in order, and what is left to look at before the call may return."""

    def __init__(self, state: State, now_ms: int) -> None:
        self.state = state
        self.now_ms = now_ms
        self.events: list[Event] = []
        self.touched: dict[str, dict[str, None]] = {}  # account -> assets, in order of touch
        self.closed_legs: deque[Order] = deque()  # list members that just came to an end

    def touch(self, account_id: str, asset: str) -> None:
        self.touched.setdefault(account_id, {})[asset] = None

    def report(
        self,
        order: Order,
        execution_type: ExecutionType,
        *,
        on_book: bool,
        reject_reason: str = "NONE",
    ) -> None:
        """Log a change that is no trade."""
        order.updated_ms = self.now_ms
        self._stamp(order)
        self.events.append(
            OrderChanged(
                order.account_id,
                self.now_ms,
                self.state.last_execution_id,
                execution_type,
                order.snapshot(),
                on_book,
                reject_reason=reject_reason,
            )
        )

    def report_trade(self, order: Order, trade: Trade, *, on_book: bool) -> None:
        """Log a fill for its owner and for the public tape."""
        order.updated_ms = self.now_ms
        self._stamp(order)
        self.events.append(
            OrderChanged(
                order.account_id,
                self.now_ms,
                self.state.last_execution_id,
                ExecutionType.TRADE,
                order.snapshot(),
                on_book,
                trade.quantity,
                trade.price,
                trade.quote_quantity,
                trade.commission,
                trade.commission_asset,
                trade.trade_id,
                trade.is_maker,
            )
        )
        self.events.append(
            MarketTraded(
                trade.symbol,
                trade.trade_id,
                trade.price,
                trade.quantity,
                self.now_ms,
                trade.is_buyer == trade.is_maker,
                is_ours=True,
            )
        )

    def report_list(self, order_list: OrderList, reject_reason: str = "NONE") -> None:
        order_list.updated_ms = self.now_ms
        self.state.revision += 1
        order_list.revision = self.state.revision
        self.events.append(
            ListChanged(order_list.account_id, self.now_ms, order_list.snapshot(), reject_reason)
        )

    def finish(self) -> tuple[Event, ...]:
        """Close the log with one balance report per touched account."""
        for account_id, assets in self.touched.items():
            account = self.state.accounts[account_id]
            account.updated_ms = self.now_ms
            rows = []
            for asset in assets:
                balance = account.balance(asset)
                rows.append((asset, balance.free, balance.locked))
            self.events.append(BalancesChanged(account_id, self.now_ms, tuple(rows)))
        return tuple(self.events)

    def _stamp(self, order: Order) -> None:
        self.state.revision += 1
        self.state.last_execution_id += 1
        order.revision = self.state.revision
