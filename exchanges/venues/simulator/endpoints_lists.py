"""Endpoints of order lists: OCO, OTO, OTOCO and their pay-as-you-receive kin."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from exchanges.matching.enums import OrderType, Side
from exchanges.matching.refusals import missing_either
from exchanges.matching.requests import NewOco, NewOrder, NewOrderList, NewOto, NewOtoco
from exchanges.venues.simulator import refusals, rendering
from exchanges.venues.simulator.endpoints import REGISTRY, Access, Call
from exchanges.venues.simulator.endpoints_account import check_day
from exchanges.venues.simulator.endpoints_market import V3, one_symbol
from exchanges.venues.simulator.endpoints_orders import (
    RESPONSE_TYPES,
    order_type,
    side,
    time_in_force,
)


@REGISTRY.add("POST", f"{V3}/orderList/oco", weight=1, access=Access.TRADE, free_when_done=True)
def place_oco(call: Call) -> Any:
    symbol, its_side = one_symbol(call), side(call, "side")
    quantity = _required(call, "quantity")
    wish = NewOco(
        above=leg(call, "above", symbol, its_side, quantity),
        below=leg(call, "below", symbol, its_side, quantity),
        list_client_order_id=call.params.text("listClientOrderId"),
    )
    return _place(call, wish)


@REGISTRY.add("POST", f"{V3}/orderList/oto", weight=1, access=Access.TRADE, free_when_done=True)
def place_oto(call: Call) -> Any:
    return _place(call, _oto(call, pays=False))


@REGISTRY.add("POST", f"{V3}/orderList/opo", weight=1, access=Access.TRADE, free_when_done=True)
def place_opo(call: Call) -> Any:
    return _place(call, _oto(call, pays=True))


@REGISTRY.add("POST", f"{V3}/orderList/otoco", weight=1, access=Access.TRADE, free_when_done=True)
def place_otoco(call: Call) -> Any:
    return _place(call, _otoco(call, pays=False))


@REGISTRY.add("POST", f"{V3}/orderList/opoco", weight=1, access=Access.TRADE, free_when_done=True)
def place_opoco(call: Call) -> Any:
    return _place(call, _otoco(call, pays=True))


@REGISTRY.add("POST", f"{V3}/order/oco", weight=1, access=Access.TRADE, free_when_done=True)
def place_old_oco(call: Call) -> Any:
    """Place an OCO by its deprecated parameters: a limit leg and a stop leg."""
    params = call.params
    symbol, its_side = one_symbol(call), side(call, "side")
    quantity = _required(call, "quantity")
    stop_limit_price = params.decimal("stopLimitPrice")
    limit = NewOrder(
        symbol=symbol,
        side=its_side,
        type=OrderType.LIMIT_MAKER,
        quantity=quantity,
        price=_required(call, "price"),
        client_order_id=params.text("limitClientOrderId"),
        iceberg_quantity=params.decimal("limitIcebergQty"),
    )
    stop = NewOrder(
        symbol=symbol,
        side=its_side,
        type=OrderType.STOP_LOSS_LIMIT if stop_limit_price else OrderType.STOP_LOSS,
        quantity=quantity,
        price=stop_limit_price,
        stop_price=_required(call, "stopPrice"),
        time_in_force=time_in_force(params.text("stopLimitTimeInForce")),
        client_order_id=params.text("stopClientOrderId"),
        iceberg_quantity=params.decimal("stopIcebergQty"),
    )
    above, below = (limit, stop) if its_side is Side.SELL else (stop, limit)
    name = params.text("listClientOrderId")
    return _place(call, NewOco(above=above, below=below, list_client_order_id=name))


@REGISTRY.add("DELETE", f"{V3}/orderList", weight=1, access=Access.TRADE, free_when_done=True)
def cancel_list(call: Call) -> Any:
    symbol = one_symbol(call)
    list_id, name = call.params.whole("orderListId"), call.params.text("listClientOrderId")
    new_name = call.params.text("newClientOrderId")
    call.ready()
    if list_id is None and name is None:
        raise missing_either("orderListId", "listClientOrderId")
    outcome = call.engine.cancel_list(
        call.account_id,
        symbol,
        call.now_ms,
        list_id=list_id,
        list_client_order_id=name,
        new_client_order_id=new_name,
    )
    call.happened(outcome.events)
    return rendering.cancellation(outcome, call.now_ms)


@REGISTRY.add("GET", f"{V3}/orderList", weight=4, access=Access.SIGNED)
def query_list(call: Call) -> Any:
    list_id, name = call.params.whole("orderListId"), call.params.text("origClientOrderId")
    call.ready()
    if list_id is None and name is None:
        raise missing_either("orderListId", "origClientOrderId")
    entry = call.engine.order_list(call.account_id, list_id=list_id, list_client_order_id=name)
    return rendering.order_list(entry)


@REGISTRY.add("GET", f"{V3}/openOrderList", weight=6, access=Access.SIGNED)
def open_lists(call: Call) -> Any:
    call.ready()
    return [rendering.order_list(entry) for entry in call.engine.open_order_lists(call.account_id)]


@REGISTRY.add("GET", f"{V3}/allOrderList", weight=20, access=Access.SIGNED)
def all_lists(call: Call) -> Any:
    from_id = call.params.whole("fromId")
    start_ms, end_ms = call.params.whole("startTime"), call.params.whole("endTime")
    limit = call.params.limit(500, 1000)
    call.ready()
    check_day(start_ms, end_ms)
    found = call.engine.all_order_lists(
        call.account_id, from_id=from_id, start_ms=start_ms, end_ms=end_ms, limit=limit
    )
    return [rendering.order_list(entry) for entry in found]


def leg(call: Call, prefix: str, symbol: str, its_side: Side, quantity: Decimal | None) -> NewOrder:
    """Read one leg: its parameters carry the leg's name before them (`aboveStopPrice`)."""
    params = call.params
    return NewOrder(
        symbol=symbol,
        side=its_side,
        type=order_type(params.require(f"{prefix}Type")),
        quantity=quantity,
        price=params.decimal(f"{prefix}Price"),
        stop_price=params.decimal(f"{prefix}StopPrice"),
        trailing_delta=params.whole(f"{prefix}TrailingDelta"),
        time_in_force=time_in_force(params.text(f"{prefix}TimeInForce")),
        client_order_id=params.text(f"{prefix}ClientOrderId"),
        iceberg_quantity=params.decimal(f"{prefix}IcebergQty"),
        self_trade_prevention=params.text("selfTradePreventionMode"),
        strategy_id=params.whole(f"{prefix}StrategyId"),
        strategy_type=params.whole(f"{prefix}StrategyType"),
    )


def _working(call: Call, symbol: str) -> NewOrder:
    quantity = _required(call, "workingQuantity")
    return leg(call, "working", symbol, side(call, "workingSide"), quantity)


def _oto(call: Call, *, pays: bool) -> NewOto:
    symbol = one_symbol(call)
    quantity = None if pays else _required(call, "pendingQuantity")
    return NewOto(
        working=_working(call, symbol),
        pending=leg(call, "pending", symbol, side(call, "pendingSide"), quantity),
        list_client_order_id=call.params.text("listClientOrderId"),
        pays=pays,
    )


def _otoco(call: Call, *, pays: bool) -> NewOtoco:
    symbol = one_symbol(call)
    quantity = None if pays else _required(call, "pendingQuantity")
    pending_side = side(call, "pendingSide")
    return NewOtoco(
        working=_working(call, symbol),
        pending_above=leg(call, "pendingAbove", symbol, pending_side, quantity),
        pending_below=leg(call, "pendingBelow", symbol, pending_side, quantity),
        list_client_order_id=call.params.text("listClientOrderId"),
        pays=pays,
    )


def _place(call: Call, wish: NewOrderList) -> Any:
    asked = call.params.choice("newOrderRespType", RESPONSE_TYPES)
    call.ready()
    placed = call.engine.place_list(call.account_id, wish, call.now_ms)
    call.happened(placed.events)
    return rendering.list_placement(placed, call.now_ms, asked or "RESULT")


def _required(call: Call, name: str) -> Decimal:
    call.params.require(name)
    value = call.params.decimal(name)
    if value is None:
        raise refusals.empty(name)
    return value
