"""The venue as one object: every call is checked, run, settled, and answered with its events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from exchanges.matching import (
    amend,
    cancellation,
    execution,
    filters,
    lists,
    parameters,
    queries,
    refusals,
    rules,
    snapshots,
)
from exchanges.matching.account import DEFAULT_ORDER_LIMITS, DEFAULT_RATE, Account, OrderLimit
from exchanges.matching.enums import CancelRestriction, ExpiryReason, OrderStatus
from exchanges.matching.events import BalanceAdjusted, Event, MarketTraded
from exchanges.matching.market import Market
from exchanges.matching.records import NO_LIST, Order, OrderList, Trade
from exchanges.matching.refusals import VenueRefusal
from exchanges.matching.requests import NewOrder, NewOrderList
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
from exchanges.matching.state import State, Step

DEFAULT_PAGE = 500


class Engine:
    """See the package docstring for the whole interface.

    `order_limits` are the ORDERS rows of rateLimits. With `queue_at_touch` a resting order waits
    for the size displayed at its price to trade first; without, any print at its price fills it.
    """

    def __init__(
        self,
        order_limits: Iterable[OrderLimit] = DEFAULT_ORDER_LIMITS,
        *,
        queue_at_touch: bool = False,
    ) -> None:
        self._state = State(tuple(order_limits), queue_at_touch=queue_at_touch)

    # --- setting up ------------------------------------------------------------------------

    def add_symbol(self, entry: Mapping[str, Any]) -> None:
        """List a symbol from its raw exchangeInfo entry, or replace the rules of a listed one."""
        parsed = rules.parse_symbol(entry)
        market = self._state.markets.get(parsed.symbol)
        if market is None:
            self._state.markets[parsed.symbol] = Market(parsed)
        else:
            market.rules = parsed

    def set_symbol_status(self, symbol: str, status: str) -> None:
        """Change a symbol's status; anything but TRADING stops its orders and its matching."""
        self.add_symbol({**self._state.market(symbol).rules.entry, "status": status})

    def set_exchange_filters(self, entries: Iterable[Mapping[str, Any]]) -> None:
        """Set the limits over all symbols from exchangeInfo `exchangeFilters`."""
        self._state.exchange_rules = rules.parse_exchange(entries)

    def add_account(
        self,
        account_id: str,
        *,
        balances: Mapping[str, Decimal] | None = None,
        maker_rate: Decimal = DEFAULT_RATE,
        taker_rate: Decimal = DEFAULT_RATE,
        bnb_burn: bool = False,
        can_trade: bool = True,
    ) -> None:
        """Open an account. Raise ValueError when the id is taken."""
        if account_id in self._state.accounts:
            raise ValueError(f"account {account_id} exists already")
        account = Account(
            account_id,
            maker_rate=maker_rate,
            taker_rate=taker_rate,
            bnb_burn=bnb_burn,
            can_trade=can_trade,
            windows=len(self._state.order_limits),
        )
        for asset, amount in (balances or {}).items():
            account.balance(asset).free = amount
        self._state.accounts[account_id] = account

    def has_account(self, account_id: str) -> bool:
        return account_id in self._state.accounts

    def set_rates(
        self,
        account_id: str,
        *,
        maker_rate: Decimal | None = None,
        taker_rate: Decimal | None = None,
        bnb_burn: bool | None = None,
        can_trade: bool | None = None,
    ) -> None:
        """Change what an account pays and may do; None leaves a figure as it is."""
        account = self._state.account(account_id)
        account.maker_rate = account.maker_rate if maker_rate is None else maker_rate
        account.taker_rate = account.taker_rate if taker_rate is None else taker_rate
        account.bnb_burn = account.bnb_burn if bnb_burn is None else bnb_burn
        account.can_trade = account.can_trade if can_trade is None else can_trade

    def adjust_balance(
        self, account_id: str, asset: str, delta: Decimal, now_ms: int
    ) -> tuple[Event, ...]:
        """Deposit (positive) or withdraw free funds. Raise ValueError when there are too few."""
        balance = self._state.account(account_id).balance(asset)
        if balance.free + delta < 0:
            raise ValueError(f"{account_id} has only {balance.free} {asset} free")
        step = Step(self._state, now_ms)
        balance.free += delta
        step.touch(account_id, asset)
        step.events.append(BalanceAdjusted(account_id, now_ms, asset, delta))
        return step.finish()

    # --- the outside market ---------------------------------------------------------------

    def set_book(
        self,
        symbol: str,
        bids: Iterable[tuple[Decimal, Decimal]],
        asks: Iterable[tuple[Decimal, Decimal]],
        now_ms: int,
    ) -> tuple[Event, ...]:
        """Replace the outside depth; resting orders it now crosses fill as maker."""
        market = self._state.market(symbol)
        market.book.replace(bids, asks)
        if not market.rules.is_trading or not (market.buys or market.sells):
            return ()
        step = Step(self._state, now_ms)
        execution.shrink_queues(market)
        execution.match_book(step, market)
        return self._settle(step, market)

    def trade(
        self,
        symbol: str,
        price: Decimal,
        quantity: Decimal,
        now_ms: int,
        buyer_is_maker: bool | None = None,
    ) -> tuple[Event, ...]:
        """Print an outside trade: it fills resting orders it reaches and may fire triggers.

        `buyer_is_maker` None means the aggressor is unknown and may be either side.
        """
        market = self._state.market(symbol)
        step = Step(self._state, now_ms)
        if market.rules.is_trading:
            # Whoever traded through our price met our order on the way: our fills come first.
            if market.buys or market.sells:
                execution.match_print(step, market, price, quantity, buyer_is_maker)
            trade_id = market.print_trade(price, quantity, now_ms)
        else:
            # A halted symbol's prints are news only: they must not fire triggers.
            trade_id = market.tape.record(price, quantity, now_ms)
        step.events.append(
            MarketTraded(symbol, trade_id, price, quantity, now_ms, bool(buyer_is_maker))
        )
        return self._settle(step, market)

    def set_reference_price(self, symbol: str, price: Decimal | None) -> None:
        self._state.market(symbol).reference_price = price

    def set_price_range(self, symbol: str, price_range: PriceRange | None) -> None:
        self._state.market(symbol).price_range = price_range

    # --- orders ------------------------------------------------------------------------------

    def test(self, account_id: str, request: NewOrder, now_ms: int) -> None:
        """Raise what placing would be refused for before it reaches the engine.

        Balance, duplicate ids, triggers and the unfilled order count are not looked at.
        """
        account = self._state.account(account_id)
        market = execution.admit(self._state, account, request, now_ms)
        at = filters.Situation(market, account, self._state.exchange_rules, now_ms)
        filters.check_counts((request,), at)

    def place(self, account_id: str, request: NewOrder, now_ms: int) -> Placed:
        """Place one order. Raise VenueRefusal, with nothing changed, when it is refused."""
        account = self._state.account(account_id)
        market = execution.admit(self._state, account, request, now_ms)
        execution.check_counts(self._state, account, (request,), now_ms)
        return self._place_admitted(account, market, request, now_ms)

    def cancel(
        self,
        account_id: str,
        symbol: str,
        now_ms: int,
        *,
        order_id: int | None = None,
        client_order_id: str | None = None,
        new_client_order_id: str | None = None,
        restriction: CancelRestriction | None = None,
    ) -> Canceled:
        """Cancel one order; a leg takes its whole list along."""
        account, market = self._state.account(account_id), self._state.market(symbol)
        parameters.check_client_id(new_client_order_id)
        order = queries.find_open_order(account, symbol, order_id, client_order_id)
        _check_restriction(order, restriction)
        step = Step(self._state, now_ms)
        cancel_id = new_client_order_id or self._state.next_name()
        if order.list_id == NO_LIST:
            cancellation.cancel(step, order, cancel_id)
            shown = order.snapshot()
            return Canceled(shown, None, (shown,), self._settle(step, market))
        order_list = account.lists[order.list_id]
        legs = lists.cancel(step, account, order_list, cancel_id)
        return Canceled(
            order.snapshot(),
            order_list.snapshot(),
            tuple(leg.snapshot() for leg in legs),
            self._settle(step, market),
        )

    def expire(
        self, account_id: str, symbol: str, order_id: int, reason: ExpiryReason, now_ms: int
    ) -> tuple[Event, ...]:
        """End an open order as the venue itself does. Raise -2011 when it is not open."""
        account, market = self._state.account(account_id), self._state.market(symbol)
        order = queries.find_open_order(account, symbol, order_id, None)
        step = Step(self._state, now_ms)
        cancellation.expire(step, order, reason)
        return self._settle(step, market)

    def cancel_replace(
        self,
        account_id: str,
        request: NewOrder,
        now_ms: int,
        *,
        stop_on_failure: bool = True,
        cancel_order_id: int | None = None,
        cancel_client_order_id: str | None = None,
        cancel_new_client_order_id: str | None = None,
        restriction: CancelRestriction | None = None,
        cancel_only_when_limited: bool = False,
    ) -> CancelReplaced:
        """Cancel one order and place another; not atomic, as the venue's is not.

        Parameters, filters and the order count are looked at before the cancel, and a failure
        there raises with nothing changed. With `cancel_only_when_limited` a full order count
        still lets the cancel through.
        """
        account = self._state.account(account_id)
        market = execution.admit(self._state, account, request, now_ms)
        if not market.rules.cancel_replace_allowed:
            raise refusals.rejected("Order cancel-replace is not supported for this symbol.")
        limited: VenueRefusal | None = None
        try:
            execution.check_counts(self._state, account, (request,), now_ms)
        except VenueRefusal as refusal:
            if refusal.code != -1015 or not cancel_only_when_limited:
                raise
            limited = refusal
        canceled: Canceled | VenueRefusal
        try:
            canceled = self.cancel(
                account_id,
                request.symbol,
                now_ms,
                order_id=cancel_order_id,
                client_order_id=cancel_client_order_id,
                new_client_order_id=cancel_new_client_order_id,
                restriction=restriction,
            )
        except VenueRefusal as refusal:
            canceled = refusal
        events = canceled.events if isinstance(canceled, Canceled) else ()
        if limited is not None:
            return CancelReplaced(canceled, limited, events)
        if isinstance(canceled, VenueRefusal) and stop_on_failure:
            # An order that was not attempted counts all the same.
            account.add_to_counts(self._state.order_limits, 1, now_ms)
            return CancelReplaced(canceled, None, events)
        try:
            placed = self._place_admitted(account, market, request, now_ms)
        except VenueRefusal as refusal:
            return CancelReplaced(canceled, refusal, events)
        return CancelReplaced(canceled, placed, events + placed.events)

    def cancel_all(self, account_id: str, symbol: str, now_ms: int) -> AllCanceled:
        """Cancel every open order and list of a symbol. Raise -2011 when there is none."""
        account, market = self._state.account(account_id), self._state.market(symbol)
        held = account.open_on(symbol)
        if not held:
            raise refusals.unknown_to_cancel()
        step = Step(self._state, now_ms)
        orders: list[Order] = []
        groups: list[tuple[OrderList, tuple[Order, ...]]] = []
        while held:
            order = next(iter(held.values()))
            cancel_id = self._state.next_name()
            if order.list_id == NO_LIST:
                cancellation.cancel(step, order, cancel_id)
                orders.append(order.snapshot())
                continue
            order_list = account.lists[order.list_id]
            legs = lists.cancel(step, account, order_list, cancel_id)
            groups.append((order_list.snapshot(), tuple(leg.snapshot() for leg in legs)))
        return AllCanceled(tuple(orders), tuple(groups), self._settle(step, market))

    def amend(
        self,
        account_id: str,
        symbol: str,
        new_quantity: Decimal,
        now_ms: int,
        *,
        order_id: int | None = None,
        client_order_id: str | None = None,
        new_client_order_id: str | None = None,
    ) -> Amended:
        """Reduce an open order's quantity in place: it keeps its time priority."""
        account, market = self._state.account(account_id), self._state.market(symbol)
        parameters.check_client_id(new_client_order_id)
        order = queries.find_open_order(account, symbol, order_id, client_order_id)
        step = Step(self._state, now_ms)
        order_list = amend.reduce(step, market, account, order, new_quantity, new_client_order_id)
        return Amended(
            order.snapshot(),
            order_list.snapshot() if order_list is not None else None,
            self._settle(step, market),
        )

    # --- order lists -----------------------------------------------------------------------

    def place_list(self, account_id: str, request: NewOrderList, now_ms: int) -> ListPlaced:
        """Place an order list. Raise VenueRefusal, with nothing changed, when it is refused."""
        account = self._state.account(account_id)
        market = lists.admit(self._state, account, request, now_ms)
        step = Step(self._state, now_ms)
        order_list, legs, fills = lists.place(step, market, account, request)
        # The reply is written before fills of the working leg set the pending legs free.
        shown_list, shown = order_list.snapshot(), tuple(leg.snapshot() for leg in legs)
        return ListPlaced(shown_list, shown, tuple(fills), self._settle(step, market))

    def cancel_list(
        self,
        account_id: str,
        symbol: str,
        now_ms: int,
        *,
        list_id: int | None = None,
        list_client_order_id: str | None = None,
        new_client_order_id: str | None = None,
    ) -> Canceled:
        """Cancel all legs of a list. `Canceled.order` is the first of them."""
        account, market = self._state.account(account_id), self._state.market(symbol)
        parameters.check_client_id(new_client_order_id)
        if list_id is None and list_client_order_id is None:
            raise refusals.missing_either("orderListId", "listClientOrderId")
        found = queries.find_list(account, symbol, list_id, list_client_order_id, only_open=True)
        if found is None:
            raise refusals.unknown_to_cancel()
        step = Step(self._state, now_ms)
        legs = lists.cancel(step, account, found, new_client_order_id or self._state.next_name())
        shown = tuple(leg.snapshot() for leg in legs)
        return Canceled(shown[0], found.snapshot(), shown, self._settle(step, market))

    # --- questions -----------------------------------------------------------------------------

    def order(
        self,
        account_id: str,
        symbol: str,
        *,
        order_id: int | None = None,
        client_order_id: str | None = None,
    ) -> Order:
        """Raise -2013 when unknown, -2039 when both ids are given and disagree."""
        self._state.market(symbol)
        account = self._state.account(account_id)
        return queries.find_order(account, symbol, order_id, client_order_id).snapshot()

    def open_orders(self, account_id: str, symbol: str | None = None) -> tuple[Order, ...]:
        if symbol is not None:
            self._state.market(symbol)
        return queries.open_orders(self._state.account(account_id), symbol)

    def all_orders(
        self,
        account_id: str,
        symbol: str,
        *,
        from_order_id: int | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = DEFAULT_PAGE,
    ) -> tuple[Order, ...]:
        self._state.market(symbol)
        account = self._state.account(account_id)
        return queries.all_orders(account, symbol, from_order_id, start_ms, end_ms, limit)

    def trades(
        self,
        account_id: str,
        symbol: str,
        *,
        order_id: int | None = None,
        from_id: int | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = DEFAULT_PAGE,
    ) -> tuple[Trade, ...]:
        self._state.market(symbol)
        account = self._state.account(account_id)
        return queries.trades(account, symbol, order_id, from_id, start_ms, end_ms, limit)

    def order_list(
        self,
        account_id: str,
        *,
        list_id: int | None = None,
        list_client_order_id: str | None = None,
    ) -> OrderList:
        if list_id is None and list_client_order_id is None:
            raise refusals.missing_either("origClientOrderId", "orderListId")
        account = self._state.account(account_id)
        found = queries.find_list(account, None, list_id, list_client_order_id)
        if found is None:
            raise refusals.no_such_list()
        return found.snapshot()

    def list_orders(self, order_list: OrderList) -> tuple[Order, ...]:
        """Return the legs of a list as they are now, in venue order."""
        account = self._state.account(order_list.account_id)
        return tuple(
            account.order(order_list.symbol, order_id).snapshot()
            for order_id in order_list.order_ids
        )

    def open_order_lists(self, account_id: str) -> tuple[OrderList, ...]:
        account = self._state.account(account_id)
        return tuple(held.snapshot() for held in account.open_lists.values())

    def all_order_lists(
        self,
        account_id: str,
        *,
        from_id: int | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = DEFAULT_PAGE,
    ) -> tuple[OrderList, ...]:
        rows = list(self._state.account(account_id).lists.values())
        chosen = queries.page(
            rows, lambda x: x.list_id, lambda x: x.created_ms, from_id, start_ms, end_ms, limit
        )
        return tuple(held.snapshot() for held in chosen)

    def account(self, account_id: str) -> AccountView:
        return queries.account_view(self._state.account(account_id))

    def order_counts(self, account_id: str, now_ms: int) -> tuple[OrderCount, ...]:
        return queries.order_counts(self._state, self._state.account(account_id), now_ms)

    def depth(self, symbol: str, limit: int = 100) -> BookView:
        """Return outside depth with our resting orders in it."""
        return queries.depth(self._state.market(symbol), limit)

    def outside(self, symbol: str) -> BookView:
        """Return the whole outside depth, without our resting orders."""
        book = self._state.market(symbol).book
        bids, asks = (tuple((p, q) for p, q in rows) for rows in (book.bids, book.asks))
        return BookView(book.update_id, bids, asks)

    def best(self, symbol: str) -> BookView:
        return queries.depth(self._state.market(symbol), 1)

    def last_price(self, symbol: str) -> Decimal | None:
        return self._state.market(symbol).tape.last_price

    def average_price(self, symbol: str, minutes: int, now_ms: int) -> Decimal | None:
        """Return the volume-weighted price of the last `minutes` (at most 15)."""
        return self._state.market(symbol).tape.average(minutes, now_ms)

    def reference_price(self, symbol: str) -> Decimal | None:
        return self._state.market(symbol).reference_price

    @property
    def symbols(self) -> Mapping[str, SymbolRules]:
        return {symbol: market.rules for symbol, market in self._state.markets.items()}

    @property
    def accounts(self) -> tuple[str, ...]:
        return tuple(self._state.accounts)

    # --- surviving a restart -----------------------------------------------------------------

    def snapshot(self) -> dict[str, Any]:
        """Return the whole state as JSON-serialisable data."""
        return snapshots.dump(self._state)

    @classmethod
    def restore(cls, data: Mapping[str, Any]) -> Engine:
        """Build an engine that behaves exactly as the one `data` was taken from."""
        engine = cls.__new__(cls)
        engine._state = snapshots.load(data)
        return engine

    # --- inside -------------------------------------------------------------------------------

    def _place_admitted(
        self, account: Account, market: Market, request: NewOrder, now_ms: int
    ) -> Placed:
        step = Step(self._state, now_ms)
        fills = execution.place(step, market, account, request)
        # The reply is written before this order's own trades fire anybody's triggers.
        shown = account.orders[request.symbol][-1].snapshot()
        return Placed(shown, tuple(fills), self._settle(step, market))

    def _settle(self, step: Step, market: Market) -> tuple[Event, ...]:
        """Work off what the call set in motion: triggers first, then ends of list legs.

        Ends because every order fires, ends and activates at most once.
        """
        while True:
            if market.prints:
                execution.watch(step, market, market.prints.popleft())
            elif step.closed_legs:
                lists.react(step, step.closed_legs.popleft())
            else:
                return step.finish()


def _check_restriction(order: Order, restriction: CancelRestriction | None) -> None:
    wanted = {
        CancelRestriction.ONLY_NEW: OrderStatus.NEW,
        CancelRestriction.ONLY_PARTIALLY_FILLED: OrderStatus.PARTIALLY_FILLED,
    }
    if restriction is not None and order.status is not wanted[restriction]:
        raise refusals.restricted_cancel()
