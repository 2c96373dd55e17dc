"""What the desk page shows, read in a handful of queries. Decimals travel as plain strings."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Max
from django.utils import timezone

from audit.models import Event
from exchanges import quotes
from exchanges.domain.orders import Quote
from exchanges.domain.venues import Venue
from exchanges.models import Balance
from signals_app.models import Signal
from signals_app.realtime import process_status
from trading.domain import positions as book
from trading.domain.circuit_breakers import State
from trading.domain.order_states import OPEN_STATUSES, OrderStatus
from trading.domain.risk.types import TradingMode
from trading.models import Fill, Order, Position, TradingState, VirtualAccount
from trading.selectors import resting
from trading.services.control import circuit_breakers, kill_switch, limits
from trading.services.money import ledger
from trading.services.reports import account_status, cover

LATEST = 50
MOST_OPEN_ORDERS = 200
MOST_ASSETS = 8
ZERO = Decimal(0)
Json = dict[str, Any]
Balances = dict[int, dict[str, Balance]]  # by venue account, by asset


def snapshot() -> Json:
    """Return everything the page shows: the latest signals, orders and fills, and the books."""
    return {**books(), "signals": signals(), "orders": orders(), "fills": fills()}


def books() -> Json:
    """Return what is held right now: trading state, accounts, wallets, open positions."""
    now = timezone.now()
    accounts = list(
        VirtualAccount.objects.select_related("venue_account").order_by("-is_default", "name")
    )
    rows = list(Position.objects.select_related("account__venue_account").order_by("symbol"))
    shown = [row for row in rows if row.is_open or row.alarm or row.excess_sold]
    shown.sort(key=lambda row: row.is_dust)
    marks, covers = _marks(shown), cover.of(shown)
    valued = [_position(row, marks.get((_venue(row), row.symbol)), covers[row.pk]) for row in shown]
    default = next((a for a in accounts if a.is_default), None)
    balances = _balances()
    return {
        "at": now,
        "environment": default.venue_account.environment if default else "",
        "trading": trading(default, now),
        "trips": [*breakers(), *strategies_in_trouble()],
        "accounts": _accounts(accounts, rows, valued, balances),
        "wallets": _wallets(accounts, rows, balances),
        "positions": valued,
    }


def environment() -> str:
    """Return where signals trade by default; empty when no account takes them."""
    default = VirtualAccount.objects.select_related("venue_account").filter(is_default=True).first()
    return default.venue_account.environment if default else ""


def trading(default: VirtualAccount | None, now: datetime) -> Json:
    """Return every state in force and the strictest one that holds for the default account.

    `resting_entries` counts what a stop leaves at the venue; asked for only while there is one.
    """
    states = list(kill_switch.in_force(now).order_by("engaged_at"))
    headline: TradingState | None = None
    for state in states:
        if not _concerns(state, default):
            continue
        if headline is None or _strictness(state) > _strictness(headline):
            headline = state
    return {
        "mode": headline.mode if headline else TradingMode.ACTIVE.value,
        "reason": headline.reason if headline else "",
        "resting_entries": resting.entries().count() if states else 0,
        "states": [
            {
                "id": s.pk,
                "scope": s.scope,
                "key": s.key,
                "mode": s.mode,
                "reason": s.reason,
                "by": s.engaged_by,
                "at": s.engaged_at,
                "expires_at": s.expires_at,
            }
            for s in states
        ],
    }


def breakers() -> list[Json]:
    """Return the circuit breakers that are not fine."""
    return [
        {
            "name": finding.name,
            "key": finding.key,
            "state": finding.state,
            "limit": finding.limit,
            "actual": f"{finding.actual}. {finding.what_to_do}".removesuffix(". "),
        }
        for finding in circuit_breakers.seen().findings
        if finding.state in (State.TRIPPED, State.UNKNOWN)
    ]


def strategies_in_trouble() -> list[Json]:
    """Return the strategies processes that are silent, deaf or cannot publish, as breakers are."""
    return [
        {"name": "strategies", "key": sign.shard, "state": "trouble", "limit": "", "actual": words}
        for sign in process_status.seen(redis_url=settings.REDIS_URL)
        if (words := sign.trouble)
    ]


def _concerns(state: TradingState, account: VirtualAccount | None) -> bool:
    if state.scope == TradingState.Scope.GLOBAL:
        return True
    if account is None:
        return False
    if state.scope == TradingState.Scope.VENUE:
        return state.key in kill_switch.places_of(account.venue_account.venue)
    return state.scope == TradingState.Scope.ACCOUNT and state.key == account.name


def _strictness(state: TradingState) -> int:
    return kill_switch.STRICTNESS[TradingMode(state.mode)]


def _marks(rows: Iterable[Position]) -> dict[tuple[Venue, str], Quote]:
    wanted: dict[Venue, list[str]] = {}
    for row in rows:
        wanted.setdefault(_venue(row), []).append(row.symbol)
    return {
        (venue, symbol): quote
        for venue, symbols in wanted.items()
        for symbol, quote in quotes.known(venue, symbols).items()
    }


def _venue(row: Position) -> Venue:
    return row.account.venue_account.venue


def _position(row: Position, quote: Quote | None, covered: cover.Cover) -> Json:
    """Value at the bid: that is what leaving now would bring."""
    state = book.PositionState(
        quantity=row.quantity,
        average_entry_price=row.average_entry_price,
        realised_pnl=row.realised_pnl,
        fees_quote=row.fees_quote,
    )
    unrealised = book.unrealised(state, quote.bid) if quote and row.is_open else None
    return {
        "id": row.pk,
        "account": row.account.name,
        "environment": row.account.venue_account.environment,
        "symbol": row.symbol,
        "quote_asset": row.account.quote_asset,
        "is_open": row.is_open,
        "is_dust": row.is_dust,
        "quantity": _text(row.quantity),
        "entry": _text(row.average_entry_price),
        "mark": _text(quote.bid) if quote else None,
        "mark_at": quote.received_at if quote else None,
        "stop": _text(row.stop_price),
        "target": _text(row.target_price),
        "unrealised": _text(unrealised),
        "naked_since": row.naked_since,
        "grace_seconds": float(settings.PROTECTION_GRACE_SECONDS),
        "cover": covered.state.value,
        "cover_lines": covered.lines,
        "stops": covered.stops,
        "refused": row.refused_count,
        "guarded": _text(row.guarded_quantity) if row.guarded_quantity else None,
        "shortfall": _text(row.shortfall) if row.shortfall else None,
        "alarm": row.alarm,
        "oversold": _text(row.excess_sold) if row.excess_sold else None,
        "opened_at": row.opened_at,
    }


def _balances() -> Balances:
    """Return what each venue account has of every asset, by asset."""
    found: Balances = {}
    for balance in Balance.objects.order_by("asset"):
        if balance.free or balance.locked:
            found.setdefault(balance.venue_account_id, {})[balance.asset] = balance
    return found


def _accounts(
    accounts: list[VirtualAccount], rows: list[Position], valued: list[Json], balances: Balances
) -> list[Json]:
    stands = {one.id: one for one in account_status.of_accounts(accounts)}
    unrealised: dict[str, Decimal] = {}
    unvalued: dict[str, int] = {}
    for row in valued:
        name = row["account"]
        if row["unrealised"] is not None:
            unrealised[name] = unrealised.get(name, ZERO) + Decimal(row["unrealised"])
        elif row["is_open"]:
            unvalued[name] = unvalued.get(name, 0) + 1
    return [
        {
            "id": account.pk,
            "name": account.name,
            "environment": account.venue_account.environment,
            "is_default": account.is_default,
            "enabled": account.enabled,
            "can_trade": account.venue_account.can_trade,
            "quote_asset": account.quote_asset,
            "balances_at": account.venue_account.balances_at,
            "stream_at": account.venue_account.stream_at,
            "invested": _text(sum((_cost(r) for r in rows if _of(r, account)), ZERO)),
            "realised": _text(sum((r.realised_pnl for r in rows if _of(r, account)), ZERO)),
            "fees": _text(sum((r.fees_quote for r in rows if _of(r, account)), ZERO)),
            "unrealised": _text(unrealised.get(account.name)),
            "unvalued": unvalued.get(account.name, 0),
            "open_positions": sum(r.is_open and not r.is_dust for r in rows if _of(r, account)),
            "max_open_positions": limits.value_of(account, "max_open_positions"),
            **_worth(stands[account.pk]),
            **_purse(account, balances.get(account.venue_account_id, {}).get(account.quote_asset)),
        }
        for account in accounts
    ]


def _worth(stands: account_status.Standing) -> Json:
    return {
        "equity": _text(stands.equity),
        "high_water": _text(stands.high_water),
        "own_cash": _text(stands.cash) if stands.has_ledger else None,
        "daily_loss_pct": _text(stands.daily_loss_pct),
        "weekly_loss_pct": _text(stands.weekly_loss_pct),
        "drawdown_pct": _text(stands.drawdown_pct),
        "wins": stands.wins,
        "losses": stands.losses,
        "cooldown_until": stands.cooldown_until,
        "max_drawdown": _text(stands.max_drawdown),
        "status": stands.status,
    }


def _of(row: Position, account: VirtualAccount) -> bool:
    return row.account_id == account.pk


def _cost(row: Position) -> Decimal:
    return row.quantity * row.average_entry_price


def _purse(account: VirtualAccount, balance: Balance | None) -> Json:
    """What the venue account has of an account's quote asset: free is what no ledger calls its
    own, which is what an account without one may spend."""
    if balance is None:
        return {"free": None, "locked": None}
    funded = ledger.funded_beside.rows(account_id=account.pk) if account.capital is None else []
    own = ledger.set_aside(funded, account.venue_account.taker_rate or ZERO)
    return {"free": _text(max(balance.free - own, ZERO)), "locked": _text(balance.locked)}


def _wallets(
    accounts: list[VirtualAccount], rows: list[Position], balances: Balances
) -> list[Json]:
    """Return the assets of each venue account once, however many accounts trade in it."""
    sharing: dict[int, list[VirtualAccount]] = {}
    for account in accounts:
        sharing.setdefault(account.venue_account_id, []).append(account)
    return [
        {
            "environment": sharers[0].venue_account.environment,
            **_assets(
                balances.get(venue_account_id, {}).values(),
                {account.quote_asset for account in sharers},
                {r.symbol for r in rows if r.is_open and any(_of(r, a) for a in sharers)},
            ),
        }
        for venue_account_id, sharers in sharing.items()
    ]


def _assets(balances: Iterable[Balance], quote_assets: set[str], held: set[str]) -> Json:
    """Show quote assets first, then what open positions are made of, then the rest up to a few.

    A test venue hands out hundreds of assets nobody trades.
    """

    def rank(balance: Balance) -> tuple[bool, bool, str]:
        is_held = any(symbol.startswith(balance.asset) for symbol in held)
        return balance.asset not in quote_assets, not is_held, balance.asset

    ordered = sorted(balances, key=rank)
    return {
        "balances": [
            {"asset": b.asset, "total": _text(b.free + b.locked), "locked": _text(b.locked)}
            for b in ordered[:MOST_ASSETS]
        ],
        "more_assets": max(len(ordered) - MOST_ASSETS, 0),
    }


def signals() -> list[Json]:
    rows = Signal.objects.select_related("decision").only(
        "uid",
        "received_at",
        "source",
        "strategy_id",
        "symbol",
        "action",
        "confidence",
        "status",
        "error_field",
        "error_code",
        "error_message",
        "decision__code",
        "decision__message",
        "decision__environment",
    )
    return [_signal(row) for row in rows.order_by("-id")[:LATEST]]


def _signal(row: Signal) -> Json:
    decision = row.decision
    denied = decision is not None and bool(decision.code)
    return {
        "id": row.pk,
        "uid": row.uid,
        "at": row.received_at,
        "source": row.source,
        "environment": decision.environment if decision else "",
        "strategy": row.strategy_id,
        "symbol": row.symbol,
        "action": row.action,
        "confidence": _text(row.confidence),
        "status": row.status,
        "field": row.error_field,
        "code": decision.code if decision and denied else row.error_code,
        "message": decision.message if decision and denied else row.error_message,
    }


def orders() -> list[Json]:
    """Return every open order (up to a bound) and the latest ones, each with its last event's id.

    The ids are read first: a row is then at least as new as its id says, and news that is told
    again changes nothing.
    """
    open_ids = Order.objects.filter(status__in=sorted(OPEN_STATUSES)).order_by("-id")
    latest_ids = Order.objects.order_by("-id")
    ids = set(open_ids.values_list("pk", flat=True)[:MOST_OPEN_ORDERS])
    ids |= set(latest_ids.values_list("pk", flat=True)[:LATEST])
    told = dict(
        Event.objects.filter(subject_type="order", subject_id__in=[str(i) for i in ids])
        .order_by()
        .values_list("subject_id")
        .annotate(last=Max("id"))
    )
    rows = Order.objects.filter(pk__in=ids).select_related("venue_account").order_by("-id")
    return [_order(row, told.get(str(row.pk), 0)) for row in rows]


def _order(row: Order, event_id: int) -> Json:
    return {
        "id": row.pk,
        "event_id": event_id,
        "at": row.created_at,
        "signal_uid": row.signal_uid,
        "environment": row.venue_account.environment,
        "strategy": row.strategy_id,
        "symbol": row.symbol,
        "side": row.side,
        "role": row.role,
        "type": row.type,
        "quantity": _text(row.quantity),
        "price": _text(row.price),
        "stop_price": _text(row.stop_price),
        "status": row.status,
        "executed": _text(row.executed_quantity),
        "average": _text(row.average_price),
        "reason": row.reason,
        "unknown_since": row.unknown_since,
        "continues": row.continues_id,
        "attempt": row.attempt,
        "goes_on_at": _goes_on_at(row),
    }


def _goes_on_at(row: Order) -> datetime | None:
    """Say when an exit that ended short goes on, or its successor is sent."""
    if row.status == OrderStatus.NEW and row.continues_id is not None:
        return row.next_check_at
    return row.follow_up_at


def fills() -> list[Json]:
    rows = Fill.objects.select_related("venue_account").order_by("-id")[:LATEST]
    return [
        {
            "key": f"{row.order_id}:{row.venue_trade_id}",
            "order_id": row.order_id,
            "at": row.recorded_at,
            "environment": row.venue_account.environment,
            "symbol": row.symbol,
            "side": row.side,
            "quantity": _text(row.quantity),
            "price": _text(row.price),
            "commission": _text(row.commission),
            "commission_asset": row.commission_asset,
        }
        for row in rows
    ]


def _text(value: Decimal | None) -> str | None:
    return None if value is None else format(value, "f")
