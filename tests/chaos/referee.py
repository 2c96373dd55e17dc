"""An independent referee: what became of every signal and every coin, from the venue's diary alone.

It reads rows of `/control/events` and the list of what was sent, and knows nothing of the product.
Signals are told apart at the venue by their quantity: the senders give each entry of a symbol an
amount of its own.

- naked: something worth at least `LEAST` is held and no stop of the client's is live at all;
- uncovered: the live stops are for less than what is held, by at least `LEAST`;
- doubled: more buy orders were taken than signals asked for that amount;
- lost: a signal to buy came to no order and to no outcome that anyone recorded;
- beyond: more was sold through the client's orders than bought through them.

What is held is what the client's own orders bought and did not sell, and never more than the
account has. A stop held elsewhere (a guard that watches prices and sells) is not visible here: its
times are given as `Guarded`, and naked is told both with and without them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from statistics import median
from typing import Any

LEAST = Decimal(5)  # quote units: what a venue takes no order for is no position
STOPS = ("STOP_LOSS", "STOP_LOSS_LIMIT")
ENDED = ("order.cancelled", "order.expired", "order.rejected", "order.triggered")
ZERO = Decimal(0)
Row = Mapping[str, Any]


@dataclass(frozen=True, order=True)
class Place:
    """Where something is held. `owner` is empty unless orders were given owners."""

    account: str
    symbol: str
    owner: str = ""


@dataclass(frozen=True)
class Sent:
    """A signal. Without a quantity an exit means all that is held. `closes` marks an exit."""

    uid: str
    at_ms: int
    symbol: str
    quantity: Decimal | None = None
    closes: bool = False
    owner: str = ""


@dataclass(frozen=True)
class Guarded:
    """A time in which somebody outside the venue watched a stop. None: until the end."""

    symbol: str
    from_ms: int
    until_ms: int | None = None
    owner: str = ""


@dataclass(frozen=True)
class Gap:
    """A time without (enough) stops; `missing` is the most base units that were not covered."""

    place: Place
    from_ms: int
    until_ms: int
    missing: Decimal

    @property
    def seconds(self) -> float:
        return (self.until_ms - self.from_ms) / 1000


@dataclass(frozen=True)
class Exit:
    """A signal to sell something that was held. `sold_ms` None: not all was sold in the end."""

    uid: str
    place: Place
    at_ms: int
    sold_ms: int | None
    left: Decimal = ZERO

    @property
    def seconds(self) -> float | None:
        return None if self.sold_ms is None else max(0, self.sold_ms - self.at_ms) / 1000


@dataclass(frozen=True)
class Refusal:
    """A sale that the venue refused by its rules, and why."""

    symbol: str
    at_ms: int
    why: str


@dataclass(frozen=True)
class Report:
    """What the referee saw. `naked_unguarded` are the naked times in which no guard watched."""

    naked: tuple[Gap, ...] = ()
    naked_unguarded: tuple[Gap, ...] = ()
    uncovered: tuple[Gap, ...] = ()
    exits: tuple[Exit, ...] = ()
    doubled: tuple[str, ...] = ()
    unasked: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    beyond: tuple[str, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    entries: int = 0
    faults: int = 0

    @property
    def unsold(self) -> tuple[Exit, ...]:
        return tuple(e for e in self.exits if e.sold_ms is None)

    @property
    def refused_again(self) -> tuple[Refusal, ...]:
        """Return the sales that were refused for a reason that was known already."""
        known = [(r.symbol, r.why) for r in self.refusals]
        return tuple(r for i, r in enumerate(self.refusals) if (r.symbol, r.why) in known[:i])

    def of(self, symbol: str, from_ms: int, until_ms: int) -> Report:
        """Keep the gaps that began and the exits that were sent there and then.

        What was sold only later counts as not sold: something else sold it.
        """

        def kept(gaps: Sequence[Gap]) -> tuple[Gap, ...]:
            return tuple(
                g for g in gaps if g.place.symbol == symbol and from_ms <= g.from_ms < until_ms
            )

        exits = tuple(
            e if (e.sold_ms or 0) <= until_ms else replace(e, sold_ms=None)
            for e in self.exits
            if e.place.symbol == symbol and from_ms <= e.at_ms < until_ms
        )
        return replace(
            self,
            naked=kept(self.naked),
            naked_unguarded=kept(self.naked_unguarded),
            uncovered=kept(self.uncovered),
            exits=exits,
            refusals=tuple(
                r for r in self.refusals if r.symbol == symbol and from_ms <= r.at_ms < until_ms
            ),
        )


def longest(gaps: Iterable[Gap]) -> float:
    return max((gap.seconds for gap in gaps), default=0.0)


def middle(figures: Iterable[float]) -> float:
    known = list(figures)
    return median(known) if known else 0.0


def judge(
    events: Iterable[Row],
    sent: Iterable[Sent],
    *,
    outcomes: Mapping[str, str] | None = None,
    owners: Mapping[str, str] | None = None,
    guarded: Sequence[Guarded] = (),
    until_ms: int | None = None,
) -> Report:
    """Judge a whole diary.

    `outcomes` has what was recorded of a signal, by uid: denied, not placed... `owners` says whose
    an order is, by its client order id. `until_ms` ends what has not ended; default: the last row.
    """
    signals = sorted(sent, key=lambda s: s.at_ms)
    walk = Walk(owners, [s for s in signals if s.closes])
    for row in events:
        walk.step(row)
    walk.finish(walk.now_ms if until_ms is None else until_ms)
    entries = [s for s in signals if not s.closes]
    doubled, unasked, lost = _count(entries, walk.bought, outcomes or {})
    return Report(
        naked=tuple(walk.naked.gaps),
        naked_unguarded=tuple(piece for g in walk.naked.gaps for piece in _without(g, guarded)),
        uncovered=tuple(walk.uncovered.gaps),
        exits=tuple(walk.exits),
        doubled=doubled,
        unasked=unasked,
        lost=lost,
        beyond=tuple(walk.beyond),
        refusals=tuple(walk.refusals),
        entries=sum(walk.bought.values()),
        faults=walk.faults,
    )


def _count(
    entries: Sequence[Sent], bought: Counter[tuple[str, Decimal]], outcomes: Mapping[str, str]
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    asked: defaultdict[tuple[str, Decimal], list[str]] = defaultdict(list)
    for signal in entries:
        asked[signal.symbol, signal.quantity or ZERO].append(signal.uid)
    doubled, lost = [], []
    for what, uids in asked.items():
        there = bought[what]
        if there > len(uids):
            doubled.append(f"{what[0]} {what[1]}: {there} orders for {', '.join(uids)}")
        silent = [uid for uid in uids if uid not in outcomes]
        missing = len(uids) - there
        lost += silent[: max(0, missing - (len(uids) - len(silent)))]
    unasked = [f"{s} {q}: {n} orders" for (s, q), n in bought.items() if (s, q) not in asked]
    return tuple(doubled), tuple(unasked), tuple(lost)


def _without(gap: Gap, guarded: Sequence[Guarded]) -> list[Gap]:
    """Return what is left of a gap outside the times in which a guard watched."""
    left = [(gap.from_ms, gap.until_ms)]
    for watch in guarded:
        if (watch.symbol, watch.owner) != (gap.place.symbol, gap.place.owner):
            continue
        until = gap.until_ms if watch.until_ms is None else watch.until_ms
        left = [
            (begun, ended)
            for a, b in left
            for begun, ended in ((a, min(b, watch.from_ms)), (max(a, until), b))
            if begun < ended
        ]
    return [replace(gap, from_ms=a, until_ms=b) for a, b in left]


@dataclass
class _Holding:
    ours: Decimal = ZERO
    stops: dict[int, Decimal] = field(default_factory=dict)  # live ones: what they would still sell

    @property
    def covered(self) -> Decimal:
        return sum(self.stops.values(), ZERO)


class _Spells:
    """Times in which something was missing, by place. Those of no length are not kept."""

    def __init__(self) -> None:
        self.gaps: list[Gap] = []
        self._open: dict[Place, tuple[int, Decimal]] = {}

    def note(self, place: Place, missing: Decimal, at_ms: int) -> None:
        begun = self._open.get(place)
        if missing and begun is None:
            self._open[place] = at_ms, missing
        elif missing and begun is not None:
            self._open[place] = begun[0], max(begun[1], missing)
        elif begun is not None:
            self._end(place, at_ms)

    def finish(self, at_ms: int) -> None:
        for place in list(self._open):
            self._end(place, at_ms)

    def _end(self, place: Place, at_ms: int) -> None:
        begun, missing = self._open.pop(place)
        if at_ms > begun:
            self.gaps.append(Gap(place, begun, at_ms, missing))


@dataclass
class _Awaited:
    """An exit under way: it is done when no more than `goal` is held."""

    signal: Sent
    place: Place
    goal: Decimal


class Walk:
    """The diary read row by row. While it goes on it says what is held and covered right now."""

    def __init__(
        self, owners: Mapping[str, str] | None = None, closes: Sequence[Sent] = ()
    ) -> None:
        self.naked, self.uncovered = _Spells(), _Spells()
        self.exits: list[Exit] = []
        self.beyond: list[str] = []
        self.refusals: list[Refusal] = []
        self.bought: Counter[tuple[str, Decimal]] = Counter()
        self.now_ms = 0
        self.faults = 0
        self._owners = owners or {}
        self._closes = list(closes)
        self._awaited: list[_Awaited] = []
        self._held: defaultdict[Place, _Holding] = defaultdict(_Holding)
        self._there: dict[tuple[str, str], Decimal] = {}  # account, asset: free and locked
        self._prices: dict[str, Decimal] = {}
        self._seen: set[int] = set()  # buy orders, by number

    def step(self, row: Row) -> None:
        self.now_ms = max(self.now_ms, row["at_ms"])
        self._send_until(self.now_ms)
        kind = row["kind"]
        if kind == "fault":
            self.faults += 1
        elif kind == "refused":
            self._refused(row)
        elif kind == "price":
            self._prices[row["symbol"]] = Decimal(row["price"])
        elif kind == "balance":
            # A trade's balances come after all trades of its call: only now is the account true.
            self._there[row["account"], row["asset"]] = Decimal(row["free"]) + Decimal(
                row["locked"]
            )
            self._look(row["account"], row["asset"])
        elif kind.startswith("order.") and not row.get("by_hand"):
            self._order(kind, row)

    def finish(self, until_ms: int) -> None:
        self._send_until(until_ms)
        self.naked.finish(until_ms)
        self.uncovered.finish(until_ms)
        for wait in self._awaited:
            left = self._held_at(wait.place) - wait.goal
            self.exits.append(
                Exit(wait.signal.uid, wait.place, wait.signal.at_ms, None, max(left, ZERO))
            )

    def held(self, symbol: str) -> Decimal:
        """Return what is held of a symbol; 0 when it is worth less than LEAST."""
        held = sum((self._held_at(p) for p in list(self._held) if p.symbol == symbol), ZERO)
        return held if held * self._prices.get(symbol, ZERO) >= LEAST else ZERO

    def is_covered(self, symbol: str) -> bool:
        """Say whether the live stops of a symbol are for all that is held."""
        covered = sum((h.covered for p, h in self._held.items() if p.symbol == symbol), ZERO)
        return (self.held(symbol) - covered) * self._prices.get(symbol, ZERO) < LEAST

    def live_stops(self, symbol: str) -> list[int]:
        """Return the numbers of the live stop orders of a symbol."""
        return [n for p, h in self._held.items() if p.symbol == symbol for n in h.stops]

    def _order(self, kind: str, row: Row) -> None:
        place = self._place(row)
        holding = self._held[place]
        if row["side"] == "BUY":
            if kind == "order.working" and row["order_id"] not in self._seen:
                self._seen.add(row["order_id"])
                self.bought[row["symbol"], Decimal(row["quantity"])] += 1
        elif row["type"] in STOPS:
            if kind in ENDED or row["status"] == "FILLED":
                holding.stops.pop(row["order_id"], None)
            elif kind in ("order.working", "order.amended"):
                left = Decimal(row["quantity"]) - Decimal(row["executed"])
                holding.stops[row["order_id"]] = left
        if kind == "order.trade":
            self._trade(place, holding, row)
        self._weigh(place)

    def _refused(self, row: Row) -> None:
        asked = row["params"]
        if asked.get("side") == "SELL" and asked.get("type") == "MARKET":
            why = f"{row['code']} {row['message']}"
            self.refusals.append(Refusal(row["symbol"], row["at_ms"], why))

    def _trade(self, place: Place, holding: _Holding, row: Row) -> None:
        quantity, price = Decimal(row["last_quantity"]), Decimal(row["last_price"])
        self._prices[place.symbol] = price
        if row["side"] == "SELL":
            quantity = -quantity
        if row["commission_asset"] == _base(place.symbol):
            quantity -= Decimal(row["commission"])
        if quantity > 0:
            for wait in self._awaited:  # what is bought after a close is not part of it
                wait.goal += quantity if wait.place == place else ZERO
        holding.ours += quantity
        if holding.ours < 0:
            self.beyond.append(f"{row['client_id']} {place.symbol}: {-holding.ours} too many")
            holding.ours = ZERO
        asset = place.account, _base(place.symbol)
        if asset in self._there:
            self._there[asset] += quantity

    def _look(self, account: str, asset: str) -> None:
        for place in list(self._held):
            if place.account == account and _base(place.symbol) == asset:
                self._weigh(place)

    def _held_at(self, place: Place) -> Decimal:
        """Return what is held there: each owner's share when the account has less than all own."""
        ours = self._held[place].ours
        asset = place.account, _base(place.symbol)
        if asset not in self._there:
            return ours
        everyone = sum(
            (h.ours for p, h in self._held.items() if (p.account, _base(p.symbol)) == asset), ZERO
        )
        there = max(self._there[asset], ZERO)
        return ours if there >= everyone else ours * there / everyone

    def _weigh(self, place: Place) -> None:
        held, covered = self._held_at(place), self._held[place].covered
        price = self._prices.get(place.symbol, ZERO)
        is_naked = held * price >= LEAST and not covered
        self.naked.note(place, held if is_naked else ZERO, self.now_ms)
        short = held - covered
        self.uncovered.note(place, short if short * price >= LEAST else ZERO, self.now_ms)
        self._check_exits(place, held, price)

    def _check_exits(self, place: Place, held: Decimal, price: Decimal) -> None:
        for wait in [w for w in self._awaited if w.place == place]:
            if (held - wait.goal) * price < LEAST:
                self._awaited.remove(wait)
                self.exits.append(Exit(wait.signal.uid, place, wait.signal.at_ms, self.now_ms))

    def _send_until(self, at_ms: int) -> None:
        """Let exits that were sent by now wait for what is held at this moment."""
        while self._closes and self._closes[0].at_ms <= at_ms:
            signal = self._closes.pop(0)
            for place in list(self._held):
                if (place.symbol, place.owner) != (signal.symbol, signal.owner):
                    continue
                held = self._held_at(place)
                if held * self._prices.get(place.symbol, ZERO) >= LEAST:
                    goal = ZERO if signal.quantity is None else max(held - signal.quantity, ZERO)
                    self._awaited.append(_Awaited(signal, place, goal))

    def _place(self, row: Row) -> Place:
        return Place(row["account"], row["symbol"], self._owners.get(row["client_id"], ""))


def _base(symbol: str) -> str:
    return symbol.removesuffix("USDT")
