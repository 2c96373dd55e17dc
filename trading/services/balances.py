"""Balances of venue accounts: the venue's word, less what we have promised and it has not seen.

Row locks here and in the other services are NO KEY ones: a plain FOR UPDATE on a parent row would
hold up every commit that writes a row pointing to it, and two such commits block each other.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from audit.statements import update
from exchanges.domain.orders import AssetBalance
from exchanges.gateways import registry
from exchanges.models import Balance, VenueAccount
from trading.domain.order_states import OrderStatus
from trading.models import Order

UNSEEN = (OrderStatus.NEW, OrderStatus.SUBMITTING)
ONE = Decimal(1)


def refresh(venue_account: VenueAccount) -> None:
    """Ask the venue for the whole account and store it. VenueError escapes."""
    report = registry.for_venue(venue_account.environment).account()
    with transaction.atomic():
        locked = VenueAccount.objects.select_for_update(no_key=True).get(pk=venue_account.pk)
        locked.can_trade = report.can_trade
        locked.maker_rate = report.maker_rate
        locked.taker_rate = report.taker_rate
        locked.balances_at = report.reported_at
        locked.save(update_fields=["can_trade", "maker_rate", "taker_rate", "balances_at"])
        _wait_for_deciders(Balance.objects.filter(venue_account=locked))
        _store(locked, report.balances, report.reported_at)
        told = [b.asset for b in report.balances]
        Balance.objects.filter(venue_account=locked).exclude(asset__in=told).update(
            free=Decimal(0), locked=Decimal(0), updated_at=report.reported_at
        )


def hear(venue_account_id: int, balances: Iterable[AssetBalance], reported_at: datetime) -> None:
    """Store balances the user stream told of: only the assets that changed."""
    balances = tuple(balances)
    with transaction.atomic():
        venue_account = VenueAccount.objects.select_for_update(no_key=True).get(pk=venue_account_id)
        told = [b.asset for b in balances]
        _wait_for_deciders(Balance.objects.filter(venue_account=venue_account, asset__in=told))
        _store(venue_account, balances, reported_at)
        VenueAccount.objects.filter(pk=venue_account_id).update(balances_at=reported_at)


def _wait_for_deciders(rows: QuerySet[Balance]) -> None:
    """Lock `rows` in the order deciders do: what a decision just promised must be seen after this,
    or the venue's older word would give the money back."""
    list(rows.select_for_update(no_key=True).order_by("pk").values_list("pk"))


def _store(
    venue_account: VenueAccount, balances: Iterable[AssetBalance], reported_at: datetime
) -> None:
    promised = _promised(venue_account)
    now = timezone.now()
    Balance.objects.bulk_create(
        [
            Balance(
                venue_account=venue_account,
                asset=b.asset,
                free=max(b.free - promised.get(b.asset, Decimal(0)), Decimal(0)),
                locked=b.locked,
                updated_at=min(reported_at, now),
            )
            for b in balances
        ],
        update_conflicts=True,
        unique_fields=["venue_account", "asset"],
        update_fields=["free", "locked", "updated_at"],
    )


def _promised(venue_account: VenueAccount) -> dict[str, Decimal]:
    """Sum what orders on their way will take, by asset: the venue has not deducted it yet."""
    promised: dict[str, Decimal] = {}
    rate = venue_account.taker_rate or Decimal(0)
    on_their_way = Order.objects.filter(
        venue_account=venue_account, status__in=UNSEEN, role=Order.Role.ENTRY
    ).select_related("account", "decision")
    for order in on_their_way:
        asset = order.account.quote_asset
        notional = (
            Decimal((order.decision.plan or {}).get("notional") or 0) if order.decision else 0
        )
        promised[asset] = promised.get(asset, Decimal(0)) + notional * (ONE + rate)
    return promised


def reserve(row: Balance, amount: Decimal) -> None:
    """Take `amount` off a free balance that the deciding transaction holds locked."""
    row.free = max(row.free - amount, Decimal(0))
    update(Balance, where={"pk": row.pk}, values={"free": row.free})
