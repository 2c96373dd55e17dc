"""Limits: read for a decision, changed on record, looser ones by two people where that is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet, Subquery
from django.utils import timezone

from audit import trail
from foundation.statements import Select
from trading.domain.intents import STRATEGY_ID
from trading.domain.risk import limit_book
from trading.domain.risk.limit_book import BY_NAME, Effective, LimitInvalid, Scope, Setting, Value
from trading.models import Limit, LimitBook, LimitChange, VirtualAccount
from trading.services.control import four_eyes

UNSET = ""
_PLACES = {Scope.ACCOUNT: "an account", Scope.STRATEGY: "a strategy", Scope.SYMBOL: "a symbol"}


@dataclass(frozen=True, slots=True)
class Wish:
    """A limit to set in one place; `value` None means that it is no longer set there."""

    scope: str
    key: str
    name: str
    value: object | None
    reason: str


# ---- reading ---------------------------------------------------------------------------------


@Select
def set_for(account_id: int, strategy_id: str, symbol: str) -> QuerySet[Limit, Any]:
    """What is set in the places that concern one intent, and the book's version, for `effective`.

    In one statement: what is read and the version it is read under belong together.
    """
    book = LimitBook.objects.order_by("pk").values("version")[:1]
    name = VirtualAccount.objects.filter(pk=account_id).values("name")
    rows = Limit.objects.filter(
        Q(scope__in=(Scope.CAP, Scope.GLOBAL))
        | Q(scope=Scope.ACCOUNT, key__in=name)
        | Q(scope=Scope.STRATEGY, key=strategy_id)
        | Q(scope=Scope.SYMBOL, key=symbol)
    )
    columns = ("scope", "key", "name", "value", "version", "book")
    return rows.annotate(book=Subquery(book)).order_by().values_list(*columns)


class Held(dict[str, Effective]):
    """What holds, by limit name, and the version of the book it was read under."""

    version: int = 0


def effective(
    account: VirtualAccount,
    *,
    strategy_id: str = "",
    symbol: str = "",
    rows: list[Any] | None = None,
) -> Held:
    """Return what holds for one intent, by limit name. `rows` are those of `set_for`, if at hand.

    Without a strategy or a symbol: what holds for the account whatever those are.
    """
    if rows is None:
        rows = set_for.rows(account_id=account.pk, strategy_id=strategy_id, symbol=symbol)
    held = Held(
        limit_book.resolve(
            (Setting(*row[:5]) for row in rows if row[2] in BY_NAME),
            first_values=first_values(),
            account=account.name,
            strategy_id=strategy_id,
            symbol=symbol,
        )
    )
    held.version = rows[0][5] if rows else _version_without_settings()
    return held


def _version_without_settings() -> int:
    return LimitBook.objects.order_by("pk").values_list("version", flat=True).first() or 0


def value_of(
    account: VirtualAccount, name: str, *, symbol: str = "", rows: list[Any] | None = None
) -> Value:
    """Return what one limit holds. `rows` are those of `set_for`, if at hand."""
    if rows is None:
        rows = set_for.rows(account_id=account.pk, strategy_id="", symbol=symbol)
    found = limit_book.resolve(
        (Setting(*row[:5]) for row in rows if row[2] == name),
        first_values=first_values(),
        account=account.name,
        strategy_id="",
        symbol=symbol,
        specs=(BY_NAME[name],),
    )
    return found[name].value


@cache
def first_values() -> Mapping[str, Value]:
    """Return the environment's values, for limits nobody has set."""
    return {s.name: s.parse(getattr(settings, s.setting)) for s in limit_book.LIMITS}


# ---- changing --------------------------------------------------------------------------------


def ensure_first(*, actor: str = "first boot") -> None:
    """Write the environment's values down as the global ones, where none were ever set.

    From then on the environment says nothing any more: the database does, with author and reason.
    """
    with transaction.atomic():
        known = set(LimitChange.objects.values_list("name", flat=True))
        for name, value in first_values().items():
            if name not in known:
                text = limit_book.word(value)
                wish = Wish(Scope.GLOBAL, "", name, text, "first value from the environment")
                _apply(_change(wish, before=UNSET, after=text, author=actor, is_looser=False))


def set_first(wish: Wish, *, actor: str) -> None:
    """Set what an account begins with, which no second person can have been asked about."""
    after = check(wish)
    if _held(wish) != after:
        _apply(_change(wish, before=UNSET, after=after, author=actor, is_looser=False))


def set_limit(wish: Wish, *, actor: str) -> LimitChange | None:
    """Set a limit in one place, at once, or ask for a second person when it gets looser.

    Returns None when it is as wished already. Raises ValidationError naming the wrong field.
    Lowering risk never waits. With FOUR_EYES a looser value waits until another approves it.
    """
    after = check(wish)
    with transaction.atomic():
        _lock()
        before = _held(wish)
        if before == after:
            return None
        change = _change(
            wish,
            before=before,
            after=after,
            author=actor,
            is_looser=_is_looser(wish, before, after),
        )
        if change.is_looser and four_eyes.is_asked_for():
            change.state = LimitChange.State.PENDING
            change.save(force_insert=True)
            trail.record(_entry("limit.asked", change, actor))
        else:
            _apply(change)
    return change


def is_so(wish: Wish) -> bool:
    """Say whether the place has that value already. Raises ValidationError like `set_limit`."""
    return check(wish) == _held(wish)


def approve(change_id: int, *, actor: str, reason: str = "") -> LimitChange:
    """Let a waiting change hold. Raises SecondPersonNeeded when its author approves it, and
    ValidationError when it no longer waits or its ground has changed."""
    with transaction.atomic():
        _lock()
        change = _waiting(change_id)
        four_eyes.ensure_other(change.author, actor)
        wish = Wish(change.scope, change.key, change.name, change.after or None, change.reason)
        if _held(wish) != change.before:
            raise ValidationError("The limit was changed since: decline this and ask anew.")
        change.decided_by, change.decision_reason = actor, reason
        _apply(change)
    return change


def decline(change_id: int, *, actor: str, reason: str) -> LimitChange:
    """Say no to a waiting change; its author may take it back so."""
    if not reason.strip():
        raise ValidationError({"reason": "Say why."})
    with transaction.atomic():
        _lock()
        change = _waiting(change_id)
        change.state = LimitChange.State.DECLINED
        change.decided_by, change.decision_reason = actor, reason
        change.decided_at = timezone.now()
        change.save()
        trail.record(_entry("limit.declined", change, actor))
    return change


def as_of(version: int) -> list[Setting]:
    """Return what was set when the book stood at `version`, from the changes alone."""
    held: dict[tuple[str, str, str], Setting] = {}
    changes = LimitChange.objects.filter(version__lte=version).order_by("version")
    for c in changes:
        place = (c.scope, c.key, c.name)
        if c.after == UNSET:
            held.pop(place, None)
        else:
            held[place] = Setting(c.scope, c.key, c.name, c.after, c.version or 0)
    return list(held.values())


def _lock() -> LimitBook:
    book = LimitBook.objects.select_for_update(no_key=True).order_by("pk").first()
    if book is not None:
        return book
    LimitBook.objects.bulk_create([LimitBook(pk=1)], ignore_conflicts=True)
    return LimitBook.objects.select_for_update(no_key=True).get(pk=1)


def check(wish: Wish) -> str:
    """Return the value as it would be stored; raise ValidationError naming every wrong field."""
    errors: dict[str, str] = {}
    spec = BY_NAME.get(wish.name)
    after = UNSET
    if spec is None:
        errors["name"] = f"There is no limit {wish.name}; there are {', '.join(BY_NAME)}."
    elif wish.value is not None:
        try:
            after = limit_book.word(spec.parse(wish.value))
        except LimitInvalid as error:
            errors["value"] = str(error)
    if problem := _wrong_place(wish):
        errors[problem[0]] = problem[1]
    if not wish.reason.strip():
        errors["reason"] = "Say why: the reason is kept with the change."
    elif len(wish.reason) > 500:
        errors["reason"] = "At most 500 characters."
    if errors:
        raise ValidationError(errors)
    return after


def _wrong_place(wish: Wish) -> tuple[str, str] | None:
    if wish.scope not in tuple(Scope):
        return "scope", f"Choose one of {', '.join(Scope)}."
    wanted = _PLACES.get(Scope(wish.scope))
    if wanted is None:
        return ("key", f"Leave it empty: {wish.scope} has no key.") if wish.key else None
    if not wish.key or len(wish.key) > 100:
        return "key", f"Name {wanted}, at most 100 characters."
    if wish.scope == Scope.ACCOUNT and not VirtualAccount.objects.filter(name=wish.key).exists():
        return "key", f"There is no account {wish.key}."
    if wish.scope == Scope.STRATEGY and not STRATEGY_ID.fullmatch(wish.key):
        return "key", "A strategy's name has letters, digits, spaces and ._:/@+- only."
    if wish.scope == Scope.SYMBOL and not (wish.key.isalnum() and wish.key == wish.key.upper()):
        return "key", "Write the symbol as the venue does, such as BTCUSDT."
    return None


def _held(wish: Wish) -> str:
    rows = Limit.objects.filter(scope=wish.scope, key=wish.key, name=wish.name)
    return rows.values_list("value", flat=True).first() or UNSET


def _is_looser(wish: Wish, before: str, after: str) -> bool:
    """Say whether setting, changing or unsetting the value could let more happen to any intent.

    Without a value of its own a place has what a wider one says, and which one that is depends on
    the intent: so a first value is held against all of them, and so is what is left without it.
    """
    spec = BY_NAME[wish.name]
    if before != UNSET and after != UNSET:
        return _looser(spec, after, before)
    if wish.scope == Scope.CAP:
        return after == UNSET
    wider = limit_book.SPECIFICITY[limit_book.SPECIFICITY.index(Scope(wish.scope)) + 1 :]
    rows = Limit.objects.filter(name=wish.name, scope__in=wider)
    others = {*rows.values_list("value", flat=True), limit_book.word(first_values()[wish.name])}
    if after != UNSET:
        return any(_looser(spec, after, other) for other in others)
    return any(_looser(spec, other, before) for other in others)


def _looser(spec: limit_book.LimitSpec, new: str, old: str) -> bool:
    """Say whether `new` is looser; it is taken for it where nobody can read one of them."""
    try:
        return spec.is_looser(spec.parse(new), spec.parse(old))
    except LimitInvalid:
        return True


def _change(wish: Wish, *, before: str, after: str, author: str, is_looser: bool) -> LimitChange:
    return LimitChange(
        scope=wish.scope,
        key=wish.key,
        name=wish.name,
        before=before,
        after=after,
        is_looser=is_looser,
        reason=wish.reason,
        author=author,
        asked_at=timezone.now(),
    )


def _apply(change: LimitChange) -> None:
    """Give the change its version and let it hold, with its line in the trail."""
    book = _lock()
    book.version += 1
    book.save(update_fields=["version"])
    change.version = book.version
    change.state = LimitChange.State.APPLIED
    change.decided_at = timezone.now()
    change.save()
    rows = Limit.objects.filter(scope=change.scope, key=change.key, name=change.name)
    if change.after == UNSET:
        rows.delete()
    elif not rows.update(value=change.after, version=book.version):
        Limit.objects.create(
            scope=change.scope,
            key=change.key,
            name=change.name,
            value=change.after,
            version=book.version,
        )
    trail.record(_entry("limit.changed", change, change.decided_by or change.author))


def _waiting(change_id: int) -> LimitChange:
    change = LimitChange.objects.select_for_update(no_key=True).get(pk=change_id)
    if change.state != LimitChange.State.PENDING:
        raise ValidationError(f"This change does not wait any more: it is {change.state}.")
    return change


def _entry(kind: str, change: LimitChange, actor: str) -> trail.Entry:
    return trail.Entry(
        kind=kind,
        actor=actor,
        subject_type="limit_change",
        subject_id=str(change.pk),
        data={
            "name": change.name,
            "scope": change.scope,
            "key": change.key,
            "before": change.before,
            "after": change.after,
            "looser": change.is_looser,
            "reason": change.decision_reason or change.reason,
            "author": change.author,
            "version": change.version,
        },
    )
