"""Turning a plan into order rows: written, with their ids, before anything is sent."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from audit import trail
from exchanges.domain.instruments import Instrument
from exchanges.domain.orders import (
    OrderListRequest,
    OrderRequest,
    OrderType,
    Purpose,
    Quote,
    Side,
    TimeInForce,
)
from trading.domain import client_ids
from trading.domain.intents import TradeIntent
from trading.domain.order_states import OrderStatus
from trading.domain.risk.types import OrderPlan
from trading.models import Decision, Order, OrderList, Position, VirtualAccount

FIRST_LOOK_AFTER = timedelta(seconds=2)
EXIT_LEFT_AFTER = timedelta(seconds=1)
RESTING_TARGETS = (OrderType.LIMIT, OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT)


def compose(
    *,
    plan: OrderPlan,
    intent: TradeIntent,
    decision: Decision,
    account: VirtualAccount,
    instrument: Instrument,
    position: Position | None,
    quote: Quote | None,
    now: datetime,
) -> list[Order]:
    """Make the order of an approved decision, NEW, with the legs that travel with it, to insert.

    Their order list, when they have one, is stored here.

    A resting limit entry travels with its stop and target as one OTOCO, so the venue protects it
    even when we are down; a resting target exit travels with the position's stop as one OCO, so
    the quantity is never locked twice and never without a stop.
    """
    order = _main(plan, intent, decision, account, now)
    legs: list[Order] = []
    kind = None
    if intent.is_entry and _fits_otoco(plan, instrument):
        kind = OrderList.Kind.OTOCO
        # Its legs are on the wire with it: what they were planned at holds.
        order.stop_distance = order.target_distance = ""
        legs = _protective_legs(order, plan, instrument, account)
    elif not intent.is_entry and _fits_oco(plan, instrument, position, quote):
        kind = OrderList.Kind.OCO
        assert position is not None
        if order.type == OrderType.LIMIT:
            order.type = OrderType.LIMIT_MAKER
            order.time_in_force = ""
        legs = [_leg(order, Order.Role.STOP_LOSS, plan.quantity, stop=position.stop_price)]
    if kind is not None:
        order_list = OrderList.objects.create(
            account=account,
            symbol=plan.symbol,
            kind=kind,
            list_client_order_id=client_ids.entry_list_id(intent.intent_uid),
            created_at=now,
        )
        for row in (order, *legs):
            row.order_list = order_list
    if not intent.is_entry:  # sent at once by whoever wrote it; else by the guard
        order.next_check_at = now + EXIT_LEFT_AFTER
    return [order, *legs]


def claim(rows: list[Order], now: datetime) -> None:
    """Mark new rows as on their way: nobody but the one who writes them sends them."""
    for row in rows:
        row.status = OrderStatus.SUBMITTING
        row.submitted_at = now
        row.next_check_at = now + FIRST_LOOK_AFTER


def _main(
    plan: OrderPlan,
    intent: TradeIntent,
    decision: Decision,
    account: VirtualAccount,
    now: datetime,
) -> Order:
    make_id = client_ids.entry_id if intent.is_entry else client_ids.exit_id
    return Order(
        account=account,
        venue_account=account.venue_account,
        decision=decision,
        role=Order.Role.ENTRY if intent.is_entry else Order.Role.EXIT,
        strategy_id=intent.strategy_id,
        signal_uid=intent.intent_uid,
        correlation_id=intent.correlation_id,
        symbol=plan.symbol,
        side=plan.side,
        type=plan.type,
        time_in_force=plan.time_in_force or "",
        quantity=plan.quantity,
        price=plan.price,
        stop_price=plan.stop_price,
        stop_loss=plan.stop_loss,
        take_profit=plan.take_profit,
        stop_distance=str(plan.stop_distance or ""),
        target_distance=str(plan.target_distance or ""),
        reference_price=plan.reference_price,
        max_slippage_bps=plan.max_slippage_bps,
        client_order_id=make_id(intent.intent_uid),
        created_at=now,
    )


def _fits_otoco(plan: OrderPlan, instrument: Instrument) -> bool:
    return (
        plan.type is OrderType.LIMIT
        and plan.time_in_force is TimeInForce.GTC
        and plan.stop_loss is not None
        and plan.take_profit is not None
        and instrument.oto_allowed
        and instrument.oco_allowed
    )


def _fits_oco(
    plan: OrderPlan, instrument: Instrument, position: Position | None, quote: Quote | None
) -> bool:
    if plan.type not in RESTING_TARGETS or position is None or position.stop_price is None:
        return False
    if plan.time_in_force not in (None, TimeInForce.GTC) or not instrument.oco_allowed:
        return False
    resting_price = plan.stop_price or plan.price
    return quote is not None and resting_price is not None and resting_price > quote.ask


def _protective_legs(
    order: Order, plan: OrderPlan, instrument: Instrument, account: VirtualAccount
) -> list[Order]:
    """Size the legs by what will arrive when the fee is taken in base."""
    rate = account.venue_account.taker_rate or Decimal(0)
    quantity = instrument.floor_quantity(plan.quantity * (1 - rate))
    return [
        _leg(order, Order.Role.TAKE_PROFIT, quantity, price=plan.take_profit),
        _leg(order, Order.Role.STOP_LOSS, quantity, stop=plan.stop_loss),
    ]


def _leg(
    order: Order,
    role: Order.Role,
    quantity: Decimal,
    *,
    price: Decimal | None = None,
    stop: Decimal | None = None,
) -> Order:
    ids = client_ids.protection_ids(order.signal_uid, 0)
    is_stop = role == Order.Role.STOP_LOSS
    return Order(
        account=order.account,
        venue_account=order.venue_account,
        decision=order.decision,
        role=role,
        strategy_id=order.strategy_id,
        signal_uid=order.signal_uid,
        correlation_id=order.correlation_id,
        symbol=order.symbol,
        side=Side.SELL,
        type=OrderType.STOP if is_stop else OrderType.LIMIT_MAKER,
        quantity=quantity,
        price=price,
        stop_price=stop,
        client_order_id=ids.stop_id if is_stop else ids.target_id,
        created_at=order.created_at,
    )


PURPOSES = {
    Order.Role.ENTRY: Purpose.ENTRY,
    Order.Role.EXIT: Purpose.EXIT,
    Order.Role.STOP_LOSS: Purpose.PROTECTION,
    Order.Role.TAKE_PROFIT: Purpose.PROTECTION,
}


def request_of(order: Order) -> OrderRequest:
    """Say an order row in the gateway's words."""
    return OrderRequest(
        client_order_id=order.client_order_id,
        symbol=order.symbol,
        side=Side(order.side),
        type=OrderType(order.type),
        quantity=order.quantity,
        price=order.price,
        stop_price=order.stop_price,
        time_in_force=TimeInForce(order.time_in_force) if order.time_in_force else None,
        purpose=PURPOSES[Order.Role(order.role)],
    )


def list_request_of(order_list: OrderList, orders: list[Order]) -> OrderListRequest:
    """Say an order list in the gateway's words; its legs are told apart by role."""
    stop = next(o for o in orders if o.role == Order.Role.STOP_LOSS)
    working = next((o for o in orders if o.role == Order.Role.ENTRY), None)
    target = next(o for o in orders if o.pk not in (stop.pk, working.pk if working else None))
    leading = working or target  # an exit travels as the target of its list
    return OrderListRequest(
        list_client_order_id=order_list.list_client_order_id,
        symbol=order_list.symbol,
        target=request_of(target),
        stop=request_of(stop),
        working=request_of(working) if working else None,
        purpose=PURPOSES[Order.Role(leading.role)],
    )


def written_entries(order: Order, actor: str) -> list[trail.Entry]:
    """Make the trail lines of an order just written, and of its claim when it has one."""
    lines = [entry(order, "order.created", actor, order_facts(order))]
    if order.status == OrderStatus.SUBMITTING:
        lines.append(entry(order, "order.submitting", actor, {"status": str(order.status)}))
    return lines


def entry(order: Order, kind: str, actor: str, data: dict[str, object]) -> trail.Entry:
    """Make a trail line about an order."""
    return trail.Entry(
        kind=kind,
        actor=actor,
        subject_type="order",
        subject_id=str(order.pk),
        correlation_id=order.correlation_id,
        signal_uid=order.signal_uid,
        environment=order.venue_account.environment,
        data={
            "account": order.account.name,
            "client_order_id": order.client_order_id,
            "symbol": order.symbol,
            "side": order.side,
            "role": order.role,
            "type": order.type,
            "strategy_id": order.strategy_id,
            **data,
        },
    )


def order_facts(order: Order) -> dict[str, object]:
    facts = {
        "quantity": order.quantity,
        "price": order.price,
        "stop_price": order.stop_price,
        "stop_loss": order.stop_loss,
        "take_profit": order.take_profit,
    }
    told = {name: format(value, "f") for name, value in facts.items() if value is not None}
    distances = {"stop_distance": order.stop_distance, "target_distance": order.target_distance}
    told |= {name: text for name, text in distances.items() if text}
    return {"status": str(order.status), **told}
