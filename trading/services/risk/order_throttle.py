"""What the governors count, read under the lock of the account that wants to enter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Count, DateTimeField, Exists, Func, OuterRef, QuerySet, Value

from exchanges.domain.orders import OrderType, Side
from foundation.fields import plain
from foundation.statements import Answer, Select
from trading.domain.intents import IntentKind, TradeIntent
from trading.domain.order_states import OrderStatus, still_to_come
from trading.domain.risk.limit_book import Effective, Scope
from trading.domain.risk.throttle_rules import WINDOWS
from trading.domain.risk.types import Pace, Together
from trading.models import Decision, Fill, Order, Portfolio, Position, VirtualAccount
from trading.models.orders import NOT_ALL_BOOKED
from trading.services.control import leases
from trading.services.money import ledger
from trading.services.risk import slots

OVER_ALL_ACCOUNTS = (
    "max_open_positions_total",
    "max_symbol_exposure",
    "max_gross_exposure",
    "max_net_exposure",
)
ON_THE_BOOK = (OrderStatus.SUBMITTING, OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED)


@dataclass(frozen=True, slots=True)
class Counted:
    """What an entry is judged by beyond its account; what no limit asks for is not looked up."""

    paces: Mapping[str, Pace] = field(default_factory=dict)
    own_offers: tuple[Decimal, ...] = ()
    stops_elsewhere: int | None = None
    free_slots: int | None = None
    has_guard: bool = False
    entries_in_position: int | None = None
    together: Together | None = None


NOTHING = Counted()


def count(
    account: VirtualAccount,
    intent: TradeIntent,
    held: Mapping[str, Effective],
    *,
    position: Position | None,
    waiting: Iterable[Order],
    most_stops: int,
    now: datetime,
    is_locking: bool = True,
) -> Counted:
    """Count for one entry, under the lock of its account and of its venue account's purse; a
    preview counts without any lock.

    `most_stops`: how many stops the venue takes in the symbol; 0 when it does not say.
    """
    holders = (
        _other_holders.ask(account_id=account.pk, symbol=intent.symbol) if most_stops else None
    )
    free_slots = slots_for(account, intent, position, most_stops)
    counting = _ask_paces(account, intent, held, now)
    offers = _own_offers.ask(account_id=account.pk, symbol=intent.symbol)
    return Counted(
        paces={name: Pace(_counted(answer()), of) for name, (answer, of) in counting.items()},
        own_offers=tuple(price for (price,) in offers()),
        stops_elsewhere=len(holders()) if holders else None,
        free_slots=free_slots(),
        has_guard=_has_guard(position, most_stops, now),
        entries_in_position=(
            _entries_in(position, waiting, intent)
            if held["max_entries_per_position"].value or held["one_symbol_per_account"].value
            else None
        ),
        together=_all_together(account, intent, held, is_locking),
    )


def slots_for(
    account: VirtualAccount, intent: TradeIntent, position: Position | None, most_stops: int
) -> Callable[[], int | None]:
    """Ask how many conditional orders the venue still takes, where a place more is needed."""
    order_type = intent.order_type or OrderType(account.default_order_type)
    if order_type.has_trigger or not (position is not None and position.is_open):
        return slots.ask_free(
            account.venue_account_id, intent.symbol, most_stops, joining=account.pk
        )
    return lambda: None


def _has_guard(position: Position | None, most_stops: int, now: datetime) -> bool:
    """Say whether a guard would hold a stop: asked where a new position needs a place."""
    if not most_stops or (position is not None and position.is_open):
        return False
    return bool(settings.SYNTHETIC_STOPS_ENABLED) and leases.is_held(leases.GUARD, now)


class _Moment(Func):
    """A UTC time given as text, to the microsecond: SQLite stores times as just such text, and
    what Django's own cast makes of it there is rounded."""

    output_field = DateTimeField()
    template = "%(expressions)s"

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "(%(expressions)s)::timestamp AT TIME ZONE 'UTC'"
        return self.as_sql(compiler, connection, template=template, **context)


# ---- pace: entries let through lately --------------------------------------------------------


@Select
def _of_account(account_id: int, since: str) -> QuerySet[Decision, Any]:
    return _entries(account_id, since)


@Select
def _of_strategy(account_id: int, since: str, strategy_id: str) -> QuerySet[Decision, Any]:
    return _entries(account_id, since, strategy_id=strategy_id)


@Select
def _of_symbol(account_id: int, since: str, symbol: str) -> QuerySet[Decision, Any]:
    return _entries(account_id, since, symbol=symbol)


@Select
def _of_both(account_id: int, since: str, strategy_id: str, symbol: str) -> QuerySet[Decision, Any]:
    return _entries(account_id, since, strategy_id=strategy_id, symbol=symbol)


def _entries(account_id: int, since: str, **of: str) -> QuerySet[Decision, Any]:
    rows = Decision.objects.filter(
        account=account_id,
        approved=True,
        kind=IntentKind.OPEN_LONG.value,
        decided_at__gt=_Moment(Value(since)),
        **of,
    )
    return rows.order_by().values("account").annotate(entries=Count("*")).values_list("entries")


def _ask_paces(
    account: VirtualAccount, intent: TradeIntent, held: Mapping[str, Effective], now: datetime
) -> dict[str, tuple[Answer[list[Any]], str]]:
    """Ask for the count of each limit on pace that is set, in the place that set it."""
    asked: dict[str, tuple[Answer[list[Any]], str]] = {}
    for name, seconds in WINDOWS.items():
        if held[name].value:
            asked[name] = _ask(account, intent, held[name].scope, _before(now, seconds))
    if held["max_repeats"].value:
        since = _before(now, int(held["repeat_window_seconds"].value))
        place = {"strategy_id": intent.strategy_id, "symbol": intent.symbol}
        answer = _of_both.ask(account_id=account.pk, since=since, **place)
        asked["max_repeats"] = answer, f"{intent.strategy_id} in {intent.symbol}"
    return asked


def _ask(
    account: VirtualAccount, intent: TradeIntent, scope: Scope, since: str
) -> tuple[Answer[list[Any]], str]:
    window: dict[str, int | str] = {"account_id": account.pk, "since": since}
    if scope is Scope.STRATEGY:
        answer = _of_strategy.ask(**window, strategy_id=intent.strategy_id)
        return answer, f"strategy {intent.strategy_id}"
    if scope is Scope.SYMBOL:
        return _of_symbol.ask(**window, symbol=intent.symbol), f"symbol {intent.symbol}"
    return _of_account.ask(**window), f"account {account.name}"


def _before(now: datetime, seconds: int) -> str:
    return _spelled(now - timedelta(seconds=seconds))


def _spelled(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ")


def _counted(rows: list[Any]) -> int:
    return int(rows[0][0]) if rows else 0


# ---- our own side of the book ----------------------------------------------------------------


@Select
def _own_offers(account_id: int, symbol: str) -> QuerySet[Order, Any]:
    """Prices at which we offer the symbol at the account's venue, whichever account's they are.

    Stops are not among them: until they are triggered nobody can trade with them.
    """
    rows = Order.objects.filter(
        account__venue_account__virtual_accounts=account_id,
        symbol=symbol,
        side=Side.SELL.value,
        type__in=(OrderType.LIMIT.value, OrderType.LIMIT_MAKER.value),
        status__in=ON_THE_BOOK,
        price__isnull=False,
    )
    return rows.order_by().values_list("price")


@Select
def _other_holders(account_id: int, symbol: str) -> QuerySet[VirtualAccount, Any]:
    """Other accounts on the same venue account that hold the symbol or have it on order: each has
    a stop there, or will have one."""
    held = Position.objects.filter(
        account=OuterRef("pk"), symbol=symbol, is_open=True, is_dust=False
    )
    on_order = Order.objects.filter(
        NOT_ALL_BOOKED, account=OuterRef("pk"), symbol=symbol, role=Order.Role.ENTRY
    )
    rows = VirtualAccount.objects.filter(
        Exists(held) | Exists(on_order), venue_account__virtual_accounts=account_id
    )
    return rows.exclude(pk=account_id).order_by().values_list("pk")


# ---- entries of one position -----------------------------------------------------------------


@Select
def _bought_by(account_id: int, symbol: str, since: str) -> QuerySet[Fill, Any]:
    """The entries whose fills were booked since then, each as often as it has fills."""
    rows = Fill.objects.filter(
        symbol=symbol,
        recorded_at__gte=_Moment(Value(since)),
        order__account=account_id,
        order__role=Order.Role.ENTRY,
    )
    return rows.order_by().values_list("order")


def _entries_in(position: Position | None, waiting: Iterable[Order], intent: TradeIntent) -> int:
    """Count the entries the position in the intent's symbol is made of, and those on their way."""
    entries = {o.pk for o in waiting if o.role == Order.Role.ENTRY and o.symbol == intent.symbol}
    if position is not None and position.is_open and not position.is_dust and position.opened_at:
        since = _spelled(position.opened_at)
        of: dict[str, int | str] = {"account_id": position.account_id, "symbol": position.symbol}
        entries |= {order_id for (order_id,) in _bought_by.rows(**of, since=since)}
    return len(entries)


# ---- all accounts of one environment together ------------------------------------------------


@Select
def _locked_portfolio(environment: str) -> QuerySet[Portfolio]:
    rows = Portfolio.objects.select_for_update(no_key=True)
    return rows.filter(environment=environment).order_by()


@Select
def _on_order(environment: str) -> QuerySet[Order, Any]:
    """Entries not all booked yet: account, quote asset, symbol, and `ledger.ON_ORDER`."""
    rows = Order.objects.filter(
        NOT_ALL_BOOKED,
        role=Order.Role.ENTRY,
        venue_account__environment=environment,
    )
    return rows.order_by().values_list(
        "account", "account__quote_asset", "symbol", *ledger.ON_ORDER
    )


@Select
def _held(environment: str) -> QuerySet[Position, Any]:
    """Open positions: account, quote asset, symbol, quantity, average price, whether it is dust."""
    rows = Position.objects.filter(
        is_open=True, account__venue_account__environment=environment
    ).order_by()
    return rows.values_list(
        "account",
        "account__quote_asset",
        "symbol",
        "quantity",
        "average_entry_price",
        "is_dust",
    )


def _all_together(
    account: VirtualAccount, intent: TradeIntent, held: Mapping[str, Effective], is_locking: bool
) -> Together | None:
    """Lock the account's environment and add up what its accounts hold; None when no limit asks.

    The lock is held to the end of the deciding transaction. It is taken after the account's own
    and nothing else is locked after it, so two decisions never wait for each other in a circle.
    Orders are read before positions: what fills in between counts twice, never not at all.
    """
    if not any(held[name].value for name in OVER_ALL_ACCOUNTS):
        return None
    environment = account.venue_account.environment
    if is_locking:
        _lock(environment)
    on_order = _on_order.ask(environment=environment)
    positions = _held.ask(environment=environment)
    in_use: set[tuple[int, str]] = set()
    costs: list[tuple[str, Decimal | None]] = []
    for owner, quote, symbol, status, quantity, executed, booked, plan in on_order():
        in_use.add((owner, symbol))
        if quote == account.quote_asset:
            left = still_to_come(
                OrderStatus(status), quantity=quantity, executed=executed, booked=booked
            )
            costs.append((symbol, _planned(plan, left, quantity)))
    for owner, quote, symbol, quantity, price, is_dust in positions():
        if not is_dust:
            in_use.add((owner, symbol))
        if quote == account.quote_asset:
            costs.append((symbol, quantity * price))
    everything = _sum(cost for _, cost in costs)
    return Together(
        positions=len(in_use - {(account.pk, intent.symbol)}),
        symbol_exposure=_sum(cost for symbol, cost in costs if symbol == intent.symbol),
        gross_exposure=everything,
        net_exposure=everything,  # spot holds nothing short
    )


def _lock(environment: str) -> None:
    if not _locked_portfolio.rows(environment=environment):
        Portfolio.objects.bulk_create([Portfolio(environment=environment)], ignore_conflicts=True)
        _locked_portfolio.rows(environment=environment)


def _planned(plan: Mapping[str, Any] | None, left: Decimal, of: Decimal) -> Decimal | None:
    notional = (plan or {}).get("notional")
    return Decimal(notional) * left / of if notional is not None else None


def _sum(costs: Iterable[Decimal | None]) -> Decimal | None:
    total = Decimal(0)
    for cost in costs:
        if cost is None:
            return None
        total += cost
    return plain(total)
