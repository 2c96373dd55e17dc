"""Endpoints that place, query, cancel, replace and amend single orders."""

from __future__ import annotations

from typing import Any

from exchanges.matching.enums import CancelRestriction, OrderType, Side, TimeInForce
from exchanges.matching.records import Order
from exchanges.matching.refusals import VenueRefusal, missing_either
from exchanges.matching.requests import NewOrder
from exchanges.matching.results import Canceled, CancelReplaced, Placed
from exchanges.venues.simulator import refusals, rendering
from exchanges.venues.simulator.endpoints import REGISTRY, Access, Call
from exchanges.venues.simulator.endpoints_account import check_day, rates
from exchanges.venues.simulator.endpoints_market import V3, one_symbol

FULL_BY_DEFAULT = frozenset({OrderType.MARKET, OrderType.LIMIT})
RESPONSE_TYPES = ("ACK", "RESULT", "FULL")
OPEN_ORDERS_ONE, OPEN_ORDERS_ALL = 6, 80


@REGISTRY.add("POST", f"{V3}/order", weight=1, access=Access.TRADE, free_when_done=True)
def place(call: Call) -> Any:
    order = new_order(call)
    response_type = response_type_for(call, order.type)
    call.ready()
    placed = call.engine.place(call.account_id, order, call.now_ms)
    call.happened(placed.events)
    return rendering.placement(placed.order, placed.fills, call.now_ms, response_type)


@REGISTRY.add("POST", f"{V3}/order/test", weight=1, access=Access.TRADE)
def test(call: Call) -> Any:
    order = new_order(call)
    response_type_for(call, order.type)
    wants_rates = call.params.flag("computeCommissionRates")
    call.ready()
    call.engine.test(call.account_id, order, call.now_ms)
    if not wants_rates:
        return {}
    call.cost = 20
    blocks = rates(call)
    return {
        "standardCommissionForOrder": _maker_taker(blocks["standardCommission"]),
        "specialCommissionForOrder": _maker_taker(blocks["specialCommission"]),
        "taxCommissionForOrder": _maker_taker(blocks["taxCommission"]),
        "discount": blocks["discount"],
    }


@REGISTRY.add("GET", f"{V3}/order", weight=4, access=Access.SIGNED)
def query(call: Call) -> Any:
    symbol = one_symbol(call)
    order_id, client_id = call.params.whole("orderId"), call.params.text("origClientOrderId")
    call.ready()
    if order_id is None and client_id is None:
        raise missing_either("origClientOrderId", "orderId")
    order = call.engine.order(call.account_id, symbol, order_id=order_id, client_order_id=client_id)
    return rendering.query(order)


@REGISTRY.add("DELETE", f"{V3}/order", weight=1, access=Access.TRADE, free_when_done=True)
def cancel(call: Call) -> Any:
    symbol = one_symbol(call)
    order_id, client_id = call.params.whole("orderId"), call.params.text("origClientOrderId")
    new_name = call.params.text("newClientOrderId")
    restriction = _restriction(call)
    call.ready()
    if order_id is None and client_id is None:
        raise missing_either("origClientOrderId", "orderId")
    outcome = call.engine.cancel(
        call.account_id,
        symbol,
        call.now_ms,
        order_id=order_id,
        client_order_id=client_id,
        new_client_order_id=new_name,
        restriction=restriction,
    )
    call.happened(outcome.events)
    return rendering.cancellation(outcome, call.now_ms)


@REGISTRY.add("GET", f"{V3}/openOrders", weight=OPEN_ORDERS_ONE, access=Access.SIGNED)
def open_orders(call: Call) -> Any:
    symbol = one_symbol(call) if call.params.text("symbol") else None
    call.ready()
    call.cost = OPEN_ORDERS_ONE if symbol else OPEN_ORDERS_ALL
    return [rendering.query(order) for order in call.engine.open_orders(call.account_id, symbol)]


@REGISTRY.add("DELETE", f"{V3}/openOrders", weight=1, access=Access.TRADE, free_when_done=True)
def cancel_all(call: Call) -> Any:
    symbol = one_symbol(call)
    call.ready()
    outcome = call.engine.cancel_all(call.account_id, symbol, call.now_ms)
    call.happened(outcome.events)
    lone: list[Any] = [rendering.canceled(order, call.now_ms) for order in outcome.orders]
    return lone + [
        rendering.list_cancel(entry, orders, call.now_ms) for entry, orders in outcome.lists
    ]


@REGISTRY.add("GET", f"{V3}/allOrders", weight=20, access=Access.SIGNED)
def all_orders(call: Call) -> Any:
    symbol = one_symbol(call)
    from_id = call.params.whole("orderId")
    start_ms, end_ms = call.params.whole("startTime"), call.params.whole("endTime")
    limit = call.params.limit(500, 1000)
    call.ready()
    check_day(start_ms, end_ms)
    found = call.engine.all_orders(
        call.account_id,
        symbol,
        from_order_id=from_id,
        start_ms=start_ms,
        end_ms=end_ms,
        limit=limit,
    )
    return [rendering.query(order) for order in found]


@REGISTRY.add(
    "POST", f"{V3}/order/cancelReplace", weight=1, access=Access.TRADE, free_when_done=True
)
def cancel_replace(call: Call) -> Any:
    order = new_order(call)
    response_type = response_type_for(call, order.type)
    mode = call.params.choice("cancelReplaceMode", ("STOP_ON_FAILURE", "ALLOW_FAILURE"))
    if mode is None:
        call.params.require("cancelReplaceMode")
    order_id = call.params.whole("cancelOrderId")
    client_id = call.params.text("cancelOrigClientOrderId")
    new_name = call.params.text("cancelNewClientOrderId")
    when_limited = call.params.choice("orderRateLimitExceededMode", ("DO_NOTHING", "CANCEL_ONLY"))
    restriction = _restriction(call)
    call.ready()
    if order_id is None and client_id is None:
        raise missing_either("cancelOrigClientOrderId", "cancelOrderId")
    outcome = call.engine.cancel_replace(
        call.account_id,
        order,
        call.now_ms,
        stop_on_failure=mode == "STOP_ON_FAILURE",
        cancel_order_id=order_id,
        cancel_client_order_id=client_id,
        cancel_new_client_order_id=new_name,
        restriction=restriction,
        cancel_only_when_limited=when_limited == "CANCEL_ONLY",
    )
    call.happened(outcome.events)
    return _replacement(call, outcome, response_type)


def _replacement(call: Call, outcome: CancelReplaced, response_type: str) -> Any:
    data = {
        "cancelResult": outcome.cancel_result,
        "newOrderResult": outcome.new_order_result,
        "cancelResponse": _half(outcome.canceled, call.now_ms, response_type),
        "newOrderResponse": _half(outcome.placed, call.now_ms, response_type),
    }
    if outcome.code is None:
        return data
    raise refusals.Refusal(outcome.code, outcome.msg, outcome.http_status, data=data)


def _half(half: Canceled | Placed | VenueRefusal | None, at_ms: int, response_type: str) -> Any:
    if half is None:
        return None
    if isinstance(half, VenueRefusal):
        return refusals.body_of(half)
    if isinstance(half, Placed):
        return rendering.placement(half.order, half.fills, at_ms, response_type)
    return rendering.cancellation(half, at_ms)


@REGISTRY.add("PUT", f"{V3}/order/amend/keepPriority", weight=4, access=Access.TRADE)
def amend(call: Call) -> Any:
    symbol = one_symbol(call)
    order_id, client_id = call.params.whole("orderId"), call.params.text("origClientOrderId")
    new_name = call.params.text("newClientOrderId")
    call.params.require("newQty")
    new_quantity = call.params.decimal("newQty")
    call.ready()
    if order_id is None and client_id is None:
        raise missing_either("origClientOrderId", "orderId")
    assert new_quantity is not None
    amended = call.engine.amend(
        call.account_id,
        symbol,
        new_quantity,
        call.now_ms,
        order_id=order_id,
        client_order_id=client_id,
        new_client_order_id=new_name,
    )
    call.happened(amended.events)
    return {
        "transactTime": call.now_ms,
        "executionId": call.venue.last_execution_id,
        "amendedOrder": _amended(amended.order),
    }


def _amended(order: Order) -> dict[str, Any]:
    reply = rendering.query(order)
    return {
        "symbol": order.symbol,
        "orderId": order.order_id,
        "orderListId": order.list_id,
        "origClientOrderId": order.original_client_order_id or order.client_order_id,
        "clientOrderId": order.client_order_id,
        "price": reply["price"],
        "qty": reply["origQty"],
        "executedQty": reply["executedQty"],
        "preventedQty": "0.00000000",
        "quoteOrderQty": reply["origQuoteOrderQty"],
        "cumulativeQuoteQty": reply["cummulativeQuoteQty"],
        "status": reply["status"],
        "timeInForce": reply["timeInForce"],
        "type": reply["type"],
        "side": reply["side"],
        "workingTime": reply["workingTime"],
        "selfTradePreventionMode": reply["selfTradePreventionMode"],
    }


# --- reading an order ---------------------------------------------------------------------------


def new_order(call: Call) -> NewOrder:
    """Read the parameters of one order. Which of them its type needs, the engine checks."""
    params = call.params
    symbol = one_symbol(call)
    return NewOrder(
        symbol=symbol,
        side=side(call, "side"),
        type=order_type(params.require("type")),
        quantity=params.decimal("quantity"),
        quote_quantity=params.decimal("quoteOrderQty"),
        price=params.decimal("price"),
        stop_price=params.decimal("stopPrice"),
        trailing_delta=params.whole("trailingDelta"),
        time_in_force=time_in_force(params.text("timeInForce")),
        client_order_id=params.text("newClientOrderId"),
        iceberg_quantity=params.decimal("icebergQty"),
        self_trade_prevention=params.text("selfTradePreventionMode"),
        strategy_id=params.whole("strategyId"),
        strategy_type=params.whole("strategyType"),
    )


def side(call: Call, name: str) -> Side:
    text = call.params.require(name)
    try:
        return Side(text)
    except ValueError:
        raise refusals.bad_side() from None


def order_type(text: str) -> OrderType:
    try:
        return OrderType(text)
    except ValueError:
        raise refusals.bad_order_type() from None


def time_in_force(text: str | None) -> TimeInForce | None:
    if text is None:
        return None
    try:
        return TimeInForce(text)
    except ValueError:
        raise refusals.bad_time_in_force() from None


def response_type_for(call: Call, type_: OrderType) -> str:
    """Read `newOrderRespType`: FULL unless asked otherwise for MARKET and LIMIT, else ACK."""
    asked = call.params.choice("newOrderRespType", RESPONSE_TYPES)
    return asked or ("FULL" if type_ in FULL_BY_DEFAULT else "ACK")


def _restriction(call: Call) -> CancelRestriction | None:
    text = call.params.text("cancelRestrictions")
    if text is None:
        return None
    try:
        return CancelRestriction(text)
    except ValueError:
        raise refusals.Refusal(-1145, "Invalid cancelRestrictions") from None


def _maker_taker(block: dict[str, str]) -> dict[str, str]:
    return {"maker": block["maker"], "taker": block["taker"]}
