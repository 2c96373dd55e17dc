"""Questions about what is and what was. All answers are copies."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TypeVar

from exchanges.matching import refusals
from exchanges.matching.account import Account
from exchanges.matching.market import Market
from exchanges.matching.records import Order, OrderList, Trade
from exchanges.matching.results import AccountView, BookView, OrderCount
from exchanges.matching.state import State

Row = TypeVar("Row")


def find_order(
    account: Account, symbol: str, order_id: int | None, client_order_id: str | None
) -> Order:
    """Find an order by either id (its own or, after a cancel, also its original client id)."""
    if order_id is None and client_order_id is None:
        raise refusals.missing_either("origClientOrderId", "orderId")
    if order_id is None:
        found = account.by_client_id.get((symbol, client_order_id or ""))
        if found is None:
            raise refusals.no_such_order()
        return found
    try:
        found = account.order(symbol, order_id)
    except KeyError:
        raise refusals.no_such_order() from None
    if client_order_id is not None and client_order_id not in (
        found.client_order_id,
        found.original_client_order_id,
    ):
        raise refusals.ids_disagree()
    return found


def find_open_order(
    account: Account, symbol: str, order_id: int | None, client_order_id: str | None
) -> Order:
    """Find an open order to cancel or amend: only its present client id names it."""
    if order_id is None and client_order_id is None:
        raise refusals.missing_either("origClientOrderId", "orderId")
    if order_id is None:
        order = account.open_with_client_id(symbol, client_order_id or "")
    else:
        order = account.open_on(symbol).get(order_id)
        if (
            order is not None
            and client_order_id is not None
            and order.client_order_id != client_order_id
        ):
            order = None
    if order is None:
        raise refusals.unknown_to_cancel()
    return order


def find_list(
    account: Account,
    symbol: str | None,
    list_id: int | None,
    list_client_order_id: str | None,
    *,
    only_open: bool = False,
) -> OrderList | None:
    """Find a list by either id; both must agree when both are given. Latest first by name."""
    held = account.open_lists if only_open else account.lists
    for found in reversed(held.values()):
        if symbol is not None and found.symbol != symbol:
            continue
        if list_id is not None and found.list_id != list_id:
            continue
        if list_client_order_id is not None and found.client_order_id != list_client_order_id:
            continue
        return found
    return None


def open_orders(account: Account, symbol: str | None) -> tuple[Order, ...]:
    held = (
        (o for orders in account.open.values() for o in orders.values())
        if symbol is None
        else account.open_on(symbol).values()
    )
    return tuple(o.snapshot() for o in sorted(held, key=_id_of_order))


def all_orders(
    account: Account,
    symbol: str,
    from_order_id: int | None,
    start_ms: int | None,
    end_ms: int | None,
    limit: int,
) -> tuple[Order, ...]:
    rows = account.orders.get(symbol, [])
    chosen = page(rows, _id_of_order, _created_of, from_order_id, start_ms, end_ms, limit)
    return tuple(o.snapshot() for o in chosen)


def trades(
    account: Account,
    symbol: str,
    order_id: int | None,
    from_id: int | None,
    start_ms: int | None,
    end_ms: int | None,
    limit: int,
) -> tuple[Trade, ...]:
    rows = account.trades.get(symbol, [])
    if order_id is not None:
        rows = [t for t in account.order_trades.get(order_id, []) if t.symbol == symbol]
    return tuple(page(rows, _id_of_trade, _time_of, from_id, start_ms, end_ms, limit))


def page(
    rows: Sequence[Row],
    id_of: Callable[[Row], int],
    time_of: Callable[[Row], int],
    from_id: int | None,
    start_ms: int | None,
    end_ms: int | None,
    limit: int,
) -> Sequence[Row]:
    """Cut a page the venue's way: forward from an id or a start, otherwise the newest rows."""
    # Ids and times only rise along the rows, so their bounds are found by bisection.
    low, high = 0, len(rows)
    if from_id is not None:
        low = bisect_left(rows, from_id, key=id_of)
    if start_ms is not None:
        low = max(low, bisect_left(rows, start_ms, key=time_of))
    if end_ms is not None:
        high = bisect_right(rows, end_ms, key=time_of)
    if from_id is not None or start_ms is not None:
        return rows[low : min(high, low + limit)]
    return rows[max(low, high - limit) : high]


def account_view(account: Account) -> AccountView:
    return AccountView(
        account_id=account.account_id,
        maker_rate=account.maker_rate,
        taker_rate=account.taker_rate,
        can_trade=account.can_trade,
        bnb_burn=account.bnb_burn,
        updated_ms=account.updated_ms,
        balances=tuple(
            (asset, balance.free, balance.locked)
            for asset, balance in sorted(account.balances.items())
        ),
    )


def order_counts(state: State, account: Account, now_ms: int) -> tuple[OrderCount, ...]:
    return tuple(
        OrderCount(
            limit.interval,
            limit.interval_num,
            limit.limit,
            account.count_in(index, limit.span_ms, now_ms),
        )
        for index, limit in enumerate(state.order_limits)
    )


def depth(market: Market, limit: int) -> BookView:
    """Merge outside depth with our resting orders, as everybody would see it."""
    book = market.book
    return BookView(
        book.update_id,
        _merge(book.bids, market.buys, limit, best_is_high=True),
        _merge(book.asks, market.sells, limit, best_is_high=False),
    )


def _merge(
    rows: Sequence[Sequence[Decimal]], ours: Sequence[Order], limit: int, *, best_is_high: bool
) -> tuple[tuple[Decimal, Decimal], ...]:
    if not ours:
        return tuple((row[0], row[1]) for row in rows[:limit])
    sizes = {row[0]: row[1] for row in rows}
    for order in ours:
        sizes[order.price] = sizes.get(order.price, Decimal(0)) + order.remaining
    return tuple(sorted(sizes.items(), reverse=best_is_high))[:limit]


def _id_of_order(order: Order) -> int:
    return order.order_id


def _created_of(order: Order) -> int:
    return order.created_ms


def _id_of_trade(trade: Trade) -> int:
    return trade.trade_id


def _time_of(trade: Trade) -> int:
    return trade.at_ms
