"""An account's own money: put in and taken out on record, and what of it is free to spend."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from audit import trail
from exchanges.models import Balance, VenueAccount
from foundation.statements import Select
from trading.domain.equity import Books, cash_of
from trading.domain.figures import plain
from trading.domain.order_states import OrderStatus, still_to_come
from trading.models import CapitalMove, Order, Position, VirtualAccount
from trading.models.orders import NOT_ALL_BOOKED

ZERO = Decimal(0)
ONE = Decimal(1)
ON_ORDER = ("status", "quantity", "executed_quantity", "booked_quantity", "decision__plan")
UNSEEN = (OrderStatus.NEW, OrderStatus.SUBMITTING)
_FINEST = Decimal("1e-8")


@Select
def entries_on_order(account_id: int) -> QuerySet[Order, Any]:
    """Return `ON_ORDER` of each entry that may still take money."""
    rows = Order.objects.filter(NOT_ALL_BOOKED, account=account_id, role=Order.Role.ENTRY)
    return rows.order_by().values_list(*ON_ORDER)


@Select
def funded_beside(account_id: int) -> QuerySet[VirtualAccount, Any]:
    """Accounts with a ledger of their own on the venue account that one account trades on."""
    rows = VirtualAccount.objects.filter(
        venue_account__virtual_accounts=account_id,
        quote_asset=F("venue_account__virtual_accounts__quote_asset"),
        capital__isnull=False,
    )
    return rows.exclude(pk=account_id).order_by().values_list("pk", "capital")


def set_aside(funded: list[Any], rate: Decimal) -> Decimal:
    """Add up what rows of `funded_beside` have free: nobody else may spend it."""
    if not funded:
        return ZERO
    capital = dict(funded)
    on_order: dict[int, list[Any]] = {pk: [] for pk in capital}
    books: dict[int, list[Books]] = {pk: [] for pk in capital}
    orders = Order.objects.filter(NOT_ALL_BOOKED, account__in=capital, role=Order.Role.ENTRY)
    for account_id, *row in orders.order_by().values_list("account", *ON_ORDER):
        on_order[account_id].append(tuple(row))
    for position in Position.objects.filter(account__in=capital).order_by():
        books[position.account_id].append(_books(position))
    free = (cash_of(capital[pk], books[pk]) - promised(on_order[pk], rate) for pk in capital)
    return sum((max(one, ZERO) for one in free), ZERO)


def pool(venue_account: VenueAccount, quote_asset: str) -> Decimal | None:
    """Return the money put into a venue account that no ledger calls its own, for the accounts
    without one to be measured by. None while wallet and books do not tell of the same moment.

    It stays the same while anybody trades; only deposits, withdrawals and moves change it.
    """
    wallet = Balance.objects.filter(venue_account=venue_account, asset=quote_asset).first()
    accounts = VirtualAccount.objects.filter(venue_account=venue_account, quote_asset=quote_asset)
    rows = Position.objects.filter(account__in=accounts)
    if wallet is None or rows.filter(updated_at__gte=wallet.updated_at).exists():
        return None
    orders = Order.objects.filter(NOT_ALL_BOOKED, venue_account=venue_account)
    if orders.filter(Q(status__in=UNSEEN) | Q(fills_missing=True)).exists():
        return None
    owned = accounts.filter(capital__isnull=False).values_list("capital", flat=True)
    own = sum((one for one in owned if one is not None), ZERO)
    return wallet.free + wallet.locked - own - cash_of(ZERO, (_books(one) for one in rows))


def cash(account: VirtualAccount, positions: Iterable[Position]) -> Decimal:
    """Money of an account with a ledger of its own that is in no position."""
    assert account.capital is not None
    return cash_on(account.capital, positions)


def cash_on(base: Decimal, positions: Iterable[Position]) -> Decimal:
    """Return what is left in money of `base`, whoever put it in."""
    return cash_of(base, (_books(one) for one in positions))


def promised(on_order: Iterable[tuple[Any, ...]], rate: Decimal) -> Decimal:
    """What entries, rows of `ON_ORDER`, will take that is not booked yet, fee included."""
    total = ZERO
    for status, quantity, executed, booked, plan in on_order:
        left = still_to_come(
            OrderStatus(status), quantity=quantity, executed=executed, booked=booked
        )
        notional = Decimal((plan or {}).get("notional") or 0)
        total += notional * left / quantity * (ONE + rate)
    return total


def _books(position: Position) -> Books:
    return Books(position.quantity, position.average_entry_price, position.realised_pnl, mark=None)


def cash_by_account(venue_account: VenueAccount, quote_asset: str) -> dict[str, Decimal]:
    """Money of each account on one venue account that has a ledger of its own."""
    accounts = VirtualAccount.objects.filter(
        venue_account=venue_account, quote_asset=quote_asset, capital__isnull=False
    ).prefetch_related("positions")
    return {one.name: cash(one, one.positions.all()) for one in accounts}


def move(account_id: int, amount: Decimal, *, actor: str, reason: str) -> CapitalMove:
    """Put money into an account, or take it out. The first move gives it a ledger of its own.

    Raises ValidationError when there is not so much to take, or the venue account has not so much
    that no other account calls its own.
    """
    amount = _checked(amount, reason)
    with transaction.atomic():
        account = _locked(account_id)
        # Before the positions: what fills in between counts twice, never not at all.
        on_order = entries_on_order.rows(account_id=account.pk)
        positions = list(Position.objects.filter(account=account))
        before = cash(account, positions) if account.capital is not None else ZERO
        after = before + amount
        if amount < 0:
            rate = account.venue_account.taker_rate or ZERO
            spoken_for = promised(on_order, rate)
            if after < spoken_for:
                free = max(before - spoken_for, ZERO)
                raise ValidationError({"amount": f"Only {plain(free)} of {account.name} is free."})
        else:
            _check_wallet(account, amount)
        spent = cash_of(ZERO, (_books(one) for one in positions))
        account.capital = after - spent
        account.save(update_fields=["capital"])
        row = CapitalMove.objects.create(
            account=account,
            amount=amount,
            capital=account.capital,
            cash=after,
            reason=reason,
            moved_by=actor,
            moved_at=timezone.now(),
        )
        trail.record(
            trail.Entry(
                kind="account.capital_moved",
                actor=actor,
                subject_type="account",
                subject_id=str(account.pk),
                environment=account.venue_account.environment,
                data={
                    "name": account.name,
                    "amount": format(amount, "f"),
                    "cash": format(after, "f"),
                    "reason": reason,
                },
            )
        )
    return row


def _checked(amount: Decimal, reason: str) -> Decimal:
    errors = {}
    if not amount.is_finite() or not amount:
        errors["amount"] = "Write an amount in the quote asset; negative takes out."
    elif abs(amount) > Decimal(10**12) or amount != amount.quantize(_FINEST):
        errors["amount"] = "At most 8 decimals and 1000000000000."
    if not reason.strip():
        errors["reason"] = "Say why: the reason is kept with the move."
    elif len(reason) > 500:
        errors["reason"] = "At most 500 characters."
    if errors:
        raise ValidationError(errors)
    return amount


def _locked(account_id: int) -> VirtualAccount:
    """Lock the account, and the venue account too: two moves must not give the same money away."""
    account = (
        VirtualAccount.objects.select_for_update(of=("self",), no_key=True)
        .select_related("venue_account")
        .get(pk=account_id)
    )
    VenueAccount.objects.select_for_update(no_key=True).get(pk=account.venue_account_id)
    return account


def _check_wallet(account: VirtualAccount, amount: Decimal) -> None:
    wallet = Balance.objects.filter(
        venue_account=account.venue_account, asset=account.quote_asset
    ).first()
    if wallet is None:
        raise ValidationError(
            {"amount": f"What {account.venue_account} has is not known yet: try again in a minute."}
        )
    others = cash_by_account(account.venue_account, account.quote_asset)
    left = wallet.free + wallet.locked - sum(others.values(), ZERO)
    if amount > left:
        raise ValidationError(
            {
                "amount": (
                    f"{account.venue_account} has {plain(max(left, ZERO))} {account.quote_asset}"
                    " that no account calls its own."
                )
            }
        )
