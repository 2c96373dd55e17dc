"""Writing the orders that protect a position, before they are sent."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from audit import trail
from exchanges.domain.orders import OrderType, Side, TimeInForce
from foundation.statements import Select, insert
from trading.domain import client_ids, protection
from trading.models import Order, OrderList, Position
from trading.services.control import leases
from trading.services.orders import order_factory


def write(
    position: Position,
    action: protection.Placement,
    *,
    reason: str,
    actor: str,
    lease: leases.Held | None = None,
) -> list[Order]:
    """Store the orders of one placement under the next generation of ids.

    Returns none when another has done so since `position` was read, or what is held is not what it
    was: two who looked at the same time must not both place. Raises `leases.Lost` when the guard
    that asks is no longer the guard.
    """
    with transaction.atomic():
        if lease is not None:
            leases.check(lease)
        [locked] = _locked.rows(position_id=position.pk)
        was = (position.protection_sequence, position.quantity)
        if (locked.protection_sequence, locked.quantity) != was:
            return []
        locked.protection_sequence += 1
        locked.save(update_fields=["protection_sequence"])
        now = timezone.now()
        key = client_ids.position_key(position.account.name, position.symbol, locked.opened_at)
        ids = client_ids.protection_ids(key, locked.protection_sequence)
        order_list = None
        if isinstance(action, protection.PlaceOco):
            order_list = OrderList.objects.create(
                account=position.account,
                symbol=position.symbol,
                kind=OrderList.Kind.OCO,
                list_client_order_id=ids.list_id,
                created_at=now,
            )
        origin = _origin_of(position)
        rows = [_blank(position, origin, order_list, now) for _ in range(2 if order_list else 1)]
        _shape(rows, action, ids)
        order_factory.claim(rows, now)
        insert(rows)
        trail.record(
            trail.Entry(
                kind="position.protecting",
                actor=actor,
                subject_type="position",
                subject_id=str(position.pk),
                signal_uid=rows[0].signal_uid,
                correlation_id=rows[0].correlation_id,
                environment=position.account.venue_account.environment,
                data={"action": type(action).__name__, "why": reason},
            ),
            *(line for row in rows for line in order_factory.written_entries(row, actor)),
        )
    return rows


@Select
def _locked(position_id: int) -> QuerySet[Position]:
    rows = Position.objects.select_for_update(of=("self",), no_key=True)
    return rows.filter(pk=position_id).order_by()


@Select
def _entries(account_id: int, symbol: str) -> QuerySet[Order, Any]:
    rows = Order.objects.filter(account=account_id, symbol=symbol, role=Order.Role.ENTRY)
    return rows.order_by("-pk").values_list("strategy_id", "signal_uid", "correlation_id")[:1]


def _origin_of(position: Position) -> tuple[str, str, str]:
    """Name strategy, signal and correlation of the latest entry: whoever follows its signal finds
    the protection."""
    found = _entries.rows(account_id=position.account_id, symbol=position.symbol)
    return found[0] if found else ("", "", "")


def _blank(
    position: Position,
    origin: tuple[str, str, str],
    order_list: OrderList | None,
    now: datetime,
) -> Order:
    strategy_id, signal_uid, correlation_id = origin
    return Order(
        account=position.account,
        venue_account=position.account.venue_account,
        order_list=order_list,
        strategy_id=strategy_id,
        signal_uid=signal_uid,
        correlation_id=correlation_id,
        symbol=position.symbol,
        side=Side.SELL,
        created_at=now,
    )


def _shape(rows: list[Order], action: protection.Placement, ids: client_ids.ProtectionIds) -> None:
    first = rows[0]
    first.quantity = action.quantity
    if isinstance(action, protection.ExitAtMarket):
        first.role, first.type = Order.Role.EXIT, OrderType.MARKET
        first.client_order_id = ids.market_exit_id
        first.reason = action.reason[:300]
        return
    if isinstance(action, protection.PlaceTarget):
        first.role, first.type = Order.Role.TAKE_PROFIT, OrderType.LIMIT
        first.price, first.time_in_force = action.target, TimeInForce.GTC
        first.client_order_id = ids.target_id
        return
    first.role, first.type = Order.Role.STOP_LOSS, OrderType.STOP
    first.stop_price = action.stop
    first.client_order_id = ids.stop_id
    if isinstance(action, protection.PlaceOco):
        target = rows[1]
        target.quantity = action.quantity
        target.role, target.type = Order.Role.TAKE_PROFIT, OrderType.LIMIT_MAKER
        target.price = action.target
        target.client_order_id = ids.target_id
