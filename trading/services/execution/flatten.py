"""Carrying out a stop: our resting entries are cancelled and, to flatten, what is held is sold.

The standing order itself is the queue: as long as it stands and something is left, the sweep runs
this again. Every step asks the database what is left, so running it twice, or from two places, or
after a crash, does no harm: an order that ended is not cancelled again, and a close is decided
under the account's lock like any other exit, which sells what is still held or nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import structlog
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from audit import trail
from exchanges.domain import errors
from exchanges.domain.orders import OrderType
from exchanges.models import VenueAccount
from foundation import locks
from foundation.serialization import jsonable
from trading.domain import client_ids, stop_advice
from trading.domain.intents import IntentKind, TradeIntent
from trading.domain.order_states import OPEN_STATUSES, OrderStatus, is_final
from trading.domain.risk.types import TradingMode
from trading.models import Decision, Fill, Order, Position, StopReport, TradingState
from trading.services.control import kill_switch
from trading.services.execution import dispatch, exits
from trading.services.orders import decisions, lifecycle
from trading.services.protection import keeper
from trading.services.risk import market_view

log = structlog.get_logger(__name__)
UNFINISHED = (*sorted(OPEN_STATUSES), OrderStatus.NEW)
DONE, WAITS, FAILED = "done", "waits", "failed"
FIRST_PAUSE, LONGEST_PAUSE = 5, 300  # seconds until what failed is tried again
UNANSWERED_SECONDS = 15.0  # spent waiting for a venue that does not answer, then the sweep goes on
Json = dict[str, Any]


# ---- what it would do ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Plan:
    """Orders to cancel and positions to sell. What is too small for the venue is only named."""

    cancels: tuple[Order, ...] = ()
    closes: tuple[Position, ...] = ()
    too_small: tuple[Position, ...] = ()

    @property
    def left(self) -> int:
        return len(self.cancels) + len(self.closes)

    @property
    def keys(self) -> set[str]:
        """Name the steps, as the report does."""
        return {*map(_key, self.cancels), *map(_key, self.closes)}

    def as_json(self) -> dict[str, list[Json]]:
        return {
            "cancels": [_order_facts(order) for order in self.cancels],
            "closes": [_position_facts(position) for position in self.closes],
            "too_small": [_position_facts(position) for position in self.too_small],
        }


def plan(*, mode: TradingMode, scope: str, key: str) -> Plan:
    """Say what a stop of this level would cancel and sell right now, without doing it.

    A strategy's positions are those its entries are part of; each is sold whole.
    """
    if mode not in kill_switch.ACTS:
        return Plan()
    entries = Order.objects.filter(
        _orders_in(scope, key),
        role=Order.Role.ENTRY,
        status__in=UNFINISHED,
        client_order_id__startswith=client_ids.PREFIX,
    )
    cancels = tuple(entries.select_related("account", "venue_account", "order_list").order_by("pk"))
    if mode is not TradingMode.FLATTEN:
        return Plan(cancels)
    held = Position.objects.filter(_positions_in(scope, key), is_open=True)
    rows = list(held.select_related("account__venue_account").order_by("pk"))
    return Plan(
        cancels,
        closes=tuple(row for row in rows if not row.is_dust),
        too_small=tuple(row for row in rows if row.is_dust),
    )


def _orders_in(scope: str, key: str) -> Q:
    match TradingState.Scope(scope):
        case TradingState.Scope.VENUE:
            return kill_switch.at(key, "venue_account__")
        case TradingState.Scope.ACCOUNT:
            return Q(account__name=key)
        case TradingState.Scope.STRATEGY:
            return Q(strategy_id=key)
        case TradingState.Scope.SYMBOL:
            return Q(symbol=key)
    return Q()


def _positions_in(scope: str, key: str) -> Q:
    match TradingState.Scope(scope):
        case TradingState.Scope.VENUE:
            return kill_switch.at(key, "account__venue_account__")
        case TradingState.Scope.ACCOUNT:
            return Q(account__name=key)
        case TradingState.Scope.STRATEGY:
            return Q(Exists(_bought_by(key)))
        case TradingState.Scope.SYMBOL:
            return Q(symbol=key)
    return Q()


def _bought_by(strategy_id: str) -> QuerySet[Fill]:
    return Fill.objects.filter(
        order__account=OuterRef("account"),
        order__symbol=OuterRef("symbol"),
        order__role=Order.Role.ENTRY,
        order__strategy_id=strategy_id,
        recorded_at__gte=OuterRef("opened_at"),
    )


def _key(row: Order | Position) -> str:
    return f"{'order' if isinstance(row, Order) else 'position'} {row.pk}"


def _place(account: VenueAccount) -> Json:
    return {"venue": str(account.venue), "environment": account.environment}


def _order_facts(order: Order) -> Json:
    return {
        "order": order.pk,
        "client_order_id": order.client_order_id,
        "account": order.account.name,
        **_place(order.venue_account),
        "strategy_id": order.strategy_id,
        "symbol": order.symbol,
        "side": order.side,
        "type": order.type,
        "quantity": jsonable(order.quantity),
        "filled": jsonable(order.booked_quantity),
        "price": jsonable(order.price),
        "status": order.status,
    }


def _position_facts(position: Position) -> Json:
    return {
        "position": position.pk,
        "account": position.account.name,
        **_place(position.account.venue_account),
        "symbol": position.symbol,
        "quantity": jsonable(position.quantity),
        "average_entry_price": jsonable(position.average_entry_price),
    }


# ---- doing it --------------------------------------------------------------------------------


def unfinished() -> list[int]:
    """Return the stops whose work is not done, or whose report is not closed."""
    acts = TradingState.objects.filter(mode__in=[mode.value for mode in kill_switch.ACTS])
    standing = kill_switch.in_force(timezone.now())
    working = [
        state.pk
        for state in acts.filter(pk__in=standing.values("pk")).select_related("report")
        if _finished_at(state) is None or _plan_of(state).left
    ]
    over = acts.exclude(pk__in=standing.values("pk"))
    return working + list(over.filter(_BEGUN).values_list("pk", flat=True))


_BEGUN = Q(report__isnull=False, report__finished_at=None)


def carry_out(state_id: int, *, at_once: bool = False) -> frozenset[int]:
    """Do what is left of a stop, once, past every single failure; keep its report up to date.

    What failed before is left alone for a while, unless `at_once`. Returns the positions whose
    protection wants another look.
    """
    with locks.at(f"emptying:{state_id}") as got_it:
        if not got_it:
            return frozenset()
        state = TradingState.objects.get(pk=state_id)
        if TradingMode(state.mode) not in kill_switch.ACTS:
            return frozenset()
        if not _stands(state):
            _give_up_exits(state)
            _close_report(state)
            return frozenset()
        return _Run(state, at_once=at_once).go()


class _Run:
    """One go at what is left."""

    def __init__(self, state: TradingState, *, at_once: bool) -> None:
        self.state = state
        self.actor = f"kill switch of {state.engaged_by}"[:150]
        self.at_once = at_once
        self.report = _begin(state, self.actor)
        self.touched: set[int] = set()
        self.waited: dict[str, float] = {}  # seconds without an answer, by venue

    def go(self) -> frozenset[int]:
        for order in _plan_of(self.state).cancels:
            self._step(_key(order), partial(self._cancel, order), _order_facts(order))
        self.waited.clear()  # what is held gets its turn, however long the entries took
        # Looked up anew: an entry that filled while it was cancelled is held by now.
        for position in _plan_of(self.state).closes:
            self._step(_key(position), partial(self._close, position), _position_facts(position))
        again = {pk for pk in self.touched if not keeper.ensure(pk, actor=self.actor)}
        _sum_up(self.report, self.state, self.actor)
        return frozenset(again)

    def _step(self, key: str, act: Callable[[], tuple[str, Json]], facts: Json) -> None:
        venue = facts["venue"]
        if self.waited.get(venue, 0.0) > UNANSWERED_SECONDS:
            return  # left to the next run: a hundred orders must not wait out their time in a row
        if not _stands(self.state) or self._is_pausing(key):
            return
        started = time.monotonic()
        try:
            outcome, detail = act()
        except (errors.OutcomeUnknown, errors.OrderNotFound) as error:
            outcome, detail = WAITS, {"why": f"the venue has not told yet: {error}"}
        except errors.VenueError as error:
            outcome, detail = FAILED, {"why": str(error), "code": str(error.code or "")}
        except Exception as error:
            log.exception("stop_not_carried_out", state=self.state.pk, step=key)
            outcome, detail = FAILED, {"why": f"{type(error).__name__}: {error}"}
        if outcome != DONE:
            took = time.monotonic() - started
            self.waited[venue] = self.waited.get(venue, 0.0) + took
        _note(self.report, key, outcome, {**facts, **detail}, self.actor, self.state)

    def _is_pausing(self, key: str) -> bool:
        step: Mapping[str, Any] = self.report.steps.get(key, {})
        if self.at_once or step.get("outcome") != FAILED:
            return False
        pause = min(FIRST_PAUSE * 2 ** min(step["failures"] - 1, 10), LONGEST_PAUSE)
        return timezone.now() < datetime.fromisoformat(step["at"]) + timedelta(seconds=pause)

    def _cancel(self, order: Order) -> tuple[str, Json]:
        for applied in lifecycle.cancel(order, actor=self.actor):
            if applied.position_id is not None:
                self.touched.add(applied.position_id)
        order.refresh_from_db()
        if order.fills_missing:
            self._fetch_trades(order)
        facts = {"status": order.status, "filled": jsonable(order.booked_quantity)}
        if is_final(OrderStatus(order.status)):
            return DONE, facts
        return WAITS, {**facts, "why": "the venue has not confirmed the cancel yet"}

    def _fetch_trades(self, order: Order) -> None:
        """Book what filled before the cancel, so that it is sold with the rest.

        Trouble here is no failure of the cancel: reconciliation asks again, and the sweep sells.
        """
        try:
            applied = lifecycle.fetch_trades(order, actor=self.actor)
        except errors.VenueError as error:
            log.info("trades_not_fetched", order=order.pk, error=str(error))
            return
        if applied is not None and applied.position_id is not None:
            self.touched.add(applied.position_id)
        order.refresh_from_db()

    def _close(self, position: Position) -> tuple[str, Json]:
        """Sell as every exit does: an intent, a decision, an order, protection out of the way."""
        if sale := exits.under_way(position):
            return WAITS, {"why": f"an exit is on its way: {sale.reason or sale}", "close": sale.pk}
        account = position.account
        view = market_view.observe(account.venue_account, position.symbol, for_entry=False)
        try:
            decided = decisions.decide(
                intent=self._intent(position), account_id=account.pk, market=view
            )
        except IntegrityError:
            return WAITS, {"why": "somebody else is closing it"}
        decision = decided.decision
        facts: Json = {"decision": decision.pk}
        if not decided.orders:
            outcome = {"NO_POSITION_TO_CLOSE": DONE, "POSITION_ALREADY_EXITING": WAITS}
            return outcome.get(decision.code, FAILED), {**facts, "why": decision.message}
        sent = dispatch.send(decided.orders, actor=self.actor, claimed=decided.claimed)
        self.touched |= sent.positions
        return self._what_came_of(position, decided.orders[0], facts)

    def _what_came_of(self, position: Position, first: Order, facts: Json) -> tuple[str, Json]:
        """Say what a close has come to, carried on as far as it was."""
        order = exits.last_of(first)
        facts |= {"close": order.pk, "status": order.status}
        facts["sold"] = jsonable(_sold_by(order))
        position.refresh_from_db()
        if order.status == OrderStatus.FILLED and not (position.is_open and position.shortfall):
            return DONE, facts
        if position.shortfall:
            missing = f"{position.shortfall:f}"
            why = f"{missing} of it are not at the venue: settle the shortfall of the position"
            return FAILED, {**facts, "why": why, "code": order.reason_code}
        if is_final(OrderStatus(order.status)) and order.follow_up_at is None:
            why = order.reason or f"it ended {order.status.lower()}"
            return FAILED, {**facts, "why": why, "code": order.reason_code}
        return WAITS, {**facts, "why": order.reason or "the venue has not filled it yet"}

    def _intent(self, position: Position) -> TradeIntent:
        """Make the wish to close, under a uid that only one of two who try now can take."""
        key = f"stop-{self.state.pk}-position-{position.pk}-"
        tried = Decision.objects.filter(intent_uid__startswith=key).count()
        entry = Order.objects.filter(
            account_id=position.account_id, symbol=position.symbol, role=Order.Role.ENTRY
        ).first()
        return TradeIntent(
            intent_uid=f"{key}{tried + 1}",
            kind=IntentKind.CLOSE,
            strategy_id=entry.strategy_id if entry else "",
            symbol=position.symbol,
            confidence=Decimal(1),
            emitted_at=timezone.now(),
            order_type=OrderType.MARKET,
            correlation_id=f"stop-{self.state.pk}",
            actor=self.actor,
            notes=(f"{self.state}: {self.state.reason}",),
        )


def _sold_by(order: Order) -> Decimal:
    """Sum what an exit has sold, with those it carries on."""
    chain = Order.objects.filter(decision=order.decision, role=Order.Role.EXIT)
    return sum((o.booked_quantity for o in chain), Decimal(0))


def _plan_of(state: TradingState) -> Plan:
    return plan(mode=TradingMode(state.mode), scope=state.scope, key=state.key)


def _stands(state: TradingState) -> bool:
    return bool(kill_switch.in_force(timezone.now()).filter(pk=state.pk).exists())


def _finished_at(state: TradingState) -> datetime | None:
    report = getattr(state, "report", None)
    return report.finished_at if report is not None else None


# ---- the report ------------------------------------------------------------------------------


def _begin(state: TradingState, actor: str) -> StopReport:
    with transaction.atomic():
        report, is_new = StopReport.objects.get_or_create(
            state=state,
            defaults={"asked_by": state.engaged_by, "planned": _plan_of(state).as_json()},
        )
        if is_new:
            trail.record(_entry("control.emptying", state, actor, report.planned))
    return report


def _note(
    report: StopReport, key: str, outcome: str, facts: Json, actor: str, state: TradingState
) -> None:
    """Write down what became of one step. The same again only moves its time."""
    now = timezone.now()
    with transaction.atomic():
        row = _locked(report.pk)
        before: Mapping[str, Any] = row.steps.get(key, {})
        failures = before.get("failures", 0) + 1 if outcome == FAILED else 0
        row.steps[key] = {"outcome": outcome, "at": now.isoformat(), "failures": failures, **facts}
        row.updated_at = now
        row.save(update_fields=["steps", "updated_at"])
        if (before.get("outcome"), before.get("why")) != (outcome, facts.get("why")):
            data = {"step": key, "outcome": outcome, **facts}
            trail.record(_entry("control.emptying_step", state, actor, data))
    report.steps = row.steps


def _sum_up(report: StopReport, state: TradingState, actor: str) -> None:
    """Close the report when nothing is left, or open it again when something turned up."""
    plan_now = _plan_of(state)
    left = plan_now.left
    now = timezone.now()
    with transaction.atomic():
        row = _locked(report.pk)
        for key, facts in _planned(row).items():  # a crash may have lost what became of one
            fresh = {"outcome": WAITS, "at": now.isoformat(), "failures": 0, "why": "not tried yet"}
            row.steps.setdefault(key, {**fresh, **facts})
        for key, step in row.steps.items():
            if step["outcome"] != DONE and key not in plan_now.keys:
                step |= {"outcome": DONE, "at": now.isoformat(), "why": "it came to rest meanwhile"}
                data = {"step": key, "outcome": DONE, "why": step["why"]}
                trail.record(_entry("control.emptying_step", state, actor, data))
        was_finished = row.finished_at is not None
        row.left = left
        if was_finished == bool(left):
            row.finished_at = None if left else now
            row.ended = "" if left else "nothing is left"
            kind = "control.emptying" if left else "control.emptied"
            trail.record(_entry(kind, state, actor, {"left": left, **counts(row)}))
        row.updated_at = now
        row.save(update_fields=["steps", "left", "finished_at", "ended", "updated_at"])


def _planned(report: StopReport) -> dict[str, Json]:
    """Return the facts of everything that was planned, by the key of its step."""
    cancels = {f"order {facts['order']}": facts for facts in report.planned["cancels"]}
    return cancels | {f"position {facts['position']}": facts for facts in report.planned["closes"]}


def _give_up_exits(state: TradingState) -> None:
    """Sell nothing more for a stop that was released: its exits do not go on."""
    of_stop = Order.objects.filter(correlation_id=f"stop-{state.pk}", role=Order.Role.EXIT)
    unsent = Q(status=OrderStatus.NEW) | Q(follow_up_at__isnull=False)
    for order in of_stop.filter(unsent).select_related("account", "venue_account", "order_list"):
        exits.give_up(order, actor="kill switch")
        lifecycle.call_off(order, reason="the stop was released", actor="kill switch")


def _close_report(state: TradingState) -> None:
    """End the report of a stop that was released, or ran out, before all was done."""
    with transaction.atomic():
        row = StopReport.objects.select_for_update(of=("self",)).filter(state=state).first()
        if row is None or row.finished_at is not None:
            return
        by = f"released by {state.released_by}" if state.released_at else "expired"
        row.finished_at = row.updated_at = timezone.now()
        row.ended = f"{by} before all was done"[:200]
        row.save(update_fields=["finished_at", "ended", "updated_at"])
        data = {"left": row.left, "ended": row.ended, **counts(row)}
        trail.record(_entry("control.emptying_ended", state, "kill switch", data))


STEP = ("account", "symbol", "quantity", "outcome", "status", "why")  # what its readers show


def lines(report: StopReport) -> list[dict[str, Any]]:
    """Return the steps for people: every part is there, empty where a step says nothing of it."""
    return [
        {**dict.fromkeys(STEP, ""), **step, "key": key, "what_to_do": stop_advice.what_to_do(step)}
        for key, step in report.steps.items()
    ]


def counts(report: StopReport) -> dict[str, int]:
    """Count the steps by what became of them."""
    outcomes = [step.get("outcome") for step in report.steps.values()]
    return {word: outcomes.count(word) for word in (DONE, WAITS, FAILED)}


def _locked(report_id: int) -> StopReport:
    return StopReport.objects.select_for_update(of=("self",)).get(pk=report_id)


def _entry(kind: str, state: TradingState, actor: str, data: Mapping[str, Any]) -> trail.Entry:
    return trail.Entry(
        kind=kind,
        actor=actor,
        subject_type="trading_state",
        subject_id=str(state.pk),
        correlation_id=f"stop-{state.pk}",
        environment=kill_switch.environment_of(state),
        data={"mode": state.mode, "scope": state.scope, "key": state.key, **data},
    )
