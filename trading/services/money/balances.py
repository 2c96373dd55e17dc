"""Balances of venue accounts: the venue's word, less what we have promised and it has not seen.

Row locks here and in the other services are NO KEY ones: a plain FOR UPDATE on a parent row would
hold up every commit that writes a row pointing to it, and two such commits block each other.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from exchanges.domain.orders import AssetBalance
from exchanges.models import Balance, VenueAccount
from exchanges.venues import registry
from foundation.statements import Select, ask_update, insert, together
from trading.domain.order_states import OrderStatus
from trading.models import Order

UNSEEN = (OrderStatus.NEW, OrderStatus.SUBMITTING)
ONE = Decimal(1)


def refresh(venue_account: VenueAccount) -> None:
    """Ask the venue for the whole account and store it. VenueError escapes."""
    report = registry.for_account(venue_account).account()
    with transaction.atomic():
        locked = VenueAccount.objects.select_for_update(no_key=True).get(pk=venue_account.pk)
        locked.can_trade = report.can_trade
        locked.maker_rate = report.maker_rate
        locked.taker_rate = report.taker_rate
        locked.balances_at = report.reported_at
        locked.save(update_fields=["can_trade", "maker_rate", "taker_rate", "balances_at"])
        held = _locked_balances.rows(venue_account_id=venue_account.pk)
        promised = _entries_on_their_way.rows(venue_account_id=venue_account.pk)
        _store(locked, report.balances, report.reported_at, held, promised)
        told = [b.asset for b in report.balances]
        Balance.objects.filter(venue_account=locked).exclude(asset__in=told).update(
            free=Decimal(0), locked=Decimal(0), updated_at=report.reported_at
        )


def hear(venue_account_id: int, balances: Iterable[AssetBalance], reported_at: datetime) -> None:
    """Store balances the user stream told of: only the assets that changed."""
    balances = tuple(balances)
    with transaction.atomic(), together():
        locked = _locked_account.ask(venue_account_id=venue_account_id)
        held = _locked_balances.ask(venue_account_id=venue_account_id)
        promised = _entries_on_their_way.ask(venue_account_id=venue_account_id)
        for venue_account in locked():
            _store(venue_account, balances, reported_at, held(), promised())
            ask_update(
                VenueAccount, where={"pk": venue_account_id}, values={"balances_at": reported_at}
            )


@Select
def _locked_account(venue_account_id: int) -> QuerySet[VenueAccount]:
    rows = VenueAccount.objects.select_for_update(no_key=True).order_by()
    return rows.filter(pk=venue_account_id)


@Select
def _locked_balances(venue_account_id: int) -> QuerySet[Balance]:
    rows = Balance.objects.select_for_update(no_key=True).order_by("pk")
    return rows.filter(venue_account=venue_account_id)


@Select
def _entries_on_their_way(venue_account_id: int) -> QuerySet[Order, Any]:
    rows = Order.objects.filter(
        venue_account=venue_account_id, status__in=UNSEEN, role=Order.Role.ENTRY
    )
    return rows.order_by().values_list("account__quote_asset", "decision__plan")


def _store(
    venue_account: VenueAccount,
    balances: Iterable[AssetBalance],
    reported_at: datetime,
    held: Iterable[Balance],
    on_their_way: Iterable[tuple[Any, ...]],
) -> None:
    """Write what the venue told, less what `on_their_way` will take.

    `held` is locked, in the order deciders lock it, before the orders are read: what a decision
    just promised must be seen, or the venue's older word would give the money back.
    """
    known = {row.asset: row for row in held}
    promised = _promised(venue_account, on_their_way)
    at = min(reported_at, timezone.now())
    for told in balances:
        values = {
            "free": max(told.free - promised.get(told.asset, Decimal(0)), Decimal(0)),
            "locked": told.locked,
            "updated_at": at,
        }
        if told.asset in known:
            ask_update(Balance, where={"pk": known[told.asset].pk}, values=values)
        else:
            insert([Balance(venue_account=venue_account, asset=told.asset, **values)])


def _promised(
    venue_account: VenueAccount, on_their_way: Iterable[tuple[Any, ...]]
) -> dict[str, Decimal]:
    """Sum what orders on their way will take, by asset: the venue has not deducted it yet."""
    promised: dict[str, Decimal] = {}
    rate = venue_account.taker_rate or Decimal(0)
    for asset, plan in on_their_way:
        notional = Decimal((plan or {}).get("notional") or 0)
        promised[asset] = promised.get(asset, Decimal(0)) + notional * (ONE + rate)
    return promised


def reserve(row: Balance, amount: Decimal) -> None:
    """Take `amount` off a free balance that the deciding transaction holds locked."""
    row.free = max(row.free - amount, Decimal(0))
    ask_update(Balance, where={"pk": row.pk}, values={"free": row.free})
