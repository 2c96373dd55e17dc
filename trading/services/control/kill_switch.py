"""The kill switch: engage in one step, release on purpose, ask what holds right now."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from audit import trail
from exchanges.domain.venues import Environment, Venue, read_venue
from exchanges.models import InstrumentRow
from foundation.statements import Select
from trading.domain.risk.types import TradingMode
from trading.models import Approval, TradingState, VirtualAccount
from trading.services.control import four_eyes
from trading.services.control.four_eyes import Outcome

STRICTNESS = {mode: rank for rank, mode in enumerate(TradingMode)}
ACTS = (TradingMode.CANCEL_OPEN, TradingMode.FLATTEN)  # a stop of these levels has work to do
OTHER_WORDS = {"HALT_NEW": TradingMode.HALTED}
_carried_out_by: list[Callable[[TradingState], None]] = []
LEVELS = (*(mode.value for mode in TradingMode if mode is not TradingMode.ACTIVE), *OTHER_WORDS)


def level(word: str) -> TradingMode:
    """Read a level; raises ValueError for a word that is none or stops nothing."""
    if word not in LEVELS:
        raise ValueError(f"there is no level {word}: choose one of {', '.join(LEVELS)}")
    return OTHER_WORDS.get(word) or TradingMode(word)


def spelled(scope: str, key: str) -> str:
    """Return a key as it is compared: a symbol in the venue's spelling."""
    key = key.strip()
    return key.upper() if scope == TradingState.Scope.SYMBOL else key


def fault_of_key(scope: str, key: str) -> str:
    """Say why a stop of this place would stop nothing; empty when it would stop something."""
    scopes = TradingState.Scope
    if scope == scopes.GLOBAL:
        return "must be empty for the scope global" if key else ""
    if not key:
        return f"is required for the scope {scope}"
    if scope == scopes.VENUE:
        return _fault_of_venue(key)
    if scope == scopes.ACCOUNT and not VirtualAccount.objects.filter(name=key).exists():
        return "is no virtual account"
    if scope == scopes.SYMBOL and not _may_be_listed(key):
        return "is a symbol that no venue lists"
    return ""


def _fault_of_venue(key: str) -> str:
    if key in list(Environment):
        return ""
    try:
        return "" if str(read_venue(key)) == key else f"is written {read_venue(key)}"
    except ValueError as error:
        return f"is no venue ({error}) and no environment ({', '.join(Environment)})"


def places_of(venue: Venue) -> tuple[str, str]:
    """Return the keys of the scope venue that stop a venue: its own, and its environment's."""
    return str(venue), str(venue.environment)


def keys_over(scope: str, key: str) -> tuple[str, ...]:
    """Return every key of a scope whose stop covers this one."""
    if scope != TradingState.Scope.VENUE or key in list(Environment):
        return (key,)
    return places_of(read_venue(key))


def at(key: str, prefix: str) -> Q:
    """Return what selects the rows of a key of the scope venue, by the columns under `prefix`."""
    if key in list(Environment):
        return Q(**{f"{prefix}environment": key})
    return Q(**read_venue(key).columns(prefix))


def environment_of(state: TradingState) -> str:
    """Return the environment a state stops, empty when it is not bound to one."""
    return state.key.rsplit(".", 1)[-1] if state.scope == TradingState.Scope.VENUE else ""


def _may_be_listed(symbol: str) -> bool:
    """Say whether a venue may list a symbol: while one's list is not loaded, no stop waits for it.

    What a venue no longer lists keeps its row, so it can be stopped too.
    """
    if InstrumentRow.objects.filter(symbol=symbol).exists():
        return True
    columns = ("exchange", "market", "environment")
    loaded = set(InstrumentRow.objects.values_list(*columns).distinct())
    traded = VirtualAccount.objects.filter(enabled=True).values_list(
        *(f"venue_account__{name}" for name in columns)
    )
    return not loaded or not loaded.issuperset(traded)


@dataclass(frozen=True, slots=True)
class Standing:
    """The strictest state that applies, and why."""

    mode: TradingMode
    reason: str


@Select
def unreleased() -> QuerySet[TradingState, Any]:
    """All states in force or expired, for `strictest`: cheaper than asking for the right ones."""
    return TradingState.objects.filter(released_at=None).values_list(
        "scope", "key", "mode", "reason", "engaged_by", "expires_at"
    )


def standing(
    *, venue: Venue, account: str, strategy_id: str, symbol: str, now: datetime
) -> Standing:
    """Return what holds for one intent; the strictest scope wins."""
    return strictest(
        unreleased.rows(),
        venue=venue,
        account=account,
        strategy_id=strategy_id,
        symbol=symbol,
        now=now,
    )


def strictest(
    states: Iterable[tuple[Any, ...]],
    *,
    venue: Venue,
    account: str,
    strategy_id: str,
    symbol: str,
    now: datetime,
) -> Standing:
    """Pick from rows of `unreleased` what holds for one intent."""
    scopes = TradingState.Scope
    applies = {
        (scopes.GLOBAL.value, ""),
        *((scopes.VENUE.value, key) for key in places_of(venue)),
        (scopes.ACCOUNT.value, account),
        (scopes.STRATEGY.value, strategy_id),
        (scopes.SYMBOL.value, symbol),
    }
    found = Standing(TradingMode.ACTIVE, "")
    for scope, key, word, reason, engaged_by, expires_at in states:
        if (scope, key) not in applies or (expires_at is not None and expires_at <= now):
            continue
        mode = TradingMode(word)
        if STRICTNESS[mode] > STRICTNESS[found.mode]:
            found = Standing(mode, f"{scope} {key}".strip() + f": {reason} ({engaged_by})")
    return found


def in_force(now: datetime):  # type: ignore[no-untyped-def]
    """Return the states that hold at `now`."""
    return TradingState.objects.filter(released_at__isnull=True).filter(
        Q(expires_at__isnull=True) | Q(expires_at__gt=now)
    )


def carried_out_by(enqueue: Callable[[TradingState], None]) -> None:
    """Name who enqueues the work of a stop that acts; called when the app is ready.

    Tasks stand above services, so they come to us. `engage` calls them itself: no door has to.
    """
    _carried_out_by[:] = [enqueue]


def engage(
    *,
    actor: str,
    reason: str,
    mode: TradingMode = TradingMode.HALTED,
    scope: str = TradingState.Scope.GLOBAL,
    key: str = "",
    expires_at: datetime | None = None,
) -> TradingState:
    """Make trading stricter at once. Engaging what is engaged changes nothing but the trail.

    A stop that acts (CANCEL_OPEN, FLATTEN) is enqueued on commit, also when it is engaged again:
    what failed before is then tried at once.
    """
    if mode is TradingMode.ACTIVE:
        raise ValueError("engaging means stricter: use release() to let trading go on")
    now = timezone.now()
    with transaction.atomic():
        # An expired row would still hold the unique place of its scope.
        TradingState.objects.filter(
            scope=scope, key=key, released_at__isnull=True, expires_at__lte=now
        ).update(released_at=now, released_by="expiry", release_reason="expired")
        state, is_new = TradingState.objects.get_or_create(
            scope=scope,
            key=key,
            mode=mode.value,
            released_at=None,
            defaults={"reason": reason, "engaged_by": actor, "expires_at": expires_at},
        )
        if (
            not is_new
            and state.expires_at
            and (expires_at is None or expires_at > state.expires_at)
        ):
            state.expires_at = expires_at
            state.save(update_fields=["expires_at"])
        if not is_new:  # who wants it released has not seen why it was stopped again
            four_eyes.withdraw(
                kind=Approval.Kind.RELEASE_STOP,
                target=str(state.pk),
                actor=actor,
                reason="it was engaged again",
            )
        trail.record(_entry("control.engaged" if is_new else "control.confirmed", state, actor))
        if mode in ACTS:
            for enqueue in _carried_out_by:  # on commit: before it, a worker finds no such row
                transaction.on_commit(partial(enqueue, state), robust=True)
    return state


def stop_at_boot() -> TradingState | None:
    """Stop new entries because the configuration says so; None when they are stopped so already.

    It only ever makes things stricter: what stands stays, and taking the word out of the
    configuration releases nothing.
    """
    everywhere = in_force(timezone.now()).filter(scope=TradingState.Scope.GLOBAL)
    if everywhere.filter(mode=TradingMode.HALTED.value, expires_at=None).exists():
        return None
    return engage(actor="KILL_SWITCH_ENABLED", reason="the configuration says to start stopped")


def release(*, state_id: int, actor: str, reason: str) -> Outcome:
    """Let trading go on, or have that wait for a second person (FOUR_EYES).

    Nothing is done when somebody released it before.
    """
    if not reason.strip():
        raise ValueError("releasing the kill switch needs a reason")
    if not four_eyes.is_asked_for():
        return Outcome(carry_out_release(state_id=state_id, actor=actor, reason=reason))
    with transaction.atomic():
        standing = TradingState.objects.select_for_update().filter(pk=state_id, released_at=None)
        state = standing.first()
        if state is None:
            return Outcome(False)
        waits = four_eyes.ask(
            kind=Approval.Kind.RELEASE_STOP,
            target=str(state_id),
            wish={"state": state_id},
            words=f"release {state}: {state.reason} ({state.engaged_by})",
            reason=reason,
            actor=actor,
        )
    return Outcome(False, waits)


def carry_out_release(*, state_id: int, actor: str, reason: str) -> bool:
    """Release a stop; False when somebody did before."""
    with transaction.atomic():
        count = TradingState.objects.filter(pk=state_id, released_at__isnull=True).update(
            released_at=timezone.now(), released_by=actor, release_reason=reason
        )
        if count:
            state = TradingState.objects.get(pk=state_id)
            trail.record(_entry("control.released", state, actor))
    return bool(count)


def _entry(kind: str, state: TradingState, actor: str) -> trail.Entry:
    return trail.Entry(
        kind=kind,
        actor=actor,
        subject_type="trading_state",
        subject_id=str(state.pk),
        data={
            "scope": state.scope,
            "key": state.key,
            "mode": state.mode,
            "reason": state.release_reason or state.reason,
        },
    )
