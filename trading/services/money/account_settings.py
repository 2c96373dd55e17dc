"""Changing what a virtual account may do: checked, audited with before and after, one default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from audit import trail
from exchanges.domain.orders import OrderType
from exchanges.domain.venues import Environment
from foundation.serialization import jsonable
from trading.domain.risk import window
from trading.models import Approval, VirtualAccount
from trading.services.control import four_eyes
from trading.services.money import accounts

# Where an account trades is part of its books, and its name is what a kill switch on it says: both
# are chosen once, when the account is made.
CHANGEABLE = (
    "is_default",
    "enabled",
    "allowed_symbols",
    "sizing_model",
    "default_order_type",
    "trading_window",
)
LETS_TRADE = ("enabled", "is_default")
ENTRY_TYPES = tuple(t.value for t in OrderType if t is not OrderType.LIMIT_MAKER)


@dataclass(frozen=True, slots=True)
class Changed:
    """What a change did; `before` and `after` hold the changed names only.

    `waits` is the part a second person must approve.
    """

    account: VirtualAccount
    before: dict[str, Any]
    after: dict[str, Any]
    waits: Approval | None = None


def change(*, account_id: int, changes: Mapping[str, Any], actor: str) -> Changed:
    """Change an account under its lock, so that no decision is taken on half of it.

    Values are checked all together: ValidationError names each wrong field. Setting what is set
    already writes nothing. What lets an account trade real money waits for a second person
    (FOUR_EYES); the rest holds at once.
    """
    with transaction.atomic():
        account = _locked(account_id)
        differs = _differing(account, changes)
        held_back = _waits(account, differs)
        if not held_back:
            return _apply(account, differs, actor)
        _checked(account, differs)
        waits = _ask(account, held_back, actor)
        now = {name: value for name, value in differs.items() if name not in held_back}
        return replace(_apply(_locked(account_id), now, actor), waits=waits)


def carry_out(*, account_id: int, changes: Mapping[str, Any], actor: str) -> Changed:
    """Do the same for a change that a second person has approved."""
    with transaction.atomic():
        account = _locked(account_id)
        return _apply(account, _differing(account, changes), actor)


def _locked(account_id: int) -> VirtualAccount:
    rows = VirtualAccount.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("venue_account").get(pk=account_id)


def _differing(account: VirtualAccount, changes: Mapping[str, Any]) -> dict[str, Any]:
    unknown = set(changes) - set(CHANGEABLE)
    if unknown:
        raise ValidationError(dict.fromkeys(sorted(unknown), "cannot be changed"))
    asked = {n: _hours(v) if n == "trading_window" else v for n, v in changes.items()}
    return {n: v for n, v in asked.items() if getattr(account, n) != v}


def _waits(account: VirtualAccount, differs: Mapping[str, Any]) -> dict[str, Any]:
    """Return what would let real money be traded, and so waits for a second person."""
    is_real = account.venue_account.environment == Environment.MAINNET
    if not is_real or not four_eyes.is_asked_for():
        return {}
    return {name: True for name in LETS_TRADE if differs.get(name)}


def _ask(account: VirtualAccount, wish: Mapping[str, Any], actor: str) -> Approval:
    does = {"enabled": "switch it on", "is_default": "have it take what is not mapped"}
    words = " and ".join(does[name] for name in wish)
    return four_eyes.ask(
        kind=Approval.Kind.CHANGE_ACCOUNT,
        target=str(account.pk),
        wish=wish,
        words=f"real money in {account.name}: {words}",
        reason="",
        actor=actor,
    )


def _checked(account: VirtualAccount, differs: Mapping[str, Any]) -> None:
    for name, value in differs.items():
        setattr(account, name, value)
    check(account, is_enabling=bool(differs.get("enabled")))


def _apply(account: VirtualAccount, differs: Mapping[str, Any], actor: str) -> Changed:
    before = {name: jsonable(getattr(account, name)) for name in differs}
    _checked(account, differs)
    if not differs:
        return Changed(account, {}, {})
    if differs.get("is_default"):
        _take_default_from_others(account, actor)
    account.save(update_fields=sorted(differs))
    after = {name: jsonable(value) for name, value in differs.items()}
    trail.record(_entry(account, "account.changed", actor, {"before": before, "after": after}))
    return Changed(account, before, after)


def create(account: VirtualAccount, *, actor: str) -> VirtualAccount:
    """Store a new account. Real money starts switched off: enabling it is an act of its own."""
    with transaction.atomic():
        if account.venue_account.environment == Environment.MAINNET:
            account.enabled = False
        held_back = _waits(account, {"is_default": account.is_default})
        if held_back:
            account.is_default = False
        account.trading_window = _hours(account.trading_window)
        check(account, is_enabling=account.enabled)
        if account.is_default:
            _take_default_from_others(account, actor)
        account.save(force_insert=True)
        facts = {name: jsonable(getattr(account, name)) for name in CHANGEABLE}
        trail.record(_entry(account, "account.created", actor, {"after": facts}))
        if held_back:
            _ask(account, held_back, actor)
    return account


def check(account: VirtualAccount, *, is_enabling: bool) -> None:
    """Raise ValidationError naming every field of `account` that makes no sense."""
    account.clean_fields()
    errors: dict[str, str] = {}
    others = VirtualAccount.objects.filter(name__iexact=account.name).exclude(pk=account.pk)
    if like := others.values_list("name", flat=True).first():
        errors["name"] = f"There is an account {like} already."
    if account.default_order_type not in ENTRY_TYPES:
        errors["default_order_type"] = f"Choose one of {', '.join(ENTRY_TYPES)}."
    if not _are_symbols(account.allowed_symbols):
        errors["allowed_symbols"] = 'Write a list of symbols, such as ["BTCUSDT", "ETHUSDT"].'
    try:
        window.parse(account.trading_window)
    except window.WindowInvalid as error:
        errors["trading_window"] = f"{error}."
    environment = account.venue_account.environment
    if is_enabling and not accounts.ceiling_allows(environment):
        errors["enabled"] = f"The configuration of this installation does not allow {environment}."
    if errors:
        raise ValidationError(errors)


def _hours(words: str) -> str:
    """Write a trading window in its one way, a preset by its hours; leave nonsense to `check`."""
    try:
        return str(window.parse(words) or "")
    except window.WindowInvalid:
        return words


def _are_symbols(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(s, str) and s.isalnum() and s.isascii() and s == s.upper() for s in value
    )


def _take_default_from_others(account: VirtualAccount, actor: str) -> None:
    others = VirtualAccount.objects.select_for_update(of=("self",), no_key=True).filter(
        is_default=True
    )
    for other in others.exclude(pk=account.pk).select_related("venue_account"):
        other.is_default = False
        other.save(update_fields=["is_default"])
        data = {"before": {"is_default": True}, "after": {"is_default": False}}
        trail.record(_entry(other, "account.changed", actor, data))


def _entry(account: VirtualAccount, kind: str, actor: str, data: Mapping[str, Any]) -> trail.Entry:
    return trail.Entry(
        kind=kind,
        actor=actor,
        subject_type="account",
        subject_id=str(account.pk),
        environment=account.venue_account.environment,
        data={"name": account.name, **data},
    )
