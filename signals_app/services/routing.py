"""From a stored signal to what became of it: claimed once, decided once, carried out once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import structlog
from django.db import IntegrityError, transaction
from django.db.models import QuerySet, Subquery
from django.utils import timezone

from audit import trail
from exchanges.domain.orders import OrderType, TimeInForce
from foundation import metrics
from foundation.statements import Select, together, update
from signals_app.models import Signal
from signals_app.payload import draft_json, environments
from signals_app.payload.draft import Action, SignalDraft
from signals_app.services import intake, strategy_settings
from signals_app.services.strategy_settings import Mode
from trading.domain.intents import IntentKind, SizeMode, SizingIntent, TradeIntent
from trading.models import Decision, Fill, Order
from trading.services.execution import dispatch, exits
from trading.services.money import accounts
from trading.services.orders import decisions
from trading.services.risk import market_view

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a signal came to. `positions` are those whose protection must be looked at."""

    signal: Signal
    decision: Decision | None
    order: Order | None
    positions: frozenset[int] = frozenset()
    acted_now: bool = False
    fills: tuple[Fill, ...] | None = None  # all there are, when acted on just now


@dataclass(frozen=True, slots=True)
class NotLive(Exception):
    """A strategy of ours that is not live opens nothing, whoever says its name."""

    strategy_id: str
    is_shadow: bool

    @property
    def code(self) -> str:
        return "STRATEGY_SHADOW" if self.is_shadow else "STRATEGY_OFF"

    def __str__(self) -> str:
        state = "in shadow" if self.is_shadow else "off"
        return (
            f"{self.strategy_id} is {state}: it opens nothing, whoever says its name. Put it live "
            "(admin, Our strategies), or send the signal under a name of your own."
        )


class _TakenByAnother(Exception):
    """Somebody else acted on the signal while we were looking."""


def act_on(signal_id: int) -> Outcome:
    """Decide on a RECEIVED signal and carry the decision out; any later call reports the outcome.

    Safe to call any number of times from any number of workers: the claim, the decision and the
    order are one transaction, and the intent's uid is unique.
    """
    signal = _signal.first(signal_id=signal_id)
    if signal is None:
        raise Signal.DoesNotExist(f"signal {signal_id} is not in the database")
    return act_on_stored(signal)


@Select
def _signal(signal_id: int) -> QuerySet[Signal]:
    return Signal.objects.filter(pk=signal_id).defer("raw").order_by()


def act_on_stored(signal: Signal) -> Outcome:
    """Do the same for a row just stored or read."""
    structlog.contextvars.bind_contextvars(
        correlation_id=signal.correlation_id, signal_uid=signal.uid
    )
    if signal.status != Signal.Status.RECEIVED:
        return outcome_of(signal)
    draft = draft_json.from_jsonable(signal.draft or {})
    intent = to_intent(signal, draft)
    try:
        refuse_unless_live(intent)
    except NotLive as refused:
        return (
            _keep_as_shadow(signal)
            if refused.is_shadow
            else _deny_unasked(signal, refused.code, str(refused))
        )
    try:
        account = accounts.for_intent(strategy_id=intent.strategy_id, simulate=intent.simulate)
    except accounts.NoAccount as error:
        return _deny_unasked(signal, "ACCOUNT_UNKNOWN", str(error))
    place = account.venue_account.environment
    if foreign := _foreign_prices(draft, place):
        words = f"said of {foreign} prices, {account.name} trades in {place}"
        if intent.is_entry and not accounts.prices_allow(foreign, place):
            return _deny_unasked(signal, "FOREIGN_PRICES", f"It was {words}.")
        intent = replace(intent, notes=(*intent.notes, words))
    if intent.is_entry and (close := _close_since(signal, intent)):
        return _deny_unasked(signal, "CLOSED_SINCE", _words_of(close, signal))
    view = market_view.observe(account.venue_account, intent.symbol, for_entry=intent.is_entry)
    try:
        decided = _decide(signal, intent, account.pk, view)
    except _TakenByAnother:
        signal.refresh_from_db(fields=["status", "decision", "decided_at"])
        return outcome_of(signal)
    if not decided.orders:
        return Outcome(signal, decided.decision, None, acted_now=True)
    order = decided.orders[0]
    sent = dispatch.send(decided.orders, actor=intent.actor, claimed=decided.claimed)
    order = exits.last_of(order)
    if order.order_list_id is not None:
        order.refresh_from_db()
    if order.acknowledged_at is not None:
        took = (order.acknowledged_at - signal.received_at).total_seconds()
        metrics.LATENCY.labels("signal_to_ack").observe(took)
    return Outcome(
        signal, decided.decision, order, sent.positions, acted_now=True, fills=sent.fills
    )


def refuse_unless_live(intent: TradeIntent) -> None:
    """Raise NotLive for an entry of a strategy of ours that is off or in shadow.

    An exit passes: what the strategy still holds may always leave.
    """
    if not intent.is_entry:
        return
    mode = strategy_settings.mode_of(intent.strategy_id)
    if mode not in (None, Mode.LIVE):
        raise NotLive(intent.strategy_id, is_shadow=mode == Mode.SHADOW)


def outcome_of(signal: Signal) -> Outcome:
    """Tell what a signal that was acted on before came to."""
    decision = signal.decision
    return Outcome(signal, decision, _main_order(decision) if decision else None)


def to_intent(signal: Signal, draft: SignalDraft) -> TradeIntent:
    return intent_of(
        draft, uid=signal.uid, correlation_id=signal.correlation_id, actor=signal.actor
    )


def intent_of(draft: SignalDraft, *, uid: str, correlation_id: str, actor: str) -> TradeIntent:
    """Turn what was said into what is wanted. On spot a sell never opens anything."""
    sizing = _sizing(draft)
    if draft.action is Action.BUY:
        kind = IntentKind.OPEN_LONG
    elif draft.action is Action.SELL and sizing.mode is not SizeMode.DEFAULT:
        kind = IntentKind.REDUCE
    else:
        kind = IntentKind.CLOSE
    return TradeIntent(
        intent_uid=uid,
        kind=kind,
        strategy_id=draft.strategy_id,
        symbol=draft.symbol,
        confidence=draft.confidence,
        emitted_at=draft.emitted_at,
        order_type=OrderType(draft.order_type.upper()) if draft.order_type else None,
        time_in_force=TimeInForce(draft.time_in_force) if draft.time_in_force else None,
        price=draft.price,
        stop_price=draft.stop_price,
        sizing=sizing,
        stop_loss=draft.stop_loss,
        take_profit=draft.take_profit,
        use_default_stop_loss=draft.use_default_stop_loss,
        use_default_take_profit=draft.use_default_take_profit,
        atr=draft.atr,
        sender_price=draft.current_price,
        simulate=draft.simulate is True,
        correlation_id=correlation_id,
        actor=actor,
        notes=draft.notes,
    )


def _sizing(draft: SignalDraft) -> SizingIntent:
    if draft.quantity is not None:
        return SizingIntent(SizeMode.BASE_QUANTITY, draft.quantity)
    if draft.quote_quantity is not None:
        return SizingIntent(SizeMode.QUOTE_AMOUNT, draft.quote_quantity)
    return SizingIntent()


def _decide(
    signal: Signal, intent: TradeIntent, account_id: int, view: market_view.MarketView
) -> decisions.Decided:
    try:
        decided = _decide_and_claim(signal, intent, account_id, view)
    except IntegrityError as error:
        # The intent was decided before: the unique key spoke before our claim could.
        if Signal.objects.filter(pk=signal.pk, status=Signal.Status.RECEIVED).exists():
            raise
        raise _TakenByAnother from error
    outcome = "approved" if decided.decision.approved else "denied"
    metrics.SIGNALS.labels(signal.source, outcome).inc()
    metrics.LATENCY.labels("signal_to_decision").observe(
        (timezone.now() - signal.received_at).total_seconds()
    )
    return decided


def _decide_and_claim(
    signal: Signal, intent: TradeIntent, account_id: int, view: market_view.MarketView
) -> decisions.Decided:
    """Decide and claim the signal in one transaction: a claim that fails undoes the decision."""
    with transaction.atomic(), together():
        decided = decisions.decide(intent=intent, account_id=account_id, market=view)
        decision = decided.decision
        values = {
            "status": Signal.Status.ROUTED if decision.approved else Signal.Status.DENIED,
            "decision_id": decision.pk,
            "decided_at": timezone.now(),
        }
        waiting = {"pk": signal.pk, "status": Signal.Status.RECEIVED}
        if not update(Signal, where=waiting, values=values):
            raise _TakenByAnother
    for name, value in values.items():
        setattr(signal, name, value)
    signal.decision = decision
    return decided


def _main_order(decision: Decision) -> Order | None:
    roles = (Order.Role.ENTRY, Order.Role.EXIT)
    return (
        Order.objects.filter(decision=decision, role__in=roles)
        .select_related("account", "venue_account")
        .order_by("-attempt", "pk")
        .first()
    )


def _foreign_prices(draft: SignalDraft, place: str) -> str:
    """Return whose prices a signal was made of, where it names an environment other than ours."""
    # A draft that an earlier version stored has the word in its context only.
    named = draft.environment or environments.read(draft.metadata.get("environment")) or ""
    return named if named != place else ""


@Select
def _exits_since(signal_id: int, strategy_id: str, symbol: str) -> QuerySet[Signal]:
    mine = Signal.objects.filter(pk=signal_id).values("received_at")
    later = Signal.objects.filter(
        strategy_id=strategy_id,
        symbol=symbol,
        action__in=[str(action) for action in intake.EXITS],
        received_at__gt=Subquery(mine),
    )
    unheard = (Signal.Status.REJECTED, Signal.Status.SHADOW)
    return later.exclude(status__in=unheard).defer("raw").order_by("received_at")[:20]


def _close_since(signal: Signal, intent: TradeIntent) -> Signal | None:
    """Return a close by which the strategy took an entry back that had not been acted on yet.

    Exits overtake the entries that wait. A close that overtook its own entry found nothing to
    sell: bought afterwards, the position would be one its strategy believes closed.
    """
    later = _exits_since.rows(
        signal_id=signal.pk, strategy_id=signal.strategy_id, symbol=intent.symbol
    )
    for one in later:
        meant = to_intent(one, draft_json.from_jsonable(one.draft or {}))
        if meant.kind is IntentKind.CLOSE and meant.simulate == intent.simulate:
            return one
    return None


def _words_of(close: Signal, entry: Signal) -> str:
    waited = (close.received_at - entry.received_at).total_seconds()
    return (
        f"{entry.strategy_id} closed {entry.symbol} (signal {close.uid}) {waited:.3f} s after it "
        "sent this entry, which had not been acted on by then. Send a new signal to enter again."
    )


def _deny_unasked(signal: Signal, code: str, message: str) -> Outcome:
    """Deny before any rule is asked: no account has rules for it."""
    values = {"error_code": code, "error_message": message, "decided_at": timezone.now()}
    data = {"code": code, "message": message}
    return _end_unasked(signal, Signal.Status.DENIED, values, data)


def _keep_as_shadow(signal: Signal) -> Outcome:
    """Keep it to be looked at, as if it had come where shadow signals go."""
    data = {"source": signal.source, "strategy_id": signal.strategy_id, "symbol": signal.symbol}
    return _end_unasked(signal, Signal.Status.SHADOW, {}, data)


def _end_unasked(
    signal: Signal, status: Signal.Status, values: Mapping[str, object], data: Mapping[str, object]
) -> Outcome:
    """End a waiting signal with its line in the trail; whoever ended it first, wins."""
    with transaction.atomic():
        waiting = Signal.objects.filter(pk=signal.pk, status=Signal.Status.RECEIVED)
        if waiting.update(status=status, **values):
            trail.record(
                trail.Entry(
                    kind=f"signal.{status}",
                    actor=signal.actor,
                    subject_type="signal",
                    subject_id=str(signal.pk),
                    correlation_id=signal.correlation_id,
                    signal_uid=signal.uid,
                    data=data,
                )
            )
    signal.refresh_from_db(fields=["status", "error_code", "error_message"])
    return Outcome(signal, None, None)
