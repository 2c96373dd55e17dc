"""Losing trades in a row, and the pause that follows them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from audit import trail
from foundation.statements import Select, ask_update
from trading.domain.risk.limit_book import Effective, Scope
from trading.domain.risk.types import Cooldown
from trading.models import ClosedTrade, LossStreak, VirtualAccount
from trading.services.control import limits


@Select
def of_account(account_id: int) -> QuerySet[LossStreak, Any]:
    return (
        LossStreak.objects.filter(account=account_id)
        .order_by()
        .values_list("scope", "key", "losses", "cooldown_until", "cooldown_losses")
    )


@Select
def _locked(account_id: int, scope: str, key: str) -> QuerySet[LossStreak]:
    rows = LossStreak.objects.select_for_update(of=("self",), no_key=True).order_by()
    return rows.filter(account=account_id, scope=scope, key=key)


def for_entry(
    rows: list[Any],
    account: VirtualAccount,
    limit: Effective,
    *,
    strategy_id: str,
    symbol: str,
) -> Cooldown:
    """Pick from rows of `of_account` the streak that concerns an entry: where its limit is set."""
    scope, key = _place(limit, account, strategy_id, symbol)
    for row_scope, row_key, losses, until, led_to in rows:
        if (row_scope, row_key) == (scope, key):
            is_running = until is not None and until > timezone.now()
            return Cooldown(led_to if is_running else losses, until, f"{scope} {key}")
    return Cooldown(0, None, f"{scope} {key}")


def _place(
    limit: Effective, account: VirtualAccount, strategy_id: str, symbol: str
) -> tuple[str, str]:
    if limit.scope is Scope.STRATEGY:
        return LossStreak.Scope.STRATEGY.value, strategy_id
    if limit.scope is Scope.SYMBOL:
        return LossStreak.Scope.SYMBOL.value, symbol
    return LossStreak.Scope.ACCOUNT.value, account.name


def count(trade: ClosedTrade, account: VirtualAccount, *, actor: str) -> list[trail.Entry]:
    """Count a trade that has just been closed; returns lines for the trail.

    Counted are the account's losses, and the strategy's and the symbol's where the limit is set for
    those. Runs in the transaction that closed the trade; streaks are locked last and in one order.
    """
    if not trade.profit:
        return []
    place = {"strategy_id": trade.strategy_id, "symbol": trade.symbol}
    rows = limits.set_for.rows(account_id=account.pk, **place)
    counted: dict[tuple[str, str], limits.Held] = {}
    for of in ({}, {"strategy_id": trade.strategy_id}, {"symbol": trade.symbol}):
        held = limits.effective(account, rows=rows, **of)
        counted.setdefault(_place(held["cooldown_after_losses"], account, **place), held)
    lines = []
    for (scope, key), held in sorted(counted.items()):
        line = _count_one(trade, account, scope, key, held, actor)
        lines += [line] if line else []
    return lines


def _count_one(
    trade: ClosedTrade,
    account: VirtualAccount,
    scope: str,
    key: str,
    held: limits.Held,
    actor: str,
) -> trail.Entry | None:
    is_loss = trade.profit < 0
    found = _locked.rows(account_id=account.pk, scope=scope, key=key)
    if not found:
        if not is_loss:
            return None
        row = LossStreak(account=account, scope=scope, key=key, changed_at=trade.closed_at)
        LossStreak.objects.bulk_create([row], ignore_conflicts=True)
        found = _locked.rows(account_id=account.pk, scope=scope, key=key)
    [streak] = found
    most = int(held["cooldown_after_losses"].value)
    losses = streak.losses + 1 if is_loss else 0
    values: dict[str, object] = {"losses": losses, "changed_at": trade.closed_at}
    line = None
    if most and losses >= most:
        until = trade.closed_at + timedelta(seconds=int(held["cooldown_seconds"].value))
        values |= {
            "losses": 0,
            "cooldown_until": until,
            "cooldown_losses": losses,
            "released_by": "",
            "released_at": None,
            "release_reason": "",
        }
        data: dict[str, object] = {"until": until.isoformat(), "losses": losses}
        line = _line("cooldown.begun", account, streak, actor, data)
    ask_update(LossStreak, where={"pk": streak.pk}, values=values)
    return line


def release(streak_id: int, *, actor: str, reason: str) -> bool:
    """End a pause early; False when it is over. Raises ValueError without a reason."""
    if not reason.strip():
        raise ValueError("ending a cooldown early needs a reason")
    now = timezone.now()
    with transaction.atomic():
        count = LossStreak.objects.filter(pk=streak_id, cooldown_until__gt=now).update(
            cooldown_until=now,
            changed_at=now,
            released_by=actor,
            released_at=now,
            release_reason=reason[:500],
        )
        if count:
            streak = LossStreak.objects.select_related("account__venue_account").get(pk=streak_id)
            trail.record(
                _line("cooldown.released", streak.account, streak, actor, {"reason": reason[:500]})
            )
    return bool(count)


def running() -> QuerySet[LossStreak]:
    """Return the pauses that hold now, the longest first."""
    rows = LossStreak.objects.filter(cooldown_until__gt=timezone.now())
    return rows.select_related("account").order_by("-cooldown_until")


def _line(
    kind: str,
    account: VirtualAccount,
    streak: LossStreak,
    actor: str,
    data: dict[str, object],
) -> trail.Entry:
    return trail.Entry(
        kind=kind,
        actor=actor,
        subject_type="account",
        subject_id=str(account.pk),
        environment=account.venue_account.environment,
        data={"account": account.name, "scope": streak.scope, "key": streak.key, **data},
    )
