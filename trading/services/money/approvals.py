"""Approving and declining what waits for a second person; an approved act is done at once."""

from __future__ import annotations

from collections.abc import Callable

from django.core.exceptions import ValidationError
from django.db import transaction

from trading.models import Approval, VirtualAccount
from trading.services.control import four_eyes, kill_switch
from trading.services.money import account_settings, accounts

# What a person must be allowed to do himself before he may approve that another does it.
PERMISSIONS = {
    Approval.Kind.RELEASE_STOP: "trading.release_kill_switch",
    Approval.Kind.CHANGE_ACCOUNT: "trading.change_virtualaccount",
    Approval.Kind.MAP_STRATEGY: "trading.change_strategymapping",
}


def permission_for(row: Approval) -> str:
    return PERMISSIONS[Approval.Kind(row.kind)]


def approve(approval_id: int, *, actor: str, reason: str = "") -> Approval:
    """Do what waits. Raises SecondPersonNeeded when its author approves it, and ValidationError
    when it no longer waits or can no longer be done."""
    with transaction.atomic():
        row = _waiting(approval_id)
        four_eyes.ensure_other(row.author, actor)
        four_eyes.decide(row, Approval.State.APPROVED, actor=actor, reason=reason)
        _ACTS[Approval.Kind(row.kind)](row, actor)
    return row


def decline(approval_id: int, *, actor: str, reason: str) -> Approval:
    """Say no to what waits; its author may take it back so."""
    if not reason.strip():
        raise ValidationError({"reason": "Say why."})
    with transaction.atomic():
        row = _waiting(approval_id)
        four_eyes.decide(row, Approval.State.DECLINED, actor=actor, reason=reason)
    return row


def _waiting(approval_id: int) -> Approval:
    row = Approval.objects.select_for_update().get(pk=approval_id)
    if row.state != Approval.State.PENDING:
        raise ValidationError(f"This does not wait any more: it is {row.state}.")
    return row


def _release_stop(row: Approval, actor: str) -> None:
    reason = f"{row.reason} (asked by {row.author})"[:500]
    if not kill_switch.carry_out_release(state_id=int(row.target), actor=actor, reason=reason):
        raise ValidationError("It was released before: decline this.")


def _change_account(row: Approval, actor: str) -> None:
    account_settings.carry_out(account_id=int(row.target), changes=row.wish, actor=actor)


def _map_strategy(row: Approval, actor: str) -> None:
    account = VirtualAccount.objects.filter(pk=row.wish["account"]).first()
    if row.wish["account"] is not None and account is None:
        raise ValidationError("The account is gone: decline this.")
    accounts.carry_out_mapping(row.target, account, actor=actor)


_ACTS: dict[Approval.Kind, Callable[[Approval, str], None]] = {
    Approval.Kind.RELEASE_STOP: _release_stop,
    Approval.Kind.CHANGE_ACCOUNT: _change_account,
    Approval.Kind.MAP_STRATEGY: _map_strategy,
}
