"""Engine records and events in the venue's JSON shapes: exact names, figures as strings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from exchanges.matching.enums import OrderStatus
from exchanges.matching.events import BalanceAdjusted, BalancesChanged, ListChanged, OrderChanged
from exchanges.matching.records import Order, OrderList, Trade
from exchanges.matching.results import Canceled, ListPlaced

Json = dict[str, Any]


def money(value: Decimal | None) -> str:
    """Write a figure with eight decimals; None is zero."""
    return f"{value:.8f}" if value else "0.00000000"


# --- orders -------------------------------------------------------------------------------------


def ack(order: Order, at_ms: int) -> Json:
    return {
        "symbol": order.symbol,
        "orderId": order.order_id,
        "orderListId": order.list_id,
        "clientOrderId": order.client_order_id,
        "transactTime": at_ms,
    }


def result(order: Order, at_ms: int) -> Json:
    reply = ack(order, at_ms)
    reply.update(_figures(order))
    reply.update(_conditional(order))
    reply["workingTime"] = order.working_ms
    reply["selfTradePreventionMode"] = order.self_trade_prevention
    return reply


def full(order: Order, fills: Iterable[Trade], at_ms: int) -> Json:
    reply = result(order, at_ms)
    reply["fills"] = [fill(trade) for trade in fills]
    return reply


def placement(order: Order, fills: Sequence[Trade], at_ms: int, response_type: str) -> Json:
    """Return the placement reply of the asked-for length: ACK, RESULT or FULL."""
    if response_type == "ACK":
        return ack(order, at_ms)
    if response_type == "RESULT":
        return result(order, at_ms)
    return full(order, fills, at_ms)


def fill(trade: Trade) -> Json:
    return {
        "price": money(trade.price),
        "qty": money(trade.quantity),
        "commission": money(trade.commission),
        "commissionAsset": trade.commission_asset,
        "tradeId": trade.trade_id,
    }


def canceled(order: Order, at_ms: int) -> Json:
    """Return the cancel reply: the order under its new name, the old one beside it."""
    reply: Json = {
        "symbol": order.symbol,
        "origClientOrderId": order.original_client_order_id or order.client_order_id,
        "orderId": order.order_id,
        "orderListId": order.list_id,
        "clientOrderId": order.client_order_id,
        "transactTime": at_ms,
    }
    reply.update(_figures(order))
    reply.update(_conditional(order))
    reply["selfTradePreventionMode"] = order.self_trade_prevention
    return reply


def query(order: Order) -> Json:
    """Return what `GET order`, `openOrders` and `allOrders` show."""
    reply: Json = {
        "symbol": order.symbol,
        "orderId": order.order_id,
        "orderListId": order.list_id,
        "clientOrderId": order.client_order_id,
    }
    reply.update(_figures(order))
    reply.update(_conditional(order))
    reply["stopPrice"] = money(order.stop_price)  # unlike placement replies, always present here
    reply["icebergQty"] = money(order.iceberg_quantity)
    reply["time"] = order.created_ms
    reply["updateTime"] = order.updated_ms
    reply["isWorking"] = order.is_working
    reply["workingTime"] = order.working_ms
    reply["selfTradePreventionMode"] = order.self_trade_prevention
    return reply


def _figures(order: Order) -> Json:
    return {
        "price": money(order.price),
        "origQty": money(order.quantity),
        "executedQty": money(order.executed_quantity),
        "origQuoteOrderQty": money(order.quote_quantity),
        "cummulativeQuoteQty": money(order.executed_quote),
        "status": order.status.value,
        "timeInForce": order.time_in_force.value,
        "type": order.type.value,
        "side": order.side.value,
    }


def _conditional(order: Order) -> Json:
    fields: Json = {}
    if order.stop_price is not None:
        fields["stopPrice"] = money(order.stop_price)
    if order.iceberg_quantity:
        fields["icebergQty"] = money(order.iceberg_quantity)
    if order.trailing_delta is not None:
        fields["trailingDelta"] = order.trailing_delta
    if order.trailing_ms is not None:
        fields["trailingTime"] = order.trailing_ms
    if order.strategy_id is not None:
        fields["strategyId"] = order.strategy_id
    if order.strategy_type is not None:
        fields["strategyType"] = order.strategy_type
    if order.expiry_reason is not None:
        fields["expiryReason"] = order.expiry_reason.value
    return fields


def my_trade(trade: Trade) -> Json:
    return {
        "symbol": trade.symbol,
        "id": trade.trade_id,
        "orderId": trade.order_id,
        "orderListId": trade.list_id,
        "price": money(trade.price),
        "qty": money(trade.quantity),
        "quoteQty": money(trade.quote_quantity),
        "commission": money(trade.commission),
        "commissionAsset": trade.commission_asset,
        "time": trade.at_ms,
        "isBuyer": trade.is_buyer,
        "isMaker": trade.is_maker,
        "isBestMatch": True,
    }


# --- order lists --------------------------------------------------------------------------------


def order_list(entry: OrderList) -> Json:
    """Return an order list without its legs' details."""
    return {
        "orderListId": entry.list_id,
        "contingencyType": entry.contingency,
        "listStatusType": entry.status_type.value,
        "listOrderStatus": entry.order_status.value,
        "listClientOrderId": entry.client_order_id,
        "transactionTime": entry.updated_ms,
        "symbol": entry.symbol,
        "orders": [
            {"symbol": entry.symbol, "orderId": order_id, "clientOrderId": client_id}
            for order_id, client_id in entry.legs
        ],
    }


def list_placement(placed: ListPlaced, at_ms: int, response_type: str) -> Json:
    reply = order_list(placed.order_list)
    reply["transactionTime"] = at_ms
    reports = []
    for order in placed.orders:
        fills = [trade for trade in placed.fills if trade.order_id == order.order_id]
        # Legs that have not traded carry no `fills`, not even an empty one.
        kind = "RESULT" if response_type == "FULL" and not fills else response_type
        reports.append(placement(order, fills, at_ms, kind))
    reply["orderReports"] = reports
    return reply


def list_cancel(entry: OrderList, orders: Sequence[Order], at_ms: int) -> Json:
    reply = order_list(entry)
    reply["transactionTime"] = at_ms
    reply["orderReports"] = [canceled(order, at_ms) for order in orders]
    return reply


def cancellation(outcome: Canceled, at_ms: int) -> Json:
    """Return the reply of `DELETE order`: a leg takes its whole list with it."""
    if outcome.order_list is None:
        return canceled(outcome.order, at_ms)
    return list_cancel(outcome.order_list, outcome.orders, at_ms)


# --- user stream --------------------------------------------------------------------------------


def execution_report(event: OrderChanged, shown_ms: int) -> Json:
    order = event.order
    report: Json = {
        "e": "executionReport",
        "E": shown_ms,
        "s": order.symbol,
        "c": order.client_order_id,
        "S": order.side.value,
        "o": order.type.value,
        "f": order.time_in_force.value,
        "q": money(order.quantity),
        "p": money(order.price),
        "P": money(order.stop_price),
    }
    if order.trailing_delta is not None:
        report["d"] = order.trailing_delta
    report |= {
        "F": money(order.iceberg_quantity),
        "g": order.list_id,
        "C": order.original_client_order_id,
        "x": event.execution_type.value,
        "X": order.status.value,
        "r": event.reject_reason,
        "i": order.order_id,
        "l": money(event.last_quantity),
        "z": money(order.executed_quantity),
        "L": money(event.last_price),
        "n": money(event.commission) if event.commission_asset else "0",
        "N": event.commission_asset,
        "T": event.at_ms,
        "t": event.trade_id,
        "I": event.execution_id,
        "w": event.on_book,
        "m": event.is_maker,
        "M": event.trade_id >= 0,
        "O": order.created_ms,
        "Z": money(order.executed_quote),
        "Y": money(event.last_quote),
        "Q": money(order.quote_quantity),
        "V": order.self_trade_prevention,
    }
    if order.working_ms >= 0:
        report["W"] = order.working_ms
    if order.trailing_ms is not None:
        report["D"] = order.trailing_ms
    if order.strategy_id is not None:
        report["j"] = order.strategy_id
    if order.strategy_type is not None:
        report["J"] = order.strategy_type
    if order.expiry_reason is not None and order.status in _EXPIRED:
        report["eR"] = order.expiry_reason.value
    return report


_EXPIRED = frozenset({OrderStatus.EXPIRED, OrderStatus.EXPIRED_IN_MATCH, OrderStatus.REJECTED})


def account_position(event: BalancesChanged, shown_ms: int) -> Json:
    return {
        "e": "outboundAccountPosition",
        "E": shown_ms,
        "u": event.at_ms,
        "B": [
            {"a": asset, "f": money(free), "l": money(locked)}
            for asset, free, locked in event.balances
        ],
    }


def balance_update(event: BalanceAdjusted, shown_ms: int) -> Json:
    return {
        "e": "balanceUpdate",
        "E": shown_ms,
        "a": event.asset,
        "d": money(event.delta),
        "T": event.at_ms,
    }


def list_status(event: ListChanged, shown_ms: int) -> Json:
    entry = event.order_list
    return {
        "e": "listStatus",
        "E": shown_ms,
        "s": entry.symbol,
        "g": entry.list_id,
        "c": entry.contingency,
        "l": entry.status_type.value,
        "L": entry.order_status.value,
        "r": event.reject_reason,
        "C": entry.client_order_id,
        "T": event.at_ms,
        "O": [
            {"s": entry.symbol, "i": order_id, "c": client_id} for order_id, client_id in entry.legs
        ],
    }
