"""The audit trail read once more from its first line, by somebody who trusts no row of ours.

`Replay.follow` is given events one after the other. It keeps per account what is on order and what
is held, money of its own, and entries let through lately, all reckoned anew from the trail, and
notes every point at which a limit in force was exceeded or an entry passed a stop. It knows
nothing of the product's code: what the trail does not tell, it does not know.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

ZERO = Decimal(0)
ONE = Decimal(1)
ENDED = {"order.rejected", "order.not_placed", "order.filled", "order.canceled", "order.expired"}
WINDOWS = {
    "max_orders_per_second": 1,
    "max_orders_per_minute": 60,
    "max_orders_per_day": 86_400,
}
# An order may be filled a few levels above the price it was planned at.
SLIPPAGE = Decimal("1.002")
STOPS = ("REDUCE_ONLY", "HALTED", "CANCEL_OPEN", "FLATTEN")


@dataclass(frozen=True)
class Breach:
    """A point of the trail at which something was so that must never be."""

    event: int
    account: str
    limit: str
    allowed: Decimal
    actual: Decimal


@dataclass
class Entry:
    """One entry that was let through: on order until it ended and all it took is booked."""

    account: str
    symbol: str
    quantity: Decimal
    notional: Decimal
    booked: Decimal = ZERO
    executed: Decimal | None = None  # all it ever took, once it has ended

    @property
    def left(self) -> Decimal:
        most = self.quantity if self.executed is None else self.executed
        return max(most - self.booked, ZERO)

    @property
    def planned(self) -> Decimal:
        """The value of what is left, at the price it was planned at."""
        return self.notional * self.left / self.quantity


@dataclass
class Holding:
    quantity: Decimal = ZERO
    cost: Decimal = ZERO
    is_dust: bool = False
    made_of: set[str] = field(default_factory=set)  # signals of its entries

    @property
    def is_held(self) -> bool:
        return self.quantity > 0 and not self.is_dust


@dataclass(frozen=True)
class Let:
    """An entry let through, for the windows."""

    at: datetime
    account: str
    strategy: str
    symbol: str


class Replay:
    """Every symbol ends with the `quote` asset, in which money is counted."""

    def __init__(self, *, fee_rate: Decimal = Decimal("0.001"), quote: str = "USDT") -> None:
        self.fee_rate = fee_rate
        self.quote = quote
        self.breaches: list[Breach] = []
        self.checks: Counter[str] = Counter()
        self.peaks: dict[str, Decimal] = {}
        self.entries: dict[str, Entry] = {}
        self.stopped: dict[str, datetime] = {}  # account: since when nothing may enter
        self.flattened: set[str] = set()
        self._book: dict[tuple[str, str, str], Decimal] = {}
        self._held: defaultdict[tuple[str, str], Holding] = defaultdict(Holding)
        self._money: dict[str, Decimal] = {}
        self._let: defaultdict[str, list[Let]] = defaultdict(list)
        self._stops: dict[str, tuple[str, str]] = {}  # state: scope and key
        self._on_order: dict[str, Entry] = {}

    # ---- reading ------------------------------------------------------------------------------

    def follow_all(self, events: Iterable[Mapping[str, Any]]) -> Replay:
        last = 0
        for event in events:
            assert event["id"] > last, "the trail is read from its first line to its last"
            last = event["id"]
            self.follow(event)
        return self

    def follow(self, event: Mapping[str, Any]) -> None:
        kind, data = event["kind"], event["data"]
        if kind == "limit.changed":
            self._set_limit(data)
        elif kind == "account.capital_moved":
            self._money[data["name"]] = self._money.get(data["name"], ZERO) + Decimal(
                data["amount"]
            )
        elif kind == "control.engaged":
            self._stop(event)
        elif kind == "control.released":
            self._stops.pop(event["subject_id"], None)
        elif kind == "decision.approved" and data["intent"] == "open_long":
            self._enter(event)
        elif kind in ENDED and data["role"] == "entry":
            self._end(event)
        elif kind == "fill.booked":
            self._fill(event)
        elif kind == "trade.closed":
            self._held[data["account"], data["symbol"]].made_of = set()
        elif kind in ("position.dust", "position.protected"):
            self._held[data["account"], data["symbol"]].is_dust = kind == "position.dust"

    def _set_limit(self, data: Mapping[str, Any]) -> None:
        place = (data["scope"], data["key"], data["name"])
        assert data["scope"] != "cap", "hard caps are not replayed"
        self._book.pop(place, None)
        if data["after"]:
            words = {"on": "1", "off": "0"}
            try:
                self._book[place] = Decimal(words.get(data["after"], data["after"]))
            except ArithmeticError:
                raise AssertionError(f"a limit nobody can read: {data}") from None

    def _stop(self, event: Mapping[str, Any]) -> None:
        data = event["data"]
        if data["mode"] not in STOPS:
            return
        self._stops[event["subject_id"]] = data["scope"], data["key"]
        if data["scope"] == "account":
            self.stopped.setdefault(data["key"], event["at"])
            if data["mode"] == "FLATTEN":
                self.flattened.add(data["key"])

    def _enter(self, event: Mapping[str, Any]) -> None:
        data, uid = event["data"], event["signal_uid"]
        account, symbol, strategy = data["account"], data["symbol"], data["strategy_id"]
        plan = data["plan"]
        assert uid not in self.entries, f"signal {uid} was let in twice"
        entry = Entry(account, symbol, Decimal(plan["quantity"]), Decimal(plan["notional"]))
        self.entries[uid] = self._on_order[uid] = entry
        let = Let(_moment(data["decided_at"]), account, strategy, symbol)
        self._let[account].append(let)
        self._check_stops(event, let)
        self._check_pace(event["id"], let)
        self._check_state(event["id"], account, symbol, strategy)
        self._check_position(
            event["id"], account, symbol, strategy, entry.notional / entry.quantity
        )

    def _end(self, event: Mapping[str, Any]) -> None:
        entry = self.entries[event["signal_uid"]]
        entry.executed = max(Decimal(event["data"].get("executed_quantity") or 0), entry.booked)
        self._drop_if_done(event["signal_uid"], entry)

    def _fill(self, event: Mapping[str, Any]) -> None:
        data, uid = event["data"], event["signal_uid"]
        account, symbol = data["account"], data["symbol"]
        price, quantity = Decimal(data["price"]), Decimal(data["quantity"])
        fee, fee_asset = Decimal(data["commission"]), data["commission_asset"]
        base = symbol.removesuffix(self.quote)
        held = self._held[account, symbol]
        money = self._money.get(account)
        fee_in_quote = fee if fee_asset == self.quote else ZERO
        fee_in_base = fee if fee_asset == base else ZERO
        if data["side"] == "BUY":
            if not held.is_held:
                held.made_of = set()
            held.quantity += quantity - fee_in_base
            held.cost += (quantity - fee_in_base) * price
            held.is_dust = False
            held.made_of.add(uid)
            spent = quantity * price + fee_in_quote
            entry = self.entries[uid]
            entry.booked += quantity
            self._drop_if_done(uid, entry)
        else:
            spent = fee_in_quote - quantity * price
            sold = min(quantity, held.quantity)
            if sold < quantity:
                self._note(event["id"], account, "sold more than held", held.quantity, quantity)
            held.cost -= held.cost * sold / held.quantity if held.quantity else ZERO
            held.quantity -= sold
        if money is not None:
            self._money[account] = money - spent
        if data["side"] == "BUY":
            self._check_state(event["id"], account, symbol, data["strategy_id"])
            self._check_position(event["id"], account, symbol, data["strategy_id"], price)

    def _drop_if_done(self, uid: str, entry: Entry) -> None:
        if entry.executed is not None and not entry.left:
            self._on_order.pop(uid, None)

    # ---- judging ------------------------------------------------------------------------------

    def limit(
        self, name: str, *, account: str = "", strategy: str = "", symbol: str = ""
    ) -> tuple[Decimal, str]:
        """Return what holds there, the most specific place first, and the place that says so."""
        places = (("symbol", symbol), ("strategy", strategy), ("account", account), ("global", ""))
        for scope, key in places:
            value = self._book.get((scope, key, name))
            if value is not None and (key or scope == "global"):
                return value, scope
        return ZERO, "global"

    def _check_stops(self, event: Mapping[str, Any], let: Let) -> None:
        places = {
            ("global", ""),
            ("venue", event.get("environment", "")),
            ("account", let.account),
            ("strategy", let.strategy),
            ("symbol", let.symbol),
        }
        self.checks["stop"] += 1
        for place in self._stops.values():
            if place in places:
                self._note(event["id"], let.account, "entered after a stop", ZERO, ONE)

    def _check_pace(self, event: int, let: Let) -> None:
        place = {"account": let.account, "strategy": let.strategy, "symbol": let.symbol}
        for name, seconds in WINDOWS.items():
            most, scope = self.limit(name, **place)
            narrow = {scope: place[scope]} if scope in ("strategy", "symbol") else {}
            self._check(event, let.account, name, most, self._lately(let, seconds, **narrow))
        most, _ = self.limit("max_repeats", **place)
        window, _ = self.limit("repeat_window_seconds", **place)
        same = {"strategy": let.strategy, "symbol": let.symbol}
        self._check(event, let.account, "max_repeats", most, self._lately(let, int(window), **same))

    def _lately(self, let: Let, seconds: int, **same: str) -> int:
        """Count entries of its account in the window that ends with this one."""
        since = let.at - timedelta(seconds=seconds)
        return sum(
            since < one.at <= let.at
            and all(getattr(one, name) == value for name, value in same.items())
            for one in self._let[let.account]
        )

    def _check_state(self, event: int, account: str, symbol: str, strategy: str) -> None:
        """Hold what is on order and held, in the account and over all, against the limits."""
        place = {"account": account, "strategy": strategy, "symbol": symbol}
        in_use = self.in_use()
        own = {name for owner, name in in_use if owner == account}
        most, _ = self.limit("max_open_positions", **place)
        self._check(event, account, "max_open_positions", most, len(own))
        if self.limit("one_symbol_per_account", **place)[0]:
            self._check(event, account, "one_symbol_per_account", ONE, len(own))
        most, _ = self.limit("max_open_positions_total", **place)
        self._check(event, account, "max_open_positions_total", most, len(in_use))
        costs = self.exposure()
        most, _ = self.limit("max_symbol_exposure", **place)
        self._check(event, account, "max_symbol_exposure", most, costs[symbol], SLIPPAGE)
        for name in ("max_gross_exposure", "max_net_exposure"):
            most, _ = self.limit(name, **place)
            self._check(event, account, name, most, sum(costs.values(), ZERO), SLIPPAGE)
        self._check_money(event, account)

    def _check_money(self, event: int, account: str) -> None:
        money = self._money.get(account)
        if money is None:
            return
        promised = sum(
            (
                e.planned * (ONE + self.fee_rate)
                for e in self._on_order.values()
                if e.account == account
            ),
            ZERO,
        )
        self.checks["own money"] += 1
        if promised > money and promised - money > promised * (SLIPPAGE - ONE):
            self._note(event, account, "own money", money, promised)

    def _check_position(
        self, event: int, account: str, symbol: str, strategy: str, price: Decimal
    ) -> None:
        place = {"account": account, "strategy": strategy, "symbol": symbol}
        held = self._held[account, symbol]
        waiting = {
            uid: e
            for uid, e in self._on_order.items()
            if (e.account, e.symbol) == (account, symbol)
        }
        size = held.quantity + sum((e.left for e in waiting.values()), ZERO)
        most, _ = self.limit("max_position_notional", **place)
        self._check(event, account, "max_position_notional", most, size * price, SLIPPAGE)
        made_of = (held.made_of if held.is_held else set()) | set(waiting)
        most, _ = self.limit("max_entries_per_position", **place)
        self._check(event, account, "max_entries_per_position", most, len(made_of))
        if self.limit("one_symbol_per_account", **place)[0]:
            most, _ = self.limit("max_open_positions", **place)
            self._check(event, account, "max_open_positions", most, len(made_of))

    def in_use(self) -> set[tuple[str, str]]:
        """Return account and symbol of every position and of every entry on order."""
        held = {place for place, one in self._held.items() if one.is_held}
        return held | {(e.account, e.symbol) for e in self._on_order.values()}

    def exposure(self) -> defaultdict[str, Decimal]:
        """Return what is held at cost and on order as planned, by symbol."""
        costs: defaultdict[str, Decimal] = defaultdict(Decimal)
        for (_, symbol), one in self._held.items():
            costs[symbol] += one.cost
        for entry in self._on_order.values():
            costs[entry.symbol] += entry.planned
        return costs

    def money(self) -> dict[str, Decimal]:
        """Return the money of each account that has its own, in no position."""
        return dict(self._money)

    def holdings(self) -> dict[tuple[str, str], Decimal]:
        return {place: one.quantity for place, one in self._held.items() if one.quantity}

    def _check(
        self,
        event: int,
        account: str,
        name: str,
        most: Decimal,
        actual: Decimal | int,
        slack: Decimal = ONE,
    ) -> None:
        if not most and name != "max_open_positions":
            return
        self.checks[name] += 1
        actual = Decimal(actual)
        self.peaks[name] = max(self.peaks.get(name, ZERO), actual / most if most else ZERO)
        if actual > most * slack:
            self._note(event, account, name, most, actual)

    def _note(self, event: int, account: str, name: str, most: Decimal, actual: Decimal) -> None:
        self.breaches.append(Breach(event, account, name, most, actual))


def _moment(value: datetime | str) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)
