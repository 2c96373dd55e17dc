"""The desk of a backtest: decides by the live rules, sends to the venue, protects what is held.

`assess`, sizing, levels and the plan of protection are the very functions of the live desk. What
they are given here in place of live things is told in docs/backtests.md.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from exchanges.domain.books import Book
from exchanges.domain.orders import OrderType, Quote, Side
from exchanges.matching import Order, OrderStatus, VenueRefusal
from exchanges.matching import OrderType as VenueOrderType
from signals_app.backtest.books import Books
from signals_app.backtest.equity_curve import moment
from signals_app.backtest.setup import ZERO, Setup
from signals_app.backtest.venue import Taken, Venue
from signals_app.payload.draft import Action
from signals_app.strategies.emission import Emission
from trading.domain import order_states, protection
from trading.domain.equity import Falls
from trading.domain.intents import IntentKind, TradeIntent
from trading.domain.protection import ExitLeg, Situation
from trading.domain.risk.assess import assess
from trading.domain.risk.types import (
    Holding,
    OrderPlan,
    Pace,
    RiskSnapshot,
    SizingModel,
    Together,
    TradingMode,
    Verdict,
)

MOST_DENIALS = 2_000  # kept one by one; all are counted
MOST_LOOKS = 4  # at a position's protection, after one change
PACES = {"max_orders_per_second": 1, "max_orders_per_minute": 60, "max_orders_per_day": 86_400}
ENVIRONMENT = "simulator"
IDLE = ("NO_POSITION_TO_CLOSE", "QUANTITY_BELOW_MIN")  # said by what is held alone
_STATUS = {
    OrderStatus.NEW: order_states.OrderStatus.OPEN,
    OrderStatus.PARTIALLY_FILLED: order_states.OrderStatus.PARTIALLY_FILLED,
    OrderStatus.PENDING_NEW: order_states.OrderStatus.PENDING,
}


@dataclass(frozen=True, slots=True)
class Denied:
    at_ms: int
    action: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """An approved order on its way to the venue."""

    uid: str
    kind: IntentKind
    plan: OrderPlan
    decided_ms: int
    arrives_ms: int


@dataclass(slots=True)
class Said:
    """What became of the calls. `denied` by the code of our rules, `rejected` by the venue's."""

    calls: int = 0
    buys: int = 0
    sells: int = 0
    approved: int = 0
    denied: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    denials: list[Denied] = field(default_factory=list)


class Desk:
    """`protects_after_ms`: how long after a fill its protection reaches the venue."""

    def __init__(self, setup: Setup, venue: Venue, *, protects_after_ms: int = 0) -> None:
        self.setup = setup
        self.protects_after_ms = protects_after_ms
        self.protects_at: int | None = None
        self.venue = venue
        self.instrument = venue.instrument
        self.books = Books(venue.instrument, setup.limits)
        self.said = Said()
        self.version = 0  # of money and orders: rises with every change
        self._on_the_way: list[Waiting] = []
        self._let_through: list[int] = []  # moments of approved entries
        self._names = 0
        self._legs: tuple[Order, ...] = ()
        self._nothing_to_sell: Verdict | None = None
        self._idle_with = ZERO  # what was held then: nothing, or dust below the least lot

    # ---- deciding ----------------------------------------------------------------------------

    @property
    def on_the_way(self) -> list[Waiting]:
        return self._on_the_way

    def hear(
        self,
        said: Emission,
        *,
        quote: Quote,
        book: Book,
        equity: Decimal,
        falls: Falls,
        now_ms: int | None = None,
    ) -> Waiting | None:
        """Put what a strategy said to the rules; return the order on its way, if they agree.

        `now_ms` is our clock, by default the moment of what was said.
        """
        intent = intent_of(said)
        now_ms = said.at_ms if now_ms is None else now_ms
        self.said.calls += 1
        self.said.buys += intent.is_entry
        self.said.sells += not intent.is_entry
        snapshot = self._snapshot(moment(now_ms), quote, book, equity, falls)
        assessment = assess(intent, snapshot)
        denial = assessment.denial
        if assessment.plan is None:
            assert denial is not None
            self._deny(said, denial)
            return None
        self.said.approved += 1
        if intent.is_entry:
            self._let_through.append(now_ms)
        arrives = now_ms + self.setup.costs.latency_ms
        waiting = Waiting(self._name(), intent.kind, assessment.plan, now_ms, arrives)
        self._on_the_way.append(waiting)
        return waiting

    def hear_idle_sale(self, at_ms: int) -> bool:
        """Count a sale while no more is held than at the last one that was denied for it: every
        snapshot denies it alike. False when the rules have to be asked."""
        if self._nothing_to_sell is None or self._idle_with != self.books.state.quantity:
            return False
        self.said.calls += 1
        self.said.sells += 1
        self._note(at_ms, Action.SELL.value, self._nothing_to_sell)
        return True

    def _deny(self, said: Emission, denial: Verdict) -> None:
        if said.action is Action.SELL and denial.code in IDLE:
            self._nothing_to_sell, self._idle_with = denial, self.books.state.quantity
        self._note(said.at_ms, str(said.action), denial)

    def _note(self, at_ms: int, action: str, denial: Verdict) -> None:
        self.said.denied[denial.code] += 1
        if len(self.said.denials) < MOST_DENIALS:
            self.said.denials.append(Denied(at_ms, action, denial.code, denial.message))

    def _snapshot(
        self,
        now: datetime,
        quote: Quote,
        book: Book,
        equity: Decimal,
        falls: Falls,
    ) -> RiskSnapshot:
        limits, books, state = self.setup.limits, self.books, self.books.state
        purse = self.venue.purse()
        waiting = [w for w in self._on_the_way if w.kind is IntentKind.OPEN_LONG]
        leaving = [w for w in self._on_the_way if w.kind is not IntentKind.OPEN_LONG]
        promised = sum((w.plan.notional or ZERO for w in waiting), ZERO)
        rate = self.setup.costs.fee_rate
        cost = state.cost + promised
        exits = sum((w.plan.quantity for w in leaving), ZERO)
        base = purse.get(self.instrument.base_asset, (ZERO, ZERO))
        return RiskSnapshot(
            now=now,
            environment=ENVIRONMENT,
            mode=TradingMode.ACTIVE,
            mode_reason="",
            instrument=self.instrument,
            quote=quote,
            limits=limits,
            holding=Holding(
                quantity=state.quantity,
                average_entry_price=state.average_entry_price,
                locked_in_exits=exits,
                exits_in_flight=exits,
                is_dust=state.quantity > 0 and not books.is_open,
            ),
            open_position_count=0,
            free_quote=purse[self.instrument.quote_asset][0],
            free_base=base[0],
            balances_at=now,
            taker_rate=rate,
            pending_entry_quantity=sum((w.plan.quantity for w in waiting), ZERO),
            reserved_quote=promised * (1 + rate),
            paces=self._paces(now.timestamp()),
            own_offers=tuple(
                leg.price for leg in self._legs if leg.side is Side.SELL and leg.price
            ),
            stops_elsewhere=0,
            symbols_in_use=frozenset(),
            entries_in_position=books.entries + len(waiting),
            together=Together(0, cost, cost, cost),
            cooldown=books.cooldown(),
            equity=equity,
            falls=falls,
            track_record=(
                books.track_record()
                if limits.sizing_model is SizingModel.FRACTIONAL_KELLY
                else None
            ),
            book=book,
            venue_latency_ms=Decimal(self.setup.costs.latency_ms),
        )

    def _paces(self, now: float) -> dict[str, Pace]:
        limits = self.setup.limits
        spans = {**PACES, "max_repeats": limits.repeat_window_seconds}
        return {name: self._pace(now, seconds) for name, seconds in spans.items()}

    def _pace(self, now: float, seconds: int) -> Pace:
        since = int((now - seconds) * 1000)
        entries = len(self._let_through) - bisect_right(self._let_through, since)
        return Pace(entries, "backtest")

    # ---- carrying out ------------------------------------------------------------------------

    def arrive(self, waiting: Waiting, quote: Quote, now_ms: int) -> None:
        """Have an order reach the venue: an exit takes the place of what protects the position."""
        self._on_the_way.remove(waiting)
        self.version += 1
        plan = waiting.plan
        try:
            if waiting.kind is IntentKind.OPEN_LONG:
                fills = self.venue.market(plan.side, plan.quantity, waiting.uid, now_ms)
                self.books.book_entry(fills, plan.entry_levels)
            else:
                self._cancel_all(now_ms)
                held = self.instrument.floor_quantity(self.books.state.quantity, market=True)
                quantity = min(plan.quantity, held)
                if quantity > 0:
                    fills = self.venue.market(plan.side, quantity, waiting.uid, now_ms)
                    self.books.book_exit(fills, "exit")
        except VenueRefusal as refusal:
            self.said.rejected[f"{refusal.code} {refusal.msg}"] += 1
        if self.protects_after_ms:
            self.protects_at = now_ms + self.protects_after_ms
        else:
            self.protect(quote, now_ms)

    def took(self, fills: list[Taken], quote: Quote, now_ms: int) -> None:
        """Book what the market did to resting orders, and look after the rest."""
        if not fills:
            return
        self.version += 1
        for fill in fills:
            is_stop = fill.type is VenueOrderType.STOP_LOSS
            self.books.book_exit([fill], "stop" if is_stop else "target")
        self.protect(quote, now_ms)

    # ---- protecting --------------------------------------------------------------------------

    _low: Decimal | None = None
    _high: Decimal | None = None

    @property
    def levels(self) -> tuple[Decimal | None, Decimal | None]:
        """Return the highest price at or below which a resting order acts, and the lowest at or
        above which one does."""
        return self._low, self._high

    def protect(self, quote: Quote, now_ms: int) -> None:
        """Bring what rests at the venue to what should, by the live desk's own plan."""
        self.protects_at = None
        oco_refused = stop_refused = False
        for _ in range(MOST_LOOKS):
            self._see_legs()
            plan = protection.plan(
                Situation(
                    now=moment(now_ms),
                    instrument=self.instrument,
                    quantity=self.books.state.quantity,
                    stop=self.books.stop,
                    target=self.books.target,
                    legs=tuple(map(_leg, self._legs)),
                    quote=quote,
                    stop_required=self.setup.limits.require_stop,
                    oco_refused=oco_refused,
                    stop_refused=stop_refused,
                )
            )
            if plan.changes_nothing:
                return
            try:
                for action in plan.actions:
                    self._do(action, now_ms)
            except VenueRefusal as refusal:
                self.said.rejected[f"{refusal.code} {refusal.msg}"] += 1
                stop_refused = oco_refused
                oco_refused = True
        self._see_legs()

    def _do(self, action: protection.Action, now_ms: int) -> None:
        venue = self.venue
        match action:
            case protection.CancelList(list_id):
                venue.cancel_pair(int(list_id), now_ms)
            case protection.CancelOrder(client_order_id):
                venue.cancel(client_order_id, now_ms)
            case protection.PlaceOco(quantity, target, stop):
                venue.pair(quantity, target, stop, self._name(), now_ms)
            case protection.PlaceStop(quantity, stop):
                venue.stop(quantity, stop, self._name(), now_ms)
            case protection.PlaceTarget(quantity, target):
                venue.target(quantity, target, self._name(), now_ms)
            case protection.ExitAtMarket(quantity, reason):
                why = "target" if "target" in reason else "stop"
                self.books.book_exit(venue.market(Side.SELL, quantity, self._name(), now_ms), why)
            case _:
                pass

    def _cancel_all(self, now_ms: int) -> None:
        lists = {leg.list_id for leg in self._legs if leg.list_id >= 0}
        for list_id in sorted(lists):
            self.venue.cancel_pair(list_id, now_ms)
        for leg in self._legs:
            if leg.list_id < 0:
                self.venue.cancel(leg.client_order_id, now_ms)
        self._see_legs()

    def _see_legs(self) -> None:
        self._legs = self.venue.resting()
        stops = [leg.stop_price for leg in self._legs if leg.stop_price is not None]
        targets = [leg.price for leg in self._legs if leg.stop_price is None]
        self._low, self._high = max(stops, default=None), min(targets, default=None)

    def _name(self) -> str:
        self._names += 1
        return f"bt-{self._names}"


def intent_of(said: Emission) -> TradeIntent:
    """Say an emission as the corridor would (a test holds both ways to the same intent)."""
    return TradeIntent(
        intent_uid=said.uid,
        kind=IntentKind.OPEN_LONG if said.action is Action.BUY else IntentKind.CLOSE,
        strategy_id=said.strategy_id,
        symbol=said.symbol,
        confidence=_money(round(said.confidence, 6)),
        emitted_at=moment(said.at_ms),
        stop_loss=_optional(said.stop_loss),
        take_profit=_optional(said.take_profit),
        use_default_stop_loss=True if said.account_levels else None,
        use_default_take_profit=True if said.account_levels else None,
        atr=_optional(said.atr),
        sender_price=_money(said.price),
    )


def _optional(value: float | None) -> Decimal | None:
    return None if value is None else _money(value)


def _money(value: float) -> Decimal:
    return Decimal(repr(value))


def _leg(order: Order) -> ExitLeg:
    is_stop = order.type is VenueOrderType.STOP_LOSS
    return ExitLeg(
        client_order_id=order.client_order_id,
        list_id=str(order.list_id) if order.list_id >= 0 else "",
        type=OrderType.STOP if is_stop else OrderType.LIMIT_MAKER,
        remaining_quantity=order.remaining,
        status=_STATUS[order.status],
        price=order.price or None,
        stop_price=order.stop_price,
    )
