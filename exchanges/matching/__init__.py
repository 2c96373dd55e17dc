"""A Binance-compatible spot matching engine: pure, deterministic, no clock and no I/O of its own.

The simulator's server puts HTTP and WebSocket around it; the backtester drives it directly. Every
call takes `now_ms` (integer epoch milliseconds, never running backwards), money is `Decimal`.
Wishes the venue refuses raise `VenueRefusal(code, msg, http_status)` and change nothing.

    engine = Engine(order_limits=DEFAULT_ORDER_LIMITS)

    # setting up
    engine.add_symbol(entry)                    # one raw exchangeInfo `symbols[]` entry
    engine.set_symbol_status(symbol, status)    # TRADING, HALT, BREAK, CANCEL_ONLY ...
    engine.add_account(account_id, balances={"USDT": Decimal(10000)}, maker_rate=...,
                       taker_rate=..., bnb_burn=False, can_trade=True)
    engine.set_rates(account_id, maker_rate=..., taker_rate=..., bnb_burn=...)
    engine.adjust_balance(account_id, asset, delta, now_ms) -> tuple[Event, ...]   # deposit
    engine.set_exchange_filters(filters)        # exchangeInfo `exchangeFilters`

    # the outside market: the only counterparty there is
    engine.set_book(symbol, bids, asks, now_ms) -> tuple[Event, ...]   # rows (price, quantity)
    engine.trade(symbol, price, quantity, now_ms, buyer_is_maker=None) -> tuple[Event, ...]
    engine.set_reference_price(symbol, price | None)
    engine.set_price_range(symbol, PriceRange | None)        # execution rule

    # orders
    engine.test(account_id, NewOrder, now_ms) -> None        # what order/test checks
    engine.place(account_id, NewOrder, now_ms) -> Placed
    engine.cancel(account_id, symbol, now_ms, order_id=None, client_order_id=None,
                  new_client_order_id=None, restriction=None) -> Canceled
    engine.expire(account_id, symbol, order_id, ExpiryReason, now_ms) -> tuple[Event, ...]
    engine.cancel_replace(account_id, NewOrder, now_ms, stop_on_failure=True, cancel_order_id=None,
                  cancel_client_order_id=None, cancel_new_client_order_id=None, restriction=None,
                  cancel_only_when_limited=False) -> CancelReplaced
    engine.cancel_all(account_id, symbol, now_ms) -> AllCanceled
    engine.amend(account_id, symbol, new_quantity, now_ms, order_id=None, client_order_id=None,
                 new_client_order_id=None) -> Amended

    # order lists (OCO above/below, OTO, OTOCO; `pays=True` makes OPO, OPOCO)
    engine.place_list(account_id, NewOco | NewOto | NewOtoco, now_ms) -> ListPlaced
    engine.cancel_list(account_id, symbol, now_ms, list_id=None, list_client_order_id=None,
                       new_client_order_id=None) -> Canceled

    # questions; all answers are copies
    engine.order(account_id, symbol, order_id=None, client_order_id=None) -> Order
    engine.open_orders(account_id, symbol=None) -> tuple[Order, ...]
    engine.all_orders(account_id, symbol, from_order_id=None, start_ms=None, end_ms=None,
                      limit=500) -> tuple[Order, ...]
    engine.trades(account_id, symbol, order_id=None, from_id=None, start_ms=None, end_ms=None,
                  limit=500) -> tuple[Trade, ...]
    engine.order_list(account_id, list_id=None, list_client_order_id=None) -> OrderList
    engine.list_orders(order_list) -> tuple[Order, ...]       # its legs, in venue order
    engine.open_order_lists(account_id) / engine.all_order_lists(account_id, from_id=None,
                            start_ms=None, end_ms=None, limit=500) -> tuple[OrderList, ...]
    engine.account(account_id) -> AccountView
    engine.order_counts(account_id, now_ms) -> tuple[OrderCount, ...]
    engine.depth(symbol, limit=100) -> BookView               # outside depth plus our orders
    engine.best(symbol) -> BookView                           # one row a side (or none)
    engine.last_price(symbol) -> Decimal | None
    engine.average_price(symbol, minutes, now_ms) -> Decimal | None
    engine.reference_price(symbol) -> Decimal | None
    engine.symbols -> Mapping[str, SymbolRules]               # .entry is the raw exchangeInfo entry

    # surviving a restart
    engine.snapshot() -> dict                                  # JSON-serialisable
    Engine.restore(dict) -> Engine

Choices worth knowing:

* Our accounts' orders never meet each other: every fill is against the outside market, so
  self-trade prevention never has anything to prevent (its mode is stored and echoed).
* Outside depth that a fill consumed stays consumed until the next `set_book`.
* Triggers watch the last trade only. A price source that never calls `trade` never fires a stop.
* A resting order fills as maker when an outside quote crosses it or an outside trade prints at or
  through its price, by at most the quantity that crossed.
"""

from exchanges.matching.account import DEFAULT_ORDER_LIMITS, OrderLimit
from exchanges.matching.engine import Engine
from exchanges.matching.enums import (
    CancelRestriction,
    ExecutionType,
    ExpiryReason,
    ListOrderStatus,
    ListStatusType,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
)
from exchanges.matching.events import (
    BalanceAdjusted,
    BalancesChanged,
    Event,
    ListChanged,
    MarketTraded,
    OrderChanged,
)
from exchanges.matching.records import Order, OrderList, Trade
from exchanges.matching.refusals import VenueRefusal
from exchanges.matching.requests import NewOco, NewOrder, NewOrderList, NewOto, NewOtoco
from exchanges.matching.results import (
    AccountView,
    AllCanceled,
    Amended,
    BookView,
    Canceled,
    CancelReplaced,
    ListPlaced,
    OrderCount,
    Placed,
)
from exchanges.matching.rules import PriceRange, SymbolRules

__all__ = [
    "DEFAULT_ORDER_LIMITS",
    "AccountView",
    "AllCanceled",
    "Amended",
    "BalanceAdjusted",
    "BalancesChanged",
    "BookView",
    "CancelReplaced",
    "CancelRestriction",
    "Canceled",
    "Engine",
    "Event",
    "ExecutionType",
    "ExpiryReason",
    "ListChanged",
    "ListOrderStatus",
    "ListPlaced",
    "ListStatusType",
    "MarketTraded",
    "NewOco",
    "NewOrder",
    "NewOrderList",
    "NewOto",
    "NewOtoco",
    "Order",
    "OrderChanged",
    "OrderCount",
    "OrderLimit",
    "OrderList",
    "OrderStatus",
    "OrderType",
    "Placed",
    "PriceRange",
    "Side",
    "SymbolRules",
    "TimeInForce",
    "Trade",
    "VenueRefusal",
]
