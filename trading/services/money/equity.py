"""What accounts are worth, looked at when deciding and by a watch, and the steps losses ask for."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_UP, Decimal
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from audit import trail
from exchanges import quotes
from exchanges.domain.orders import Quote
from exchanges.domain.venues import Venue
from exchanges.models import Balance
from foundation import locks, metrics
from foundation.statements import Select, ask_insert, ask_update
from trading.domain import equity, loss_limits
from trading.domain.equity import Books, Course, Falls, Worth
from trading.domain.loss_limits import Loss, Step
from trading.domain.risk.limit_book import Effective
from trading.domain.risk.types import LossSteps, TradingMode
from trading.models import EquityCourse, EquitySnapshot, Position, TradingState, VirtualAccount
from trading.services.control import kill_switch, limits
from trading.services.money import ledger

log = structlog.get_logger(__name__)
ACTOR = "loss ladder"
ZERO = Decimal(0)
KEEP_EVERY = timedelta(seconds=20)  # a look that changes nothing is kept so often
REST_SECONDS = 30.0  # for a venue that does not answer
ASKED_AT_MOST = 20  # prices a watch asks of a venue whose stream does not tell them
COURSE = (
    "seen_at",
    "base",
    "profit",
    "day",
    "day_profit",
    "week",
    "week_profit",
    "high_profit",
    "high_at",
)
_HUNDREDTH = Decimal("0.01")
_rests: dict[Venue, float] = {}


@dataclass(frozen=True, slots=True)
class Standing:
    """An account's worth now; None when a price or the wallet is not known."""

    worth: Worth | None
    course: Course | None  # with this look
    is_kept: bool  # the course on record is as good
    has_record: bool

    @property
    def equity(self) -> Decimal | None:
        return self.worth.equity if self.worth else None

    @property
    def falls(self) -> Falls | None:
        if self.worth is None or self.course is None:
            return None
        return equity.falls(self.course, self.worth)


UNKNOWN = Standing(None, None, is_kept=True, has_record=False)


@Select
def course_of(account_id: int) -> QuerySet[EquityCourse, Any]:
    return EquityCourse.objects.filter(account=account_id).order_by().values_list(*COURSE)


def look(
    account: VirtualAccount,
    positions: Iterable[Position],
    *,
    wallet: Balance | None,
    marks: Mapping[str, Decimal],
    course: list[Any],
    now: datetime,
    pool: Decimal | None = None,
) -> Standing:
    """Value an account. `course` holds the row of `course_of`; `marks` are prices at hand, `pool`
    is what an account without a ledger of its own is measured by, if it was looked at.

    What `marks` lack is valued at what it was last marked at, if that is not too old.
    """
    before = Course(*course[0]) if course else None
    books = [_books(one, marks, now) for one in positions]
    profit = equity.profit_of(books)
    base = _base(account, books, wallet, before, pool)
    if profit is None or base is None:
        return Standing(None, before, is_kept=True, has_record=before is not None)
    worth = Worth(base + profit, profit)
    after = equity.follow(before, worth, now=now, desk=settings.DESK_TIMEZONE)
    is_kept = (
        before is not None
        and before.day == after.day
        and after.seen_at - before.seen_at < KEEP_EVERY
    )
    return Standing(worth, after, is_kept=is_kept, has_record=before is not None)


def keep(account_id: int, standing: Standing, **also: object) -> None:
    """Write the look down, under the lock of its account."""
    if standing.course is None:
        return
    values: dict[str, object] = {name: getattr(standing.course, name) for name in COURSE} | also
    if standing.has_record:
        ask_update(EquityCourse, where={"account": account_id}, values=values)
    else:
        ask_insert([EquityCourse(account_id=account_id, **values)])


def take_off(account: VirtualAccount, *, cost: Decimal, open_profit: Decimal) -> None:
    """Have coins leave an account that were taken off its books, as if they had been withdrawn.

    The money they cost goes from the capital, so cash stays what it is. Their open profit goes too,
    from every look that losses are measured from: a settled shortfall is no loss of the day, and
    hides none. The caller holds the account's lock.
    """
    if account.capital is not None:
        account.capital -= cost
        account.save(update_fields=["capital"])
    course = EquityCourse.objects.filter(account=account).first()
    if course is None:
        return
    course.base -= cost
    course.profit -= open_profit
    course.day_profit -= open_profit
    course.week_profit -= open_profit
    course.high_profit -= open_profit
    course.save(update_fields=["base", "profit", "day_profit", "week_profit", "high_profit"])


def _books(position: Position, marks: Mapping[str, Decimal], now: datetime) -> Books:
    return Books(
        quantity=position.quantity,
        average_entry_price=position.average_entry_price,
        realised_pnl=position.realised_pnl,
        mark=_mark(position, marks, now),
    )


def _mark(position: Position, marks: Mapping[str, Decimal], now: datetime) -> Decimal | None:
    if position.symbol in marks:
        return marks[position.symbol]
    limit = timedelta(seconds=settings.EQUITY_MAX_AGE_SECONDS)
    if position.mark_price is not None and position.marked_at and now - position.marked_at <= limit:
        return position.mark_price
    return position.average_entry_price if position.is_dust else None


def _base(
    account: VirtualAccount,
    books: list[Books],
    wallet: Balance | None,
    before: Course | None,
    pool: Decimal | None,
) -> Decimal | None:
    """The money put in: the account's capital, else the pool it shares, as last seen.

    The wallet itself tells of another moment than the books whenever something trades: it says how
    much there is at the very first look only.
    """
    if account.capital is not None:
        return account.capital
    if pool is not None:
        return pool
    if before is not None:
        return before.base
    return wallet.free + wallet.locked - equity.cash_of(ZERO, books) if wallet else None


# ---- the watch -------------------------------------------------------------------------------


def watch() -> list[TradingState]:
    """Value every account, write it down now and then, and take the steps that losses ask for.

    Returns the stops that were engaged, for somebody to carry out. One watch at a time: a venue
    that hangs must not hold one worker after the other.
    """
    with locks.at("equity") as got_it:
        return _watch() if got_it else []


def _watch() -> list[TradingState]:
    accounts = VirtualAccount.objects.select_related("venue_account").order_by("pk")
    held: dict[Venue, set[str]] = defaultdict(set)
    rows = Position.objects.filter(is_open=True, is_dust=False).order_by()
    for position in rows.select_related("account__venue_account"):
        held[position.account.venue_account.venue].add(position.symbol)
    marks = {venue: _prices(venue, symbols) for venue, symbols in held.items()}
    engaged: list[TradingState] = []
    for account in accounts:
        pool = (
            ledger.pool(account.venue_account, account.quote_asset)
            if account.capital is None
            else None
        )
        prices = marks.get(account.venue_account.venue, {})
        engaged += _watch_one(account.pk, prices, pool)
    return engaged


def _prices(venue: Venue, symbols: Iterable[str]) -> dict[str, Quote]:
    """Ask what is shared first, the venue for the rest."""
    wanted = sorted(symbols)
    now = timezone.now()
    most = timedelta(seconds=settings.EQUITY_MAX_AGE_SECONDS) / 2
    known = quotes.known(venue, wanted)
    found = {name: quote for name, quote in known.items() if now - quote.received_at <= most}
    if _rests.get(venue, 0) > time.monotonic():
        return found
    for symbol in [name for name in wanted if name not in found][:ASKED_AT_MOST]:
        quote = quotes.get(venue, symbol, max_age=Decimal(settings.EQUITY_MAX_AGE_SECONDS) / 2)
        if quote is None:  # it does not answer: the others would only take as long
            _rests[venue] = time.monotonic() + REST_SECONDS
            break
        found[symbol] = quote
    return found


def _watch_one(
    account_id: int, prices: Mapping[str, Quote], pool: Decimal | None
) -> list[TradingState]:
    with transaction.atomic():
        account = (
            VirtualAccount.objects.select_for_update(of=("self",), no_key=True)
            .select_related("venue_account")
            .get(pk=account_id)
        )
        positions = list(Position.objects.filter(account=account))
        for position in positions:
            quote = prices.get(position.symbol)
            if quote is not None and position.quantity:
                Position.objects.filter(pk=position.pk).update(
                    mark_price=quote.mid, marked_at=quote.received_at
                )
                position.mark_price, position.marked_at = quote.mid, quote.received_at
        wallet = Balance.objects.filter(
            venue_account=account.venue_account, asset=account.quote_asset
        ).first()
        now = timezone.now()
        row = EquityCourse.objects.filter(account=account).first()
        course = [tuple(getattr(row, name) for name in COURSE)] if row else []
        standing = look(
            account, positions, wallet=wallet, marks={}, course=course, now=now, pool=pool
        )
        if standing.worth is None or standing.course is None:
            if wallet is None and not positions:
                return []  # the venue has not been asked yet
            log.warning("equity_unknown", account=account.name)
            metrics.ERRORS.labels("equity_unknown").inc()
            return []
        steps = dict(row.steps) if row else {}
        engaged = _take_steps(account, standing, steps, now)
        also: dict[str, object] = {"steps": steps}
        written_at = row.snapshot_at if row else None
        if written_at is None or now - written_at >= timedelta(
            seconds=settings.EQUITY_SNAPSHOT_SECONDS
        ):
            _write_down(account, positions, standing.worth, standing.course, now)
            also["snapshot_at"] = now
        is_same = row is not None and (row.base, row.profit, row.steps) == (
            standing.course.base,
            standing.course.profit,
            steps,
        )
        if not (standing.is_kept and is_same) or "snapshot_at" in also:
            keep(account.pk, standing, **also)
    return engaged


def _write_down(
    account: VirtualAccount,
    positions: Iterable[Position],
    worth: Worth,
    course: Course,
    now: datetime,
) -> None:
    books = [_books(one, {}, now) for one in positions]
    realised = sum((one.realised_pnl for one in books), ZERO)
    EquitySnapshot.objects.create(
        account=account,
        seen_at=now,
        equity=worth.equity,
        cash=equity.cash_of(worth.base, books),
        realised=realised,
        unrealised=worth.profit - realised,
        fees=sum((one.fees_quote for one in positions), ZERO),
        high_water=worth.base + course.high_profit,
        drawdown_pct=equity.falls(course, worth).drawdown.quantize(_HUNDREDTH, rounding=ROUND_UP),
    )


# ---- the ladder ------------------------------------------------------------------------------


def ladder_of(held: Mapping[str, Effective]) -> dict[Loss, LossSteps]:
    def steps(name: str) -> LossSteps:
        return LossSteps(*(Decimal(held[f"{name}_{at}_pct"].value) for at in _RUNGS))

    return {
        Loss.DAILY: steps("daily_loss"),
        Loss.WEEKLY: steps("weekly_loss"),
        Loss.DRAWDOWN: steps("drawdown"),
    }


_RUNGS = ("warn", "reduce", "flatten")
_MODES = {Step.REDUCE_ONLY: TradingMode.REDUCE_ONLY, Step.FLATTEN: TradingMode.FLATTEN}
_WORDS = {
    Loss.DAILY: "today's loss",
    Loss.WEEKLY: "this week's loss",
    Loss.DRAWDOWN: "the fall from the best",
}


def _take_steps(
    account: VirtualAccount, standing: Standing, done: dict[str, str], now: datetime
) -> list[TradingState]:
    assert standing.course is not None
    assert standing.falls is not None
    due = loss_limits.steps_to_take(
        standing.course,
        standing.falls,
        ladder_of(limits.effective(account)),
        done,
        now=now,
        desk=settings.DESK_TIMEZONE,
    )
    engaged = []
    for taken in due:
        done[taken.loss] = f"{taken.period} {taken.step}"
        shown = taken.percent.quantize(_HUNDREDTH, rounding=ROUND_UP)
        reason = (
            f"{_WORDS[taken.loss]} is {shown} % of {account.name}'s equity,"
            f" its {taken.step.replace('_', ' ').lower()} step is {taken.limit} %"
        )
        trail.record(_step_entry(account, taken, shown, reason))
        metrics.ERRORS.labels(f"loss_{taken.step.lower()}").inc()
        log.warning("loss_step", account=account.name, step=taken.step, reason=reason)
        if taken.step in _MODES:
            engaged.append(
                kill_switch.engage(
                    actor=ACTOR,
                    reason=reason,
                    mode=_MODES[taken.step],
                    scope=TradingState.Scope.ACCOUNT,
                    key=account.name,
                    expires_at=taken.until,
                )
            )
    return engaged


def _step_entry(
    account: VirtualAccount, taken: loss_limits.Taken, shown: Decimal, reason: str
) -> trail.Entry:
    return trail.Entry(
        kind=f"equity.{taken.step.lower()}",
        actor=ACTOR,
        subject_type="account",
        subject_id=str(account.pk),
        environment=account.venue_account.environment,
        data={
            "account": account.name,
            "loss": taken.loss.value,
            "percent": format(shown, "f"),
            "limit": format(taken.limit, "f"),
            "reason": reason,
        },
    )


def forget() -> None:
    """Drop what this process knows of venues that do not answer."""
    _rests.clear()


def reset_drawdown(account_id: int, *, actor: str, reason: str) -> EquityCourse:
    """Measure the drawdown from today's worth on.

    Raises ValueError without a reason, and when the account has not been valued yet.
    """
    if not reason.strip():
        raise ValueError("measuring the drawdown anew needs a reason")
    with transaction.atomic():
        account = (
            VirtualAccount.objects.select_for_update(of=("self",), no_key=True)
            .select_related("venue_account")
            .get(pk=account_id)
        )
        course = EquityCourse.objects.filter(account=account).first()
        if course is None:
            raise ValueError(f"{account.name} has not been valued yet")
        before, course.high_profit, course.high_at = (
            course.high_profit,
            course.profit,
            timezone.now(),
        )
        course.steps.pop(Loss.DRAWDOWN.value, None)
        course.save(update_fields=["high_profit", "high_at", "steps"])
        trail.record(
            trail.Entry(
                kind="equity.drawdown_reset",
                actor=actor,
                subject_type="account",
                subject_id=str(account.pk),
                environment=account.venue_account.environment,
                data={
                    "account": account.name,
                    "before": format(course.base + before, "f"),
                    "after": format(course.base + course.profit, "f"),
                    "reason": reason,
                },
            )
        )
    return course
