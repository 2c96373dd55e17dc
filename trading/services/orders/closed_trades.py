"""Following a position from its first fill in to its last one out, while fills are booked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from audit import trail
from exchanges.domain.orders import Side, VenueFill
from foundation.statements import insert
from trading.models import ClosedTrade, Order, Position
from trading.services.orders.order_factory import entry
from trading.services.risk import cooldowns

ZERO = Decimal(0)
COLUMNS = (
    "trade_opened_at",
    "trade_strategy",
    "trade_bought",
    "trade_bought_quote",
    "trade_sold",
    "trade_sold_quote",
    "settled_profit",
    "settled_fees",
)


def follow(
    position: Position,
    order: Order,
    fills: Iterable[VenueFill],
    *,
    is_over: bool,
    now: datetime,
    actor: str,
) -> list[trail.Entry]:
    """Count the fills just booked into the running trade, and close it when nothing is left.

    `is_over`: what is held now is nothing, or too little for the venue to take an order. Changes
    the position's columns in memory (the caller writes COLUMNS) and stores a ClosedTrade; returns
    its line for the trail. What a trade leaves behind (dust sold later, a fee valued later) counts
    into the next one, so that the sums always agree.
    """
    for fill in fills:
        if order.side == Side.BUY:
            if position.trade_opened_at is None:
                position.trade_opened_at = fill.traded_at
                position.trade_strategy = order.strategy_id
            position.trade_bought += fill.quantity
            position.trade_bought_quote += fill.quote_quantity
        elif position.trade_opened_at is not None:
            position.trade_sold += fill.quantity
            position.trade_sold_quote += fill.quote_quantity
    if not is_over or position.trade_opened_at is None or not position.trade_sold:
        return []
    trade = _close(position, now)
    line = entry(order, "trade.closed", actor, _facts(trade))
    return [line, *cooldowns.count(trade, order.account, actor=actor)]


def end(position: Position, *, now: datetime, actor: str) -> list[trail.Entry]:
    """End the running trade of a position whose last coins were taken off the books.

    Like `follow`, changes the position's columns in memory. A trade that sold nothing earned
    nothing but has paid its fees; it says nothing about its strategy, so it is no loss in a row.
    """
    if position.trade_opened_at is None:
        return []
    has_sold = bool(position.trade_sold)
    trade = _close(position, now)
    line = trail.Entry(
        kind="trade.closed",
        actor=actor,
        subject_type="position",
        subject_id=str(position.pk),
        environment=position.account.venue_account.environment,
        data=_facts(trade),
    )
    counted = cooldowns.count(trade, position.account, actor=actor) if has_sold else []
    return [line, *counted]


def _close(position: Position, now: datetime) -> ClosedTrade:
    [trade] = insert([_closed(position, now)])
    position.settled_profit = position.realised_pnl
    position.settled_fees = position.fees_quote
    position.trade_opened_at = None
    position.trade_strategy = ""
    position.trade_bought = position.trade_bought_quote = ZERO
    position.trade_sold = position.trade_sold_quote = ZERO
    return trade


def _closed(position: Position, now: datetime) -> ClosedTrade:
    assert position.trade_opened_at is not None
    paid = position.trade_bought_quote / position.trade_bought
    sold = position.trade_sold
    return ClosedTrade(
        account_id=position.account_id,
        symbol=position.symbol,
        strategy_id=position.trade_strategy,
        opened_at=position.trade_opened_at,
        closed_at=now,
        bought=position.trade_bought,
        sold=sold,
        entry_price=paid,
        exit_price=position.trade_sold_quote / sold if sold else paid,
        fees=position.fees_quote - position.settled_fees,
        profit=position.realised_pnl - position.settled_profit,
    )


def _facts(trade: ClosedTrade) -> dict[str, object]:
    return {
        "closed_trade": trade.pk,
        "outcome": trade.outcome,
        "profit": format(trade.profit, "f"),
        "fees": format(trade.fees, "f"),
        "opened_by": trade.strategy_id,
    }
