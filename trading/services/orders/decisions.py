"""Deciding: one intent in, one stored decision out, and the order that follows from a yes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from audit import trail
from exchanges.domain.orders import OrderType
from exchanges.models import Balance
from foundation import metrics
from foundation.serialization import jsonable
from foundation.statements import Select, answered, ask_turn, insert, together
from trading.domain.intents import TradeIntent
from trading.domain.order_states import OrderStatus, still_to_come
from trading.domain.risk import assess
from trading.domain.risk.types import (
    Assessment,
    Cooldown,
    Holding,
    Limits,
    RiskSnapshot,
    SizingModel,
    TrackRecord,
)
from trading.models import Decision, Order, Position, VirtualAccount
from trading.models.orders import NOT_ALL_BOOKED
from trading.services.control import kill_switch, limits
from trading.services.money import accounts, balances, equity, ledger
from trading.services.orders import order_factory
from trading.services.risk import cooldowns, decision_record, order_throttle, track_record
from trading.services.risk.market_view import MarketView, with_news

ZERO = Decimal(0)
DECISIONS = 1  # the line of decisions, one for each account
AT_REST = (OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED)


@Select
def _account(account_id: int) -> QuerySet[VirtualAccount]:
    return VirtualAccount.objects.filter(pk=account_id).select_related("venue_account").order_by()


@Select
def _locked_account(account_id: int) -> QuerySet[VirtualAccount]:
    return _account.make(account_id).select_for_update(of=("self",), no_key=True)


@Select
def _positions(account_id: int) -> QuerySet[Position]:
    return Position.objects.filter(account=account_id).order_by()


@Select
def _waiting_orders(account_id: int) -> QuerySet[Order]:
    rows = Order.objects.filter(NOT_ALL_BOOKED, account=account_id).order_by()
    return rows.select_related("decision").only("symbol", "role", *ledger.ON_ORDER)


@Select
def _purse(account_id: int, base: str) -> QuerySet[Balance]:
    """The balances a decision may spend: the account's quote asset and the instrument's base."""
    return Balance.objects.order_by("pk").filter(
        Q(asset=base) | Q(asset=F("venue_account__virtual_accounts__quote_asset")),
        venue_account__virtual_accounts=account_id,
    )


@Select
def _locked_purse(account_id: int, base: str) -> QuerySet[Balance]:
    return _purse.make(account_id, base).select_for_update(of=("self",), no_key=True)


@dataclass(frozen=True, slots=True)
class Decided:
    """A stored decision and the orders that follow from a yes, the main one first.

    `claimed`: the orders are written as on their way, and whoever decided sends them, once.
    """

    decision: Decision
    orders: list[Order]
    claimed: bool = False


def decide(*, intent: TradeIntent, account_id: int, market: MarketView) -> Decided:
    """Assess `intent` for one account under its lock; store the verdict and, on a yes, the orders.

    Deciding is serial per account, so two signals never spend the same money or the same slot.
    Runs in the caller's transaction when there is one. An intent that was decided before raises
    IntegrityError on its unique uid.
    """
    with transaction.atomic(savepoint=False), together():
        books = _read_books(account_id, intent, market, is_locking=True)
        market = with_news(market, books.account.venue_account.venue, intent.symbol)
        judged = _judge(intent, books, market)
        account, purse, assessment = books.account, books.purse, judged.assessment
        now = judged.snapshot.now
        [decision] = insert([judged.decision])
        entries = [_entry(decision, intent)]
        placed: list[Order] = []
        if assessment.plan is not None and market.instrument is not None:
            placed = order_factory.compose(
                plan=assessment.plan,
                intent=intent,
                decision=decision,
                account=account,
                instrument=market.instrument,
                position=books.position_in(intent.symbol),
                quote=market.quote,
                now=now,
            )
            if intent.is_entry:
                order_factory.claim(placed, now)
            elif coins := purse.get(market.instrument.base_asset):
                placed[0].base_before = coins.free + coins.locked
            for order in insert(placed):
                entries += order_factory.written_entries(order, intent.actor)
            if intent.is_entry:
                rate = account.venue_account.taker_rate or ZERO
                promised = (assessment.plan.notional or ZERO) * (1 + rate)
                balances.reserve(purse[account.quote_asset], promised)
        if not books.standing.is_kept:
            equity.keep(account.pk, books.standing)
        trail.record(*entries)
    if not decision.approved:
        metrics.DENIALS.labels(decision.code).inc()
    return Decided(decision, placed, claimed=intent.is_entry and bool(placed))


@dataclass(frozen=True, slots=True)
class Judged:
    """What was said of an intent, what it was said on, and the record of both, not stored yet."""

    snapshot: RiskSnapshot
    assessment: Assessment
    decision: Decision


def preview(*, intent: TradeIntent, account_id: int, market: MarketView) -> Judged:
    """Assess `intent` as `decide` does at this moment, and store nothing.

    It takes no lock, so it holds up no decision; whether the same intent passes a moment later
    depends on what happens in between. An entry previewed counts towards nothing.
    """
    with together():
        books = _read_books(account_id, intent, market, is_locking=False)
        return _judge(intent, books, market)


def _judge(intent: TradeIntent, books: _Books, market: MarketView) -> Judged:
    snapshot = _snapshot(intent, books, market, timezone.now())
    assessment = assess.assess(intent, snapshot)
    return Judged(snapshot, assessment, _written(intent, books.account, snapshot, assessment))


@dataclass(frozen=True, slots=True)
class _Books:
    """What is on record of one account."""

    account: VirtualAccount
    positions: list[Position]
    purse: dict[str, Balance]
    waiting: list[Order]
    states: list[tuple[Any, ...]]
    limits: limits.Held
    counted: order_throttle.Counted = order_throttle.NOTHING
    cooldown: Cooldown | None = None
    standing: equity.Standing = equity.UNKNOWN
    own_free: Decimal | None = None  # what the account may spend; None: the wallet is not known
    track_record: TrackRecord | None = None

    def position_in(self, symbol: str) -> Position | None:
        return next((p for p in self.positions if p.symbol == symbol), None)


def _read_books(
    account_id: int, intent: TradeIntent, market: MarketView, *, is_locking: bool
) -> _Books:
    """Read what is on record, for a decision under the lock of the account and its purse: sent in
    one go, each answered in turn.

    Fills are booked without these locks, also while we wait for the purse. Orders are read before
    positions: what fills in between counts twice, never not at all.
    """
    base = market.instrument.base_asset if market.instrument else ""
    # Entries line up before the lock, so that an exit waits for one of them at most.
    turn = (
        ask_turn(DECISIONS, account_id, goes_first=not intent.is_entry)
        if is_locking
        else answered(None)
    )
    found = (_locked_account if is_locking else _account).ask(account_id=account_id)
    purse = (_locked_purse if is_locking else _purse).ask(account_id=account_id, base=base)
    waiting = _waiting_orders.ask(account_id=account_id)
    positions = _positions.ask(account_id=account_id)
    states = kill_switch.unreleased.ask()
    place = {"strategy_id": intent.strategy_id, "symbol": intent.symbol}
    settings_there = limits.set_for.ask(account_id=account_id, **place)
    if intent.is_entry:
        course = equity.course_of.ask(account_id=account_id)
        streaks = cooldowns.of_account.ask(account_id=account_id)
        funded = ledger.funded_beside.ask(account_id=account_id)
    turn()
    for account in found():
        free = {row.asset: row for row in purse()}
        held = limits.effective(account, **place, rows=settings_there())
        on_order = waiting()
        books = _Books(account, positions(), free, on_order, states(), held)
        if not intent.is_entry:
            position = books.position_in(intent.symbol)
            most = market.instrument.max_algo_orders if market.instrument else 0
            free_slots = order_throttle.slots_for(account, intent, position, most)
            return replace(books, counted=order_throttle.Counted(free_slots=free_slots()))
        past = (
            track_record.latest.ask(account_id=account_id, strategy_id=intent.strategy_id)
            if account.sizing_model == SizingModel.FRACTIONAL_KELLY
            else None
        )
        now = timezone.now()
        quote = market.quote
        standing = equity.look(
            account,
            books.positions,
            wallet=free.get(account.quote_asset),
            marks={quote.symbol: quote.mid} if quote else {},
            course=course(),
            now=now,
        )
        return replace(
            books,
            standing=standing,
            cooldown=cooldowns.for_entry(
                streaks(), account, held["cooldown_after_losses"], **place
            ),
            own_free=_own_free(account, books, funded()),
            counted=order_throttle.count(
                account,
                intent,
                held,
                position=books.position_in(intent.symbol),
                waiting=books.waiting,
                most_stops=market.instrument.max_algo_orders if market.instrument else 0,
                now=now,
                is_locking=is_locking,
            ),
            track_record=track_record.reckon(past()) if past else None,
        )
    raise VirtualAccount.DoesNotExist(f"virtual account {account_id} is gone")


def _own_free(account: VirtualAccount, books: _Books, funded: list[Any]) -> Decimal | None:
    """Return what the account may spend: of its own money, or of what no ledger calls its own."""
    rate = account.venue_account.taker_rate or ZERO
    if account.capital is None:
        wallet = books.purse.get(account.quote_asset)
        return max(wallet.free - ledger.set_aside(funded, rate), ZERO) if wallet else None
    on_order = [
        (o.status, o.quantity, o.executed_quantity, o.booked_quantity, _plan_of(o))
        for o in books.waiting
        if o.role == Order.Role.ENTRY
    ]
    return max(ledger.cash(account, books.positions) - ledger.promised(on_order, rate), ZERO)


def _plan_of(order: Order) -> Mapping[str, Any] | None:
    return order.decision.plan if order.decision else None


def _left(orders: Iterable[Order]) -> Decimal:
    """Sum what orders may still add to the books, or take off them."""
    return sum(
        (
            still_to_come(
                OrderStatus(o.status),
                quantity=o.quantity,
                executed=o.executed_quantity,
                booked=o.booked_quantity,
            )
            for o in orders
        ),
        ZERO,
    )


def limits_of(account: VirtualAccount, held: limits.Held) -> Limits:
    """Put what holds into the words of the rules: limits of the book, and what the account is."""
    return Limits(
        max_age_seconds=settings.SIGNAL_MAX_AGE_SECONDS,
        quote_max_age_seconds=settings.QUOTE_MAX_AGE_SECONDS,
        balance_max_age_seconds=settings.BALANCE_MAX_AGE_SECONDS,
        protection_grace_seconds=settings.PROTECTION_GRACE_SECONDS,
        sizing_model=SizingModel(account.sizing_model),
        default_order_type=OrderType(account.default_order_type),
        allowed_symbols=frozenset(account.allowed_symbols),
        trading_window=account.trading_window,
        unreadable=tuple(name for name, one in held.items() if not one.is_readable),
        version=held.version,
        **{name: one.value for name, one in held.items()},  # type: ignore[arg-type]
    )


def _snapshot(
    intent: TradeIntent, books: _Books, market: MarketView, now: datetime
) -> RiskSnapshot:
    account, positions, purse = books.account, books.positions, books.purse
    venue = account.venue_account
    held = books.position_in(intent.symbol)
    entries = [o for o in books.waiting if o.role == Order.Role.ENTRY]
    exits = [o for o in books.waiting if o.role == Order.Role.EXIT and o.symbol == intent.symbol]
    in_use = {p.symbol for p in positions if p.is_open and not p.is_dust} | {
        o.symbol for o in entries
    }
    standing = kill_switch.strictest(
        books.states,
        venue=venue.venue,
        account=account.name,
        strategy_id=intent.strategy_id,
        symbol=intent.symbol,
        now=now,
    )
    return RiskSnapshot(
        now=now,
        environment=venue.environment,
        mode=standing.mode,
        mode_reason=standing.reason,
        instrument=market.instrument,
        quote=market.quote,
        limits=limits_of(account, books.limits),
        holding=Holding(
            quantity=held.quantity if held else ZERO,
            average_entry_price=held.average_entry_price if held else ZERO,
            locked_in_exits=_left(exits),
            exits_in_flight=_left(o for o in exits if o.status not in AT_REST),
            is_dust=bool(held and held.is_dust),
            naked_since=held.naked_since if held else None,
        ),
        open_position_count=len(in_use - {intent.symbol}),
        free_quote=_spendable(_free(purse, account.quote_asset), books.own_free),
        free_base=_free(purse, market.instrument.base_asset) if market.instrument else None,
        balances_at=venue.balances_at,
        taker_rate=venue.taker_rate,
        pending_entry_quantity=_left(o for o in entries if o.symbol == intent.symbol),
        paces=books.counted.paces,
        own_offers=books.counted.own_offers,
        stops_elsewhere=books.counted.stops_elsewhere,
        free_slots=books.counted.free_slots,
        has_guard=books.counted.has_guard,
        symbols_in_use=frozenset(in_use - {intent.symbol}),
        entries_in_position=books.counted.entries_in_position,
        together=books.counted.together,
        cooldown=books.cooldown,
        equity=books.standing.equity,
        falls=books.standing.falls,
        track_record=books.track_record,
        book=replace(market.book, bids=market.book.bids[:1]) if market.book else None,
        venue_latency_ms=market.venue_latency_ms,
        can_trade=(
            account.enabled
            and venue.can_trade is not False
            and accounts.ceiling_allows(venue.environment)
        ),
    )


def _free(purse: dict[str, Balance], asset: str) -> Decimal | None:
    row = purse.get(asset)
    return row.free if row is not None else None


def _spendable(at_venue: Decimal | None, own: Decimal | None) -> Decimal | None:
    """What the venue account has free; of it, an account with its own ledger spends its own."""
    if at_venue is None or own is None:
        return at_venue
    return min(at_venue, own)


def _written(
    intent: TradeIntent, account: VirtualAccount, snapshot: RiskSnapshot, assessment: Assessment
) -> Decision:
    denial = assessment.denial
    return Decision(
        intent_uid=intent.intent_uid,
        account=account,
        environment=snapshot.environment,
        strategy_id=intent.strategy_id,
        symbol=intent.symbol,
        kind=intent.kind.value,
        approved=assessment.approved,
        code=denial.code if denial else "",
        message=denial.message[:500] if denial else "",
        intent=jsonable(intent),
        verdicts=jsonable(assessment.verdicts),
        plan=jsonable(assessment.plan),
        arithmetic={"sizing": dict(assessment.sizing), "levels": dict(assessment.levels)},
        market=decision_record.written(snapshot),
        correlation_id=intent.correlation_id,
        actor=intent.actor,
        limits_version=snapshot.limits.version,
        decided_at=snapshot.now,
    )


def _entry(decision: Decision, intent: TradeIntent) -> trail.Entry:
    data: dict[str, object] = {
        "strategy_id": intent.strategy_id,
        "symbol": intent.symbol,
        "intent": intent.kind.value,
        "account": decision.account.name,
    }
    if decision.approved:
        data |= {"plan": decision.plan, "decided_at": jsonable(decision.decided_at)}
        if warned := [v["rule"] for v in decision.verdicts if v["warned"]]:
            data |= {"warned": warned}
    else:
        data |= {"code": decision.code, "message": decision.message}
    return trail.Entry(
        kind="decision.approved" if decision.approved else "decision.denied",
        actor=intent.actor,
        subject_type="decision",
        subject_id=str(decision.pk),
        correlation_id=intent.correlation_id,
        signal_uid=intent.intent_uid,
        environment=decision.environment,
        data=data,
    )
