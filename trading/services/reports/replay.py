"""Stored decisions put to a proposed set of limits: what would have been denied, and its profit.

A decision's record holds everything it was taken on, so the very rules are asked again on the very
snapshot; only the limits differ. Nothing is guessed: a record that lacks something a proposed
limit asks for is told as not replayable.

What is fed back: limits on pace count the entries that the proposal itself lets through. What is
not is listed in NOT_MODELLED and told with every report.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Min

from trading.domain.intents import IntentKind
from trading.domain.risk import limit_book
from trading.domain.risk.assess import assess
from trading.domain.risk.limit_book import Effective, Scope, Setting
from trading.domain.risk.throttle_rules import WINDOWS
from trading.domain.risk.types import (
    Assessment,
    Cooldown,
    Limits,
    Pace,
    RiskSnapshot,
    Verdict,
)
from trading.models import ClosedTrade, Decision, Order
from trading.services.control import limits
from trading.services.control.limit_proposals import Proposal, over
from trading.services.risk import decision_record

ZERO = Decimal(0)
BATCH = 500
APPROVED = "approved"
LONGEST_WINDOW = timedelta(seconds=86_400)
LONGEST_STREAK = timedelta(days=60)  # the longest pause, and trades that may have led to it
NOT_MODELLED = (
    "Positions that would not exist, or would in addition: slots, balances, equity, exposure and "
    "closed trades are as they were seen then.",
    "Sizes: the profit of an entry that would have had another size is that of the real one.",
    "What denied signals would have earned: there is no trade to tell.",
    "Account settings, kill switches (those that losses engaged, too) and the environment's "
    "values: they stay as they were.",
)


@dataclass(frozen=True, slots=True)
class Change:
    """One decision that would have come out otherwise; `after` is a code or 'approved'."""

    decision: int
    decided_at: datetime
    account: str
    strategy_id: str
    symbol: str
    before: str
    after: str
    limit: str = ""
    actual: str = ""


@dataclass(slots=True)
class Result:
    """What entries that traded came to. Profit is net of fees, by quote asset; an entry has its
    share by quantity of the trade it was part of."""

    entries: int = 0
    not_filled: int = 0
    still_open: int = 0
    closed: int = 0
    profit: dict[str, Decimal] = field(default_factory=dict)


@dataclass(slots=True)
class Report:
    since: datetime
    until: datetime
    account: str
    proposals: list[Proposal]
    decisions: int = 0
    still_approved: int = 0
    resized: int = 0
    still_denied: int = 0
    now_denied: dict[str, int] = field(default_factory=dict)  # by the code that would deny
    now_approved: dict[str, int] = field(default_factory=dict)  # by the code that denied
    other_code: dict[str, int] = field(default_factory=dict)  # 'A -> B'
    not_replayable: dict[str, int] = field(default_factory=dict)  # by why
    after_a_change: int = 0  # decided later in an account where something came out otherwise
    changes: list[Change] = field(default_factory=list)
    kept: Result = field(default_factory=Result)
    lost: Result = field(default_factory=Result)  # traded, and would have been denied
    unknown: Result = field(default_factory=Result)  # traded, and cannot be replayed
    not_modelled: tuple[str, ...] = NOT_MODELLED


def run(
    *, proposals: list[Proposal], since: datetime, until: datetime, account: str = ""
) -> Report:
    """Replay the decisions of a time, of one account or all, in the order they were taken."""
    report = Report(since, until, account, proposals)
    replaying = _Replay(report, _History(since, until, account))
    rows = Decision.objects.filter(decided_at__gte=since, decided_at__lt=until)
    if account:
        rows = rows.filter(account__name=account)
    ordered = rows.select_related("account").order_by("decided_at", "pk")
    for decision in ordered.iterator(chunk_size=BATCH):
        replaying.take(decision)
    _add_up(report, replaying.traded, since)
    return report


class NotReplayable(Exception):
    """The text says why."""


@dataclass(frozen=True, slots=True)
class _Entry:
    at: datetime
    strategy_id: str
    symbol: str
    weight: int = 1


class _History:
    """Entries let through, by account: as it was, and what the proposal changes about it."""

    def __init__(self, since: datetime, until: datetime, account: str) -> None:
        rows = Decision.objects.filter(
            approved=True,
            kind=IntentKind.OPEN_LONG.value,
            decided_at__gte=since - LONGEST_WINDOW,
            decided_at__lt=until,
        )
        if account:
            rows = rows.filter(account__name=account)
        columns = ("account", "decided_at", "strategy_id", "symbol")
        self._was: dict[int, list[_Entry]] = {}
        self._changed: dict[int, list[_Entry]] = {}
        for of, *entry in rows.order_by("decided_at", "pk").values_list(*columns).iterator():
            self._was.setdefault(of, []).append(_Entry(*entry))

    def change(self, decision: Decision, weight: int) -> None:
        """Note an entry less (-1) or one more (1) than there was."""
        one = _Entry(decision.decided_at, decision.strategy_id, decision.symbol, weight)
        self._changed.setdefault(decision.account_id, []).append(one)

    def is_changed(self, account_id: int) -> bool:
        return account_id in self._changed

    def was(self, decision: Decision, seconds: int, **of: str) -> int:
        return _within(self._was.get(decision.account_id, []), decision, seconds, of)

    def changed(self, decision: Decision, seconds: int, **of: str) -> int:
        return _within(self._changed.get(decision.account_id, []), decision, seconds, of)


def _within(entries: list[_Entry], decision: Decision, seconds: int, of: Mapping[str, str]) -> int:
    """Add up the entries of the window that ends right before the decision."""
    first = bisect_right(
        entries, decision.decided_at - timedelta(seconds=seconds), key=lambda one: one.at
    )
    total = 0
    for one in entries[first:]:
        if one.at >= decision.decided_at:
            break
        if all(getattr(one, name) == value for name, value in of.items()):
            total += one.weight
    return total


class _Replay:
    def __init__(self, report: Report, history: _History) -> None:
        self.report = report
        self.history = history
        self.traded: dict[int, Result] = {}  # approved entries, by decision
        self._streaks = _Streaks(report.since, report.until, report.account)
        self._books: dict[int, list[Setting]] = {}
        self._otherwise: set[int] = set()  # accounts in which something came out otherwise

    def take(self, decision: Decision) -> None:
        """Ask the rules again and count what comes out."""
        self.report.decisions += 1
        self.report.after_a_change += decision.account_id in self._otherwise
        is_entry = decision.kind == IntentKind.OPEN_LONG.value
        try:
            after, word = self._again(decision)
        except (NotReplayable, decision_record.NotOnRecord) as error:
            _one_more(self.report.not_replayable, str(error))
            if is_entry and decision.approved:
                self.traded[decision.pk] = self.report.unknown
            return
        approves = after is None
        if is_entry and decision.approved:
            self.traded[decision.pk] = self.report.kept if approves else self.report.lost
        if is_entry and approves != decision.approved:
            self.history.change(decision, 1 if approves else -1)
        self._count(decision, after, word)

    def _count(self, decision: Decision, after: Verdict | None, word: str) -> None:
        report, before = self.report, decision.code or APPROVED
        report.resized += word == "resized"
        now = after.code if after else APPROVED
        if now == before:
            if after is None:
                report.still_approved += 1
            else:
                report.still_denied += 1
            return
        if decision.approved:
            _one_more(report.now_denied, now)
        elif after is None:
            _one_more(report.now_approved, before)
        else:
            report.still_denied += 1
            _one_more(report.other_code, f"{before} -> {now}")
        if decision.approved or after is None:
            self._otherwise.add(decision.account_id)
        figures = (after.limit, after.actual) if after else ("", "")
        report.changes.append(
            Change(
                decision.pk,
                decision.decided_at,
                decision.account.name,
                decision.strategy_id,
                decision.symbol,
                before,
                now,
                *figures,
            )
        )

    def _again(self, decision: Decision) -> tuple[Verdict | None, str]:
        """Return what would have denied the decision, None for a yes, and whether it is resized."""
        intent, then = decision_record.intent_of(decision), decision_record.snapshot_of(decision)
        as_it_was = assess(intent, then)
        told = as_it_was.denial.code if as_it_was.denial else ""
        if (as_it_was.approved, told) != (decision.approved, decision.code):
            before, now = decision.code or APPROVED, told or APPROVED
            raise NotReplayable(f"the rules have changed since: {before} then, {now} now")
        proposed = self._proposed(decision, then)
        if proposed == then:
            return as_it_was.denial, ""
        after = assess(intent, proposed)
        if after.plan is not None:
            was = as_it_was.plan
            resized = was is not None and was.quantity != after.plan.quantity
            return None, "resized" if resized else ""
        return _known_denial(after, as_it_was), ""

    def _proposed(self, decision: Decision, then: RiskSnapshot) -> RiskSnapshot:
        """Return the snapshot with the limits that would have held, and paces to go with them."""
        book = self._book(decision.limits_version)
        was = self._resolve(book, decision, then.limits)
        will = self._resolve(over(book, self.report.proposals), decision, then.limits)
        differing = {n: one.value for n, one in will.items() if one.value != was[n].value}
        held: Limits = replace(then.limits, **differing)  # type: ignore[arg-type]
        if decision.kind != IntentKind.OPEN_LONG.value:
            return replace(then, limits=held)
        return replace(
            then,
            limits=held,
            paces=self._paces(decision, then, will, held),
            cooldown=self._cooldown(decision, then, was, will),
        )

    def _book(self, version: int) -> list[Setting]:
        if version not in self._books:
            self._books[version] = limits.as_of(version)
        return self._books[version]

    def _resolve(
        self, book: Iterable[Setting], decision: Decision, then: Limits
    ) -> dict[str, Effective]:
        """Resolve what held; a limit that nobody had set has the value it was decided under."""
        return limit_book.resolve(
            (one for one in book if one.name in limit_book.BY_NAME),
            first_values={spec.name: getattr(then, spec.name) for spec in limit_book.LIMITS},
            account=decision.account.name,
            strategy_id=decision.strategy_id,
            symbol=decision.symbol,
        )

    def _paces(
        self,
        decision: Decision,
        then: RiskSnapshot,
        will: Mapping[str, Effective],
        held: Limits,
    ) -> dict[str, Pace]:
        """Count for every limit on pace that would be set, in the place that would set it.

        What was counted then is taken as it is, so that nothing depends on how close together two
        entries were; what was not is counted from the decisions. Either way the entries that the
        proposal let through or denied so far are reckoned in.
        """
        found: dict[str, Pace] = {}
        for name in (*WINDOWS, "max_repeats"):
            if not getattr(held, name):
                continue
            repeats = name == "max_repeats"
            seconds = held.repeat_window_seconds if repeats else WINDOWS[name]
            of, counted = _place(decision, Scope.SYMBOL if repeats else will[name].scope, repeats)
            known = then.paces.get(name)
            is_same = seconds == then.limits.repeat_window_seconds or not repeats
            if known is not None and known.counted == counted and is_same:
                entries = known.entries
            else:
                entries = self.history.was(decision, seconds, **of)
            found[name] = Pace(entries + self.history.changed(decision, seconds, **of), counted)
        return found

    def _cooldown(
        self,
        decision: Decision,
        then: RiskSnapshot,
        was: Mapping[str, Effective],
        will: Mapping[str, Effective],
    ) -> Cooldown | None:
        """Reckon the streak and its pause from the closed trades, where other limits would count
        them; else take what was seen, with every early release."""
        count, pause = will["cooldown_after_losses"], will["cooldown_seconds"]
        is_same = count.scope == was[count.spec.name].scope and all(
            one.value == was[one.spec.name].value for one in (count, pause)
        )
        if is_same or not count.value:
            return then.cooldown
        of, counted = _place(decision, count.scope, repeats=False)
        span = timedelta(seconds=int(pause.value))
        return self._streaks.cooldown(decision, int(count.value), span, of, counted)


class _Streaks:
    """Closed trades by account, from well before the replay begins."""

    def __init__(self, since: datetime, until: datetime, account: str) -> None:
        rows = ClosedTrade.objects.filter(
            closed_at__gte=since - LONGEST_STREAK, closed_at__lt=until
        )
        if account:
            rows = rows.filter(account__name=account)
        self._trades: dict[int, list[ClosedTrade]] = {}
        for trade in rows.order_by("pk").iterator(chunk_size=BATCH):
            self._trades.setdefault(trade.account_id, []).append(trade)

    def cooldown(
        self, decision: Decision, most: int, pause: timedelta, of: Mapping[str, str], counted: str
    ) -> Cooldown:
        """Count losses up to the decision: a win or a pause begins the count anew."""
        losses, led_to, until = 0, 0, None
        for trade in self._trades.get(decision.account_id, []):
            if trade.closed_at >= decision.decided_at:
                break
            if any(getattr(trade, name) != value for name, value in of.items()):
                continue
            if trade.profit > 0:
                losses = 0
            elif trade.profit < 0:
                losses += 1
            if losses >= most:
                losses, led_to, until = 0, losses, trade.closed_at + pause
        is_running = until is not None and until > decision.decided_at
        return Cooldown(led_to if is_running else losses, until, counted)


def _one_more(counts: dict[str, int], of: str) -> None:
    counts[of] = counts.get(of, 0) + 1


def _place(decision: Decision, scope: Scope, repeats: bool) -> tuple[dict[str, str], str]:
    """Return whose entries a limit on pace counts, and its words for them."""
    strategy_id, symbol = decision.strategy_id, decision.symbol
    if repeats:
        return {"strategy_id": strategy_id, "symbol": symbol}, f"{strategy_id} in {symbol}"
    if scope is Scope.STRATEGY:
        return {"strategy_id": strategy_id}, f"strategy {strategy_id}"
    if scope is Scope.SYMBOL:
        return {"symbol": symbol}, f"symbol {symbol}"
    return {}, f"account {decision.account.name}"


def _known_denial(after: Assessment, as_it_was: Assessment) -> Verdict:
    """Return the first no that does not come of something nobody had looked up then.

    Raises NotReplayable when there is no other.
    """
    said = {v.code for v in as_it_was.verdicts if not v.passed}
    noes = [v for v in after.verdicts if not v.passed]
    unseen = [v for v in noes if v.code.endswith("_UNKNOWN") and v.code not in said]
    known = next((v for v in noes if v not in unseen), None)
    if known is None:
        raise NotReplayable(f"what the rule {unseen[0].rule} asks was not looked up then")
    return known


# ---- what those that traded came to ----------------------------------------------------------


def _add_up(report: Report, traded: Mapping[int, Result], since: datetime) -> None:
    """Give each entry its share of the closed trade it was part of."""
    trades = _trades(report, since)
    pks = sorted(traded)
    for start in range(0, len(pks), BATCH):
        orders = (
            Order.objects.filter(decision__in=pks[start : start + BATCH], role=Order.Role.ENTRY)
            .annotate(first_fill=Min("fills__traded_at"))
            .select_related("account")
        )
        by_decision = {order.decision_id: order for order in orders}
        for pk in pks[start : start + BATCH]:
            _add(traded[pk], by_decision.get(pk), trades)


def _trades(report: Report, since: datetime) -> dict[tuple[int, str], list[ClosedTrade]]:
    rows = ClosedTrade.objects.filter(closed_at__gte=since).order_by("opened_at", "pk")
    if report.account:
        rows = rows.filter(account__name=report.account)
    found: dict[tuple[int, str], list[ClosedTrade]] = {}
    for trade in rows.iterator(chunk_size=BATCH):
        found.setdefault((trade.account_id, trade.symbol), []).append(trade)
    return found


def _add(result: Result, order: Any, trades: Mapping[tuple[int, str], list[ClosedTrade]]) -> None:
    result.entries += 1
    if order is None or not order.booked_quantity or order.first_fill is None:
        result.not_filled += 1
        return
    of_symbol = trades.get((order.account_id, order.symbol), [])
    before = bisect_right(of_symbol, order.first_fill, key=lambda trade: trade.opened_at)
    trade = of_symbol[before - 1] if before else None
    if trade is None or trade.closed_at < order.first_fill:
        result.still_open += 1
        return
    share = min(order.booked_quantity / trade.bought, Decimal(1))
    quote = order.account.quote_asset
    result.closed += 1
    result.profit[quote] = result.profit.get(quote, ZERO) + trade.profit * share
